"""SQL of deliveries: one row per event and endpoint, until it was taken or given up.

An event is told with `deliver_at`; `hand_out` takes that away and makes its rows, in one transaction. So a
crash leaves an event either to be handed out or with all of its rows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from multisite.db.engine import Database
from multisite.db.quota_tables import quota_deliveries, quota_events

_D, _E = quota_deliveries.c, quota_events.c
#: Events that are handed out, or deleted, in one transaction at most.
BITE = 500


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that an endpoint has to get; `attempts` were made so far."""

    endpoint: str
    event_id: int
    project_id: str
    attempts: int
    at: datetime
    kind: str
    resource: str | None
    region: str | None
    figures: Mapping[str, Any]
    sentence: str


class Outbox:
    """Deliveries in one database. Endpoints are known by their keys."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def busy(self) -> bool:
        """Whether there is anything to hand out or to deliver, at some time."""
        told = sa.exists().where(_E.deliver_at.is_not(None))
        waiting = sa.select(quota_deliveries.c.event_id).exists()
        async with self.database.read() as connection:
            return bool(await connection.scalar(sa.select(told | waiting)))

    async def hand_out(self, endpoints: Sequence[str], now: datetime) -> Counter[str]:
        """Make the deliveries of events that were told, the oldest first; how many there were of each kind.

        Without endpoints these events are done with: who names one later gets what happens from then on.
        """
        told = sa.select(_E.id).where(_E.deliver_at.is_not(None)).order_by(_E.id).limit(BITE)
        async with self.database.read() as connection:
            if (await connection.execute(told.limit(1))).first() is None:
                return Counter()
        async with self.database.write() as connection:
            taken = (
                await connection.execute(
                    sa.update(quota_events)
                    .where(_E.id.in_(told), _E.deliver_at.is_not(None))
                    .values(deliver_at=None)
                    .returning(_E.id, _E.project_id, _E.kind)
                )
            ).all()
            rows = [
                {
                    "endpoint": endpoint,
                    "event_id": event.id,
                    "project_id": event.project_id,
                    "deliver_at": now,
                    "attempts": 0,
                }
                for event in sorted(taken)
                for endpoint in endpoints
            ]
            if rows:
                await connection.execute(sa.insert(quota_deliveries), rows)
        return Counter(event.kind for event in taken)

    async def due(self, endpoint: str, now: datetime, limit: int) -> Sequence[Delivery]:
        """What an endpoint is to get now: of each project its oldest event alone, so that order is kept."""
        older = quota_deliveries.alias()
        behind = (
            sa.exists()
            .where(
                older.c.endpoint == _D.endpoint,
                older.c.project_id == _D.project_id,
                older.c.event_id < _D.event_id,
            )
            .correlate(quota_deliveries)
        )
        query = (
            sa.select(
                _D.endpoint,
                _D.event_id,
                _D.project_id,
                _D.attempts,
                _E.at,
                _E.kind,
                _E.resource,
                _E.region,
                _E.figures,
                _E.sentence,
            )
            .join(quota_events, _E.id == _D.event_id)
            .where(_D.endpoint == endpoint, _D.deliver_at <= now, ~behind)
            .order_by(_D.deliver_at, _D.event_id)
            .limit(limit)
        )
        async with self.database.read() as connection:
            return [Delivery(*tuple(row)) for row in await connection.execute(query)]

    async def done(self, delivery: Delivery) -> None:
        """It was taken, or is given up."""
        async with self.database.write() as connection:
            await connection.execute(sa.delete(quota_deliveries).where(_is(delivery)))

    async def later(self, delivery: Delivery, at: datetime) -> None:
        """It failed once more; try it again at this time."""
        async with self.database.write() as connection:
            await connection.execute(
                sa.update(quota_deliveries)
                .where(_is(delivery))
                .values(attempts=delivery.attempts + 1, deliver_at=at)
            )

    async def drop_others(self, endpoints: Sequence[str]) -> int:
        """Forget what endpoints should get that are not named any more; how many deliveries that were."""
        others = _D.endpoint.not_in(endpoints)
        async with self.database.read() as connection:
            if (await connection.execute(sa.select(_D.event_id).where(others).limit(1))).first() is None:
                return 0
        async with self.database.write() as connection:
            return (await connection.execute(sa.delete(quota_deliveries).where(others))).rowcount

    async def waiting(self) -> int:
        """How many deliveries there are to be made."""
        async with self.database.read() as connection:
            counted = await connection.scalar(sa.select(sa.func.count()).select_from(quota_deliveries))
        return int(counted or 0)

    async def thin(self, before: datetime) -> tuple[int, int]:
        """Delete a bite of events from before: how many, and how many deliveries were lost with them."""
        old = sa.select(_E.id).where(_E.at < before).order_by(_E.at).limit(BITE)
        async with self.database.read() as connection:
            ids = list((await connection.scalars(old)).all())
        if not ids:
            return 0, 0
        async with self.database.write() as connection:
            lost = await connection.execute(sa.delete(quota_deliveries).where(_D.event_id.in_(ids)))
            gone = await connection.execute(sa.delete(quota_events).where(_E.id.in_(ids)))
        return gone.rowcount, lost.rowcount


def _is(delivery: Delivery) -> sa.ColumnElement[bool]:
    return (_D.endpoint == delivery.endpoint) & (_D.event_id == delivery.event_id)
