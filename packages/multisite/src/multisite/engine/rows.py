"""Operations and parts from the rows in which they are stored."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.tables import operation_parts
from multisite.engine.model import Failure, Operation, Part, State

_P = operation_parts.c


async def operations_of(connection: AsyncConnection, rows: Sequence[sa.Row[Any]]) -> Sequence[Operation]:
    """The operations of these rows, with what is told of their parts together."""
    ids = [row.id for row in rows]
    query = (
        sa.select(_P.operation_id, _P.state, sa.func.count(), sa.func.sum(_P.percent))
        .where(_P.operation_id.in_(ids))
        .group_by(_P.operation_id, _P.state)
    )
    counts: dict[str, Counter[State]] = {each: Counter() for each in ids}
    percents: Counter[str] = Counter()
    for operation_id, state, count, percent in await connection.execute(query):
        counts[operation_id][State(state)] = count
        percents[operation_id] += percent
    failed = sa.select(_P.operation_id, _P.error_code, _P.error_detail, _P.error_request_id).where(
        _P.operation_id.in_(ids), _P.error_code.is_not(None)
    )
    failures: dict[str, Failure] = {}
    for operation_id, code, detail, request_id in await connection.execute(failed.order_by(_P.name.desc())):
        failures[operation_id] = Failure(code, detail or "", request_id)
    return [_operation(row, counts[row.id], percents[row.id], failures.get(row.id)) for row in rows]


def uncounted(row: sa.Row[Any]) -> Operation:
    """The operation of this row as if it had no parts: no counts, no failure; for those who run it."""
    return _operation(row, {}, 0, None)


def _operation(
    row: sa.Row[Any], counts: Mapping[State, int], percents: int, failure: Failure | None
) -> Operation:
    parts = sum(counts.values())
    return Operation(
        id=row.id,
        kind=row.kind,
        state=State(row.state),
        arguments=row.arguments,
        project_id=row.project_id,
        user_id=row.user_id,
        user_name=row.user_name,
        request_id=row.request_id,
        priority=row.priority,
        percent=percents // parts if parts else 100,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested_at=row.cancel_requested_at,
        failure=failure,
        parts_by_state=counts,
        generation=row.generation,
    )


def part_of(row: sa.Row[Any]) -> Part:
    """The part of a row."""
    failure = (
        Failure(row.error_code, row.error_detail or "", row.error_request_id) if row.error_code else None
    )
    return Part(
        name=row.name,
        state=State(row.state),
        percent=row.percent,
        step=row.step,
        attempts=row.attempts,
        failure=failure,
        result=row.result,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
