"""SQL of what is known of a project in each region (`Share`)."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.quota_tables import quota_shares
from multisite.db.tables import regions
from multisite.db.upsert import upsert
from multisite.quotas.bound import Figures
from multisite.quotas.model import Backend, Share
from multisite.quotas.store import MOST_AT_ONCE
from multisite.regions.states import CallError

_OF_PROJECTS: sa.BindParameter[Sequence[str]] = sa.bindparam("projects", expanding=True)
_S = quota_shares.c
_SHARES = (
    sa.select(
        _S.project_id,
        _S.region_id,
        regions.c.name,
        _S.service,
        _S.document,
        _S.backend,
        _S.local_id,
        _S.found,
        _S.usable,
        _S.observed_at,
        _S.failed_at,
        _S.error_code,
        _S.error_detail,
    )
    .join(regions, regions.c.id == quota_shares.c.region_id)
    .where(quota_shares.c.project_id.in_(_OF_PROJECTS))
)


async def shares(connection: AsyncConnection, project_id: str) -> list[Share]:
    """What is known of a project in all regions."""
    return (await shares_of(connection, [project_id]))[project_id]


async def shares_of(connection: AsyncConnection, project_ids: Sequence[str]) -> dict[str, list[Share]]:
    """What is known of some projects in all regions, by the project's id."""
    found: dict[str, list[Share]] = {each: [] for each in project_ids}
    for first in range(0, len(project_ids), MOST_AT_ONCE):
        some = {"projects": list(project_ids[first : first + MOST_AT_ONCE])}
        for row in await connection.execute(_SHARES, some):
            found[row[0]].append(_share(row))
    return found


async def save(connection: AsyncConnection, project_id: str, shares: Iterable[Share]) -> None:
    """Store what is known of regions; a region that was deleted meanwhile is left out."""
    rows = [_row(project_id, share) for share in shares]
    if not rows:
        return
    ids = {row["region_id"] for row in rows}
    there = set(await connection.scalars(sa.select(regions.c.id).where(regions.c.id.in_(ids))))
    rows = [row for row in rows if row["region_id"] in there]
    if rows:
        await upsert(connection, quota_shares, ("project_id", "region_id", "service"), rows)


def _share(row: Iterable[Any]) -> Share:
    """Taken apart at once: asking a row for each column by name costs more than all of the rest."""
    (
        _, region_id, region, service, document, backend, local_id, found, usable, observed_at, failed_at,
        error_code, error_detail,
    ) = row  # fmt: skip
    return Share(
        region_id,
        region,
        service,
        {name: Figures(limit, used) for name, (limit, used) in document["figures"].items()},
        document["sent"],
        document["before"],
        document["wanted"],
        document["base"],
        document["given"],
        Backend(backend),
        document["was_default"],
        local_id,
        found,
        usable,
        observed_at,
        failed_at,
        CallError(error_code, error_detail) if error_code else None,
    )


def _row(project_id: str, share: Share) -> dict[str, Any]:
    return {
        "project_id": project_id,
        "region_id": share.region_id,
        "service": share.service,
        "backend": share.backend.value,
        "local_id": share.local_id,
        "found": share.found,
        "usable": share.usable,
        "observed_at": share.observed_at,
        "failed_at": share.failed_at,
        "error_code": share.error.code if share.error else None,
        "error_detail": share.error.detail if share.error else None,
        "document": share.document(),
    }
