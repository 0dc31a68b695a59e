"""SQL of observations: what sweeps read, per (region, service)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from multisite.capacity.documents import Detail, Summary, detail_of, summary_of, to_json
from multisite.db.engine import Database
from multisite.db.tables import observations, regions
from multisite.db.upsert import upsert
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

    async def summaries(self, names: Sequence[str] = ()) -> dict[int, dict[str, Summary]]:
        """The last summaries by region id and service: one query."""
        query = sa.select(observations.c.region_id, observations.c.service, observations.c.summary)
        if names:
            query = query.join(regions, regions.c.id == observations.c.region_id).where(
                regions.c.name.in_(names)
            )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        found: dict[int, dict[str, Summary]] = {}
        for region_id, service, document in rows:
            summary = summary_of(service, document)
            if summary is not None:
                found.setdefault(region_id, {})[service] = summary
        return found

    async def details(self, region_id: int) -> dict[str, Detail]:
        """The last details of one region by service."""
        query = sa.select(observations.c.service, observations.c.detail).where(
            observations.c.region_id == region_id
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        found = {service: detail_of(service, document) for service, document in rows}
        return {service: detail for service, detail in found.items() if detail is not None}

    async def write(self, region_id: int, results: Sequence[Observation]) -> None:
        """Store one sweep of one region, all or nothing. A failure keeps the figures of the last success."""
        async with self.database.write() as connection:
            exists = await connection.scalar(sa.select(regions.c.id).where(regions.c.id == region_id))
            if exists is None:
                return
            for rows in (
                [_success(region_id, result) for result in results if result.error is None],
                [_failure(region_id, result) for result in results if result.error is not None],
            ):
                if rows:
                    await upsert(connection, observations, ("region_id", "service"), rows)


def _success(region_id: int, result: Observation) -> dict[str, Any]:
    return {
        "region_id": region_id,
        "service": result.service,
        "observed_at": result.at,
        "summary": to_json(result.summary) if result.summary is not None else None,
        "detail": to_json(result.detail) if result.detail is not None else None,
    }


def _failure(region_id: int, result: Observation) -> dict[str, Any]:
    return {
        "region_id": region_id,
        "service": result.service,
        "failed_at": result.at,
        "error_code": result.error.code if result.error else None,
        "error_detail": result.error.detail if result.error else None,
    }
