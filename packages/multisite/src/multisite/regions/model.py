"""Regions as values: what an operator decides, what discovery found, how the services are.

These dataclasses are also what the API answers: one noun, one shape, in every layer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from multisite.openstack.breaker import Breaker
from multisite.regions.states import CallError, State

#: Services whose figures multisite reads; a catalog may hold more, whose health is watched.
READ_SERVICES = ("compute", "placement", "volume", "network", "image")

#: A region's name: what fits into a URL segment and a shell word.
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,254}")

#: Words that stand in the API's paths where a region's name does.
RESERVED_NAMES = frozenset({"discover", "history", "test"})


class Identity(StrEnum):
    """Whose users a region knows: the home Keystone's, or those of a Keystone of its own."""

    HOME = "home"
    OWN = "own"


class Interface(StrEnum):
    """Which of the catalog's endpoints multisite calls."""

    PUBLIC = "public"
    INTERNAL = "internal"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Planned work in a region: shown, and its warnings are silent until `ends_at`."""

    reason: str
    ends_at: datetime | None = None

    def active(self, now: datetime) -> bool:
        """Whether the maintenance has not ended yet."""
        return self.ends_at is None or now < self.ends_at


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One service of a region as discovery found it.

    `type` is our spelling (`volume`), `catalog_type` the catalog's (`block-storage`, `volumev3`).
    Microversions are `None` for a service that has none.
    """

    type: str
    catalog_type: str
    url: str
    version: str | None = None
    min_microversion: str | None = None
    max_microversion: str | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """One OpenStack instance, as an operator registered it.

    `name` is unique here, `region_name` is its name in its catalog, `credential` an entry of the
    server's clouds.yaml. `sweep_interval` is in seconds, `None` for the configured one.
    """

    name: str
    region_name: str
    credential: str
    interface: Interface = Interface.PUBLIC
    identity: Identity = Identity.HOME
    enabled: bool = True
    maintenance: Maintenance | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    position: int = 0
    dashboard_url: str | None = None
    sweep_interval: int | None = None
    generation: int = 1
    id: int = 0

    def for_tenant(self) -> "Region":
        """Without what only operators see: how the region is reached, and how its row is kept."""
        return replace(self, region_name="", credential="", sweep_interval=None)


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """How one service of one region is.

    `latency` (milliseconds) is that of the last successful call; `clock_skew` (seconds, positive when
    the region's clock is ahead) is known where the service sends its time.
    """

    region: str
    service: str
    state: State
    endpoint: str | None = None
    version: str | None = None
    min_microversion: str | None = None
    max_microversion: str | None = None
    latency: float | None = None
    last_success_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: CallError | None = None
    breaker: Breaker = Breaker.CLOSED
    token_failure: bool = False
    clock_skew: float | None = None

    def for_tenant(self) -> "ServiceHealth":
        """Without addresses: the endpoint and the error's detail stay with the operators."""
        error = self.last_error.for_tenant() if self.last_error else None
        return replace(self, endpoint=None, last_error=error)


def plain(region: Region, *, name: bool = False) -> dict[str, Any]:
    """A region as plain JSON, as the audit has it."""
    maintenance = region.maintenance
    return ({"name": region.name} if name else {}) | {
        "region_name": region.region_name,
        "credential": region.credential,
        "interface": region.interface.value,
        "identity": region.identity.value,
        "enabled": region.enabled,
        "maintenance": {
            "reason": maintenance.reason,
            "ends_at": maintenance.ends_at.isoformat() if maintenance.ends_at else None,
        }
        if maintenance
        else None,
        "labels": dict(region.labels),
        "position": region.position,
        "dashboard_url": region.dashboard_url,
        "sweep_interval": region.sweep_interval,
    }
