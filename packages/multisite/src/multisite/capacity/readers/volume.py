"""Reads Cinder: its storage pools and services.

Drivers report capacities as numbers, or as the words `infinite` and `unknown`.
"""

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any

from multisite.capacity.details import Pool, VolumeDetail, VolumeService
from multisite.capacity.model import VolumeSummary
from multisite.openstack import cinder
from multisite.openstack.client import RegionClient
from multisite.openstack.figures import Impossible, gib
from multisite.openstack.together import together

INFINITE = "infinite"
UNKNOWN = "unknown"
#: GiB by which drivers that round may report more free than there is.
ROUNDING = 1.0


async def read(client: RegionClient) -> VolumeDetail:
    """Pools and services: two listings at once."""
    async with together() as group:
        pools = group.create_task(cinder.pools(client))
        services = group.create_task(cinder.services(client))
    return VolumeDetail(
        pools=tuple(pool_of(item) for item in pools.result()),
        services=tuple(
            VolumeService(item["host"], item["binary"], item.get("zone") or "", item["status"], item["state"])
            for item in services.result()
        ),
    )


def summarize(detail: VolumeDetail) -> VolumeSummary:
    """Sums over the pools that report numbers; the others are counted."""
    known = [
        pool for pool in detail.pools if not isinstance(pool.total, str) and not isinstance(pool.free, str)
    ]
    words = [{pool.total, pool.free} for pool in detail.pools if pool not in known]
    return VolumeSummary(
        total=_tidy(sum(float(pool.total) for pool in known)),
        free=_tidy(sum(float(pool.free) for pool in known)),
        provisioned=_tidy(sum(pool.provisioned for pool in detail.pools)),
        provisioned_limit=_tidy(sum(_limit(pool) for pool in known)),
        pools=len(detail.pools),
        pools_unlimited=sum(INFINITE in word for word in words),
        pools_unknown=sum(INFINITE not in word for word in words),
        services_up=sum(service.state == "up" for service in detail.services),
        services_down=sum(service.state != "up" for service in detail.services),
    )


def pool_of(item: Mapping[str, Any]) -> Pool:
    """One pool of `scheduler-stats/get_pools`.

    Where a driver tells no more, what is allocated counts as provisioned, as in Cinder's own scheduler.
    """
    capabilities = item.get("capabilities") or {}
    used = "provisioned_capacity_gb" if "provisioned_capacity_gb" in capabilities else "allocated_capacity_gb"
    total, free = (_gib(capabilities.get(name), name) for name in ("total_capacity_gb", "free_capacity_gb"))
    if isinstance(total, float) and isinstance(free, float) and free > total + ROUNDING:
        raise Impossible(f"the answer has free_capacity_gb {free:g} of total_capacity_gb {total:g}")
    return Pool(
        name=item["name"],
        backend=capabilities.get("volume_backend_name"),
        total=total,
        free=free,
        provisioned=gib(_finite(capabilities.get(used), default=0.0), used),
        over_subscription=_ratio(capabilities.get("max_over_subscription_ratio")),
        thin=str(capabilities.get("thin_provisioning_support")).lower() == "true",
    )


def _limit(pool: Pool) -> float:
    return float(pool.total) * (pool.over_subscription if pool.thin else 1.0)


def _ratio(value: object) -> float:
    ratio = _finite(value, default=1.0)
    if ratio < 0:
        raise Impossible(f"the answer has max_over_subscription_ratio {ratio:g}, which is less than nothing")
    return ratio


def _gib(value: object, name: str) -> float | str:
    if isinstance(value, str) and value.strip().lower() in {INFINITE, UNKNOWN}:
        return value.strip().lower()
    number = _number(value, default=-inf)
    if number == inf:
        return INFINITE
    return gib(number, name) if isfinite(number) else UNKNOWN


def _number(value: object, *, default: float) -> float:
    try:
        return float(str(value))
    except ValueError:
        return default


def _finite(value: object, *, default: float) -> float:
    number = _number(value, default=default)
    return number if isfinite(number) else default


def _tidy(number: float) -> float:
    return round(number, 2)
