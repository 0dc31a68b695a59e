"""A region as a tile: what the wall, the tenants' list and the region's own page say about it.

The state decides the look; words and a shape of its own go with every colour. A tile for tenants is made
from the same values but never holds a figure, an address or the text of an error: there is no field
for it to come through.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from multisite.capacity.model import RegionCapacity
from multisite.regions.model import Maintenance
from multisite.regions.states import Freshness, State
from multisite.web import figures
from multisite.web.bars import CLASSES, Bar, Parts, five_bars
from multisite.web.services import RegionView

#: Best to worst, as "problems first" turns it round.
SEVERITY = {
    State.UNREACHABLE: 0,
    State.DEGRADED: 1,
    State.STALE: 2,
    State.FRESH: 3,
    State.ABSENT: 4,
    State.DISABLED: 5,
}

#: A tile shows nothing of them, and they have rhythms of their own: its age is not theirs. A Keystone that
#: regions share answers for a dead region, too.
_NOT_SHOWN = frozenset({"identity", "image"})

_WARNED = {"volume": "Volumes", "external_ipv4": "External IPv4", "external_ipv6": "External IPv6"}


@dataclass(frozen=True, slots=True)
class ServiceMark:
    """One service on a tile: its state and, where it is not well, the error's code."""

    name: str
    state: State
    observed_at: datetime | None
    error_code: str | None


@dataclass(frozen=True, slots=True)
class Ailment:
    """Services that are not well in the same way, in one line."""

    names: str
    state: State
    error_code: str | None
    observed_at: datetime | None


def ailments(services: Sequence[ServiceMark]) -> tuple[Ailment, ...]:
    """What ails a region, one entry per state and error; "all services" where it is the same with all."""
    present = [each for each in services if each.state is not State.ABSENT]
    groups: dict[tuple[State, str | None], list[ServiceMark]] = {}
    for each in present:
        if each.state in {State.UNREACHABLE, State.STALE}:
            groups.setdefault((each.state, each.error_code), []).append(each)
    return tuple(
        Ailment(
            "all services" if len(group) == len(present) else ", ".join(each.name for each in group),
            state,
            code,
            min((each.observed_at for each in group if each.observed_at), default=None),
        )
        for (state, code), group in sorted(groups.items(), key=lambda item: SEVERITY[item[0][0]])
    )


@dataclass(frozen=True, slots=True)
class Tile:
    """One region. `observed_at` is the oldest reading among the services that answer, else the newest.

    Images and Keystone do not count: a tile shows nothing of them.
    """

    name: str
    state: State
    labels: Mapping[str, str]
    services: tuple[ServiceMark, ...]
    observed_at: datetime | None
    maintenance: Maintenance | None = None
    dashboard_url: str | None = None
    bars: tuple[Bar, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default=())

    @property
    def ailing(self) -> tuple[Ailment, ...]:
        """What is not well."""
        return ailments(self.services)

    @property
    def id(self) -> str:
        """The element's id."""
        return f"tile-{self.name}"


def service_marks(services: Mapping[str, Freshness]) -> tuple[ServiceMark, ...]:
    """Services by name."""
    return tuple(
        ServiceMark(name, each.state, each.observed_at, each.error.code if each.error else None)
        for name, each in sorted(services.items())
    )


def plain_tile(view: RegionView, now: datetime) -> Tile:
    """A region's tile without capacity: what everybody may see."""
    maintenance = view.region.maintenance
    return Tile(
        name=view.region.name,
        state=view.state,
        labels=view.region.labels,
        services=service_marks(view.services),
        observed_at=_observed_at(view.services),
        maintenance=maintenance if maintenance and maintenance.active(now) else None,
        dashboard_url=view.region.dashboard_url,
    )


def capacity_tile(view: RegionView, capacity: RegionCapacity | None, now: datetime) -> Tile:
    """A region's tile on the operators' wall."""
    tile = plain_tile(view, now)
    if capacity is None:
        return tile
    warnings = () if tile.maintenance else capacity.warnings
    return Tile(
        name=tile.name,
        state=tile.state,
        labels=tile.labels,
        services=tile.services,
        observed_at=tile.observed_at,
        maintenance=tile.maintenance,
        dashboard_url=tile.dashboard_url,
        bars=region_bars(capacity, view.services),
        warnings=tuple(
            f"{_resource(each.resource)}: {figures.percent(each.percent_free)} free" for each in warnings
        ),
        facts=tuple(_facts(capacity)),
    )


def region_bars(capacity: RegionCapacity, services: Mapping[str, Freshness]) -> tuple[Bar, ...]:
    """The five bars of a region, each with the state of the service it comes from."""

    def state(service: str) -> State:
        return services[service].state if service in services else State.ABSENT

    parts = Parts(
        capacity.placement,
        capacity.volume,
        capacity.network,
        placement_state=state("placement"),
        volume_state=state("volume"),
        network_state=state("network"),
    )
    return five_bars(parts, {each.resource for each in capacity.warnings})


def _facts(capacity: RegionCapacity) -> list[tuple[str, str]]:
    facts = []
    if capacity.compute is not None:
        compute = capacity.compute
        facts.append(("hosts", f"{figures.count(compute.hosts_available)}/{figures.count(compute.hosts)}"))
        if compute.running_servers is not None:
            servers = compute.running_servers
            facts.append(("server" if servers == 1 else "servers", figures.count(servers)))
    return facts


def _resource(name: str) -> str:
    return CLASSES[name][0] if name in CLASSES else _WARNED.get(name, name)


def _observed_at(services: Mapping[str, Freshness]) -> datetime | None:
    swept = [each for name, each in services.items() if name not in _NOT_SHOWN and each.observed_at]
    known = [each.observed_at for each in swept or services.values() if each.observed_at]
    fresh = [each.observed_at for each in swept if each.state is State.FRESH and each.observed_at]
    if fresh:
        return min(fresh)
    return max(known) if known else None
