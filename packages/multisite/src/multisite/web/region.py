"""A region's page, for operators: its services, its capacity down to hosts, and what still fits.

State, services, capacity and what fits are a live view. The lists of parts stay as they were loaded: they can
be long, and whoever reads in one does not want it to move. Long lists are cut at
`MOST_ROWS`; the page says so, and where the rest is.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from multisite.capacity.details import CapacityDetail
from multisite.capacity.model import Capacity, Provider
from multisite.clock import Clock
from multisite.regions.states import State
from multisite.web.bars import FIVE_CLASSES, Bar, class_bar
from multisite.web.history import Chosen, HistoryChart
from multisite.web.rendering import Renderer
from multisite.web.services import CapacityService, RegionService
from multisite.web.snapshots import Fragment, Snapshot, dated_fragment
from multisite.web.tiles import capacity_tile
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor
from multisite.web.wall import trouble

MOST_ROWS = 500
LIVE_PARTS = ("head", "health", "capacity", "flavors")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One resource provider with a bar per resource class."""

    provider: Provider
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class RegionPage:
    """Everything about one region."""

    regions: RegionService
    capacity: CapacityService
    charts: HistoryChart
    renderer: Renderer
    clock: Clock

    def key(self, request: Request, visitor: Visitor) -> Hashable:  # noqa: ARG002 - all operators share it
        """Shared by all operators."""
        return "region", Urls.of(request), _name(request)

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The whole page."""
        detail, figures = await self._read(request, visitor)
        snapshot = self._snapshot(Urls.of(request), figures)
        query = {"view": "region", "region": _name(request), "have": snapshot.digest}
        chosen = Chosen.of(request.query_params)
        context = {
            **figures,
            "chart": await self.charts.chart(visitor.requester, _name(request), chosen, detail),
            "visitor": visitor,
            "here": "wall",
            "detail": detail,
            "providers": provider_rows(detail.providers[:MOST_ROWS]),
            "snapshot": snapshot,
            "events": Urls.of(request).page("events", query),
        }
        return self.renderer.page(request, "region.html", context)

    async def snapshot(self, request: Request, visitor: Visitor) -> Snapshot:
        """The view now."""
        _, figures = await self._read(request, visitor)
        return self._snapshot(Urls.of(request), figures)

    async def _read(self, request: Request, visitor: Visitor) -> tuple[CapacityDetail, dict[str, Any]]:
        name = _name(request)
        detail = await self.capacity.show(visitor.requester, name)
        view = await self.regions.show(visitor.requester, name)
        health = await self.regions.health(visitor.requester, names=[name])
        return detail, {
            "region": view.region,
            "tile": capacity_tile(view, detail.region, self.clock.now()),
            "health": sorted(health, key=lambda each: each.service),
            "zones": zone_bars(detail),
            "flavors": sorted(detail.flavors, key=lambda each: (each.vcpus, each.ram, each.name)),
            "most": MOST_ROWS,
        }

    def _snapshot(self, urls: Urls, figures: Mapping[str, Any]) -> Snapshot:
        def part(name: str) -> Fragment:
            return dated_fragment(name, self.renderer.fragment(f"_region_{name}.html", urls, **figures))

        return Snapshot({**{name: part(name) for name in LIVE_PARTS}, "trouble": trouble("")}, {})


def _name(request: Request) -> str:
    """The region's name: in the page's own path, or in the query of its stream."""
    return str(request.path_params.get("name") or request.query_params.get("region", ""))


def zone_bars(detail: CapacityDetail) -> dict[str, tuple[Bar, ...]]:
    """Bars per zone and resource class; under "" the classes that the five bars of the region leave out."""
    placement = detail.region.placement
    if placement is None:
        return {}
    other = {name: each for name, each in placement.resources.items() if name not in FIVE_CLASSES}
    groups = {"": other, **placement.zones, "shared": placement.shared}
    freshness = detail.region.services.get("placement")
    state = freshness.state if freshness else State.ABSENT
    return {
        zone: tuple(class_bar(name, capacity, state) for name, capacity in _ordered(classes))
        for zone, classes in groups.items()
        if classes
    }


def provider_rows(providers: Sequence[Provider]) -> list[ProviderRow]:
    """Providers by name, each with its classes."""
    return [
        ProviderRow(provider, tuple(_bar(provider, name) for name, _ in _ordered(provider.inventories)))
        for provider in sorted(providers, key=lambda each: each.name)
    ]


def _bar(provider: Provider, name: str) -> Bar:
    usable, used = provider.inventories[name].usable, provider.usages.get(name, 0)
    free = max(0.0, usable - used) if provider.available else 0.0
    return class_bar(name, Capacity(usable=usable, used=used, free=free))


def _ordered(classes: Mapping[str, Value]) -> list[tuple[str, Value]]:
    """The usual classes first, the rest by name."""
    usual = ("VCPU", "PCPU", "MEMORY_MB", "DISK_GB")
    rank = {name: place for place, name in enumerate(usual)}
    return sorted(classes.items(), key=lambda item: (rank.get(item[0], len(usual)), item[0]))
