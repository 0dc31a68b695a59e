"""SQL of requests for more quota.

An open request has a place among those of its project, and no two the same (a constraint): so there are never
more than there are places, however many are made at the same time. What is decided gives its place back, in
the one statement that finds the request still open: of two who decide, one finds that.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.quota_tables import quota_requests
from multisite.quotas.requests.model import MOST_OPEN, Filter, QuotaRequest, RequestState

_R = quota_requests.c


class QuotaRequestStore:
    """Requests in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def free_place(self, connection: AsyncConnection, project_id: str) -> int | None:
        """The first place of a project that no open request has; `None` where all are taken."""
        query = sa.select(_R.place).where(_R.project_id == project_id, _R.place.is_not(None))
        taken = set(await connection.scalars(query))
        return next((place for place in range(1, MOST_OPEN + 1) if place not in taken), None)

    async def insert(self, connection: AsyncConnection, request: QuotaRequest, place: int) -> None:
        """Store a new request. Raises `sqlalchemy.exc.IntegrityError` where its place was taken meanwhile."""
        await connection.execute(
            sa.insert(quota_requests).values(
                id=request.id,
                at=request.at,
                project_id=request.project_id,
                project_name=request.project_name,
                user_id=request.user_id,
                user_name=request.user_name,
                limits=dict(request.limits),
                reason=request.reason,
                state=request.state.value,
                place=place,
            )
        )

    async def get(self, request_id: str) -> QuotaRequest | None:
        """One request."""
        async with self.database.read() as connection:
            return await self.read(connection, request_id)

    async def read(self, connection: AsyncConnection, request_id: str) -> QuotaRequest | None:
        """One request, in a transaction."""
        query = sa.select(quota_requests).where(_R.id == request_id)
        row = (await connection.execute(query)).first()
        return _request(row) if row else None

    async def page(self, wanted: Filter, limit: int, after: QuotaRequest | None) -> Sequence[QuotaRequest]:
        """Requests, the newest first, after one of them."""
        query = sa.select(quota_requests).order_by(_R.at.desc(), _R.id.desc()).limit(limit)
        if wanted.project_id is not None:
            query = query.where(_R.project_id == wanted.project_id)
        if wanted.states:
            query = query.where(_R.state.in_([state.value for state in wanted.states]))
        if after is not None:
            query = query.where((_R.at < after.at) | ((_R.at == after.at) & (_R.id < after.id)))
        async with self.database.read() as connection:
            return [_request(row) for row in await connection.execute(query)]

    async def decide(
        self, connection: AsyncConnection, request_id: str, state: RequestState, values: Mapping[str, Any]
    ) -> bool:
        """Put an open request into a state it stays in; `False` where it is not open any more."""
        decided = await connection.execute(
            sa.update(quota_requests)
            .where(_R.id == request_id, _R.state == RequestState.OPEN.value)
            .values(state=state.value, place=None, **values)
        )
        return bool(decided.rowcount)

    async def count_open(self) -> int:
        """How many requests wait for an answer, of all projects."""
        query = sa.select(sa.func.count()).select_from(quota_requests).where(_R.place.is_not(None))
        async with self.database.read() as connection:
            return int(await connection.scalar(query) or 0)


def _request(row: Any) -> QuotaRequest:
    return QuotaRequest(
        row.id,
        row.at,
        row.project_id,
        row.project_name,
        row.user_id,
        row.user_name,
        row.limits,
        row.reason,
        RequestState(row.state),
        row.decided_at,
        row.decided_by,
        row.answer,
        row.granted,
        row.operation_id,
    )
