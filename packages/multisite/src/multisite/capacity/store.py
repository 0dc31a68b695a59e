"""SQL of observations: what sweeps read, per (region, service)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.capacity.documents import Detail, Summary, detail_of, summary_of
from multisite.db.engine import Database
from multisite.db.tables import observations, regions
from multisite.regions.states import CallError


@dataclass(frozen=True, slots=True)
class Observation:
    """What one sweep got from one service: `summary` and `detail`, or an `error`."""

    service: str
    at: datetime
    summary: Summary | None = None
    detail: Detail | None = None
    error: CallError | None = None


class CapacityStore:
    """Observations of all regions."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._parsed: dict[tuple[int, str], tuple[datetime | None, Summary | None]] = {}

    async def summaries(self, names: Sequence[str] = ()) -> dict[int, dict[str, Summary]]:
        """The last summaries by region id and service.

        One query asks when each was observed, a second one for the documents that were not parsed before:
        to parse a thousand regions' costs more than all the rest of a listing.
        """
        async with self.database.read() as connection:
            times = {
                (region_id, service): at
                for region_id, service, at in await connection.execute(
                    _observed(names, observations.c.observed_at)
                )
            }
            known = {key: self._parsed[key] for key, at in times.items() if self._holds(key, at)}
            if len(known) < len(times):
                known |= await self._parse(connection, {key[0] for key in times.keys() - known.keys()})
        self._parsed = {**(self._parsed if names else {}), **known}
        found: dict[int, dict[str, Summary]] = {}
        for (region_id, service), (_, summary) in known.items():
            if summary is not None:
                found.setdefault(region_id, {})[service] = summary
        return found

    def _holds(self, key: tuple[int, str], at: datetime | None) -> bool:
        held = self._parsed.get(key)
        return held is not None and held[0] == at

    async def _parse(
        self, connection: AsyncConnection, region_ids: Collection[int]
    ) -> dict[tuple[int, str], tuple[datetime | None, Summary | None]]:
        query = _observed((), observations.c.observed_at, observations.c.summary)
        rows = await connection.execute(query.where(observations.c.region_id.in_(region_ids)))
        return {
            (region_id, service): self._parsed[region_id, service]
            if self._holds((region_id, service), at)
            else (at, summary_of(service, document))
            for region_id, service, at, document in rows
        }

    async def details(self, region_id: int) -> dict[str, Detail]:
        """The last details of one region by service."""
        query = sa.select(observations.c.service, observations.c.detail).where(
            observations.c.region_id == region_id
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        found = {service: detail_of(service, document) for service, document in rows}
        return {service: detail for service, detail in found.items() if detail is not None}


def _observed(names: Sequence[str], *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    query = sa.select(observations.c.region_id, observations.c.service, *columns)
    if not names:
        return query
    return query.join(regions, regions.c.id == observations.c.region_id).where(regions.c.name.in_(names))
