"""The wall: every region at a glance, for operators; and the plain list of regions, for tenants.

Both are live views of the same make: counts (and totals) above, a tile per region below. The wall asks the
capacity service, which refuses tenants; the list never asks it.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from multisite.capacity.model import CapacityTotals
from multisite.clock import Clock
from multisite.regions.states import Missing, State
from multisite.web import figures
from multisite.web.bars import FIVE_CLASSES, Parts, five_bars
from multisite.web.filters import COMPACT_FROM, DENSITIES, ORDERS, Filter, label_choices, one_of, state_counts
from multisite.web.rendering import Renderer
from multisite.web.services import CapacityService, HistoryService, RegionService, RegionView
from multisite.web.snapshots import Fragment, Snapshot, fragment
from multisite.web.sparks import spark
from multisite.web.tiles import Tile, capacity_tile, plain_tile
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor

FRAME = ('<ol class="tiles" id="tiles" hx-swap-oob="true">', "</ol>")
#: From which service the figures of a total are.
SERVICE_OF_BAR = {
    **dict.fromkeys(FIVE_CLASSES, "placement"),
    "volume": "volume",
    "external_ipv4": "network",
    "servers": "compute",
}


@dataclass(frozen=True, slots=True)
class RegionBoard:
    """Tiles of regions as a live view; with `capacity` the wall, without it the tenants' list."""

    name: str
    regions: RegionService
    capacity: CapacityService | None
    renderer: Renderer
    clock: Clock
    history: HistoryService | None = None

    def key(self, request: Request, visitor: Visitor) -> Hashable:
        """Operators share a wall; the list is shared within a project."""
        project = None if self.capacity else visitor.requester.project_id
        return self.name, Urls.of(request), Filter.of(request.query_params), project

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The whole page."""
        every = await self.regions.list(visitor.requester)
        chosen = Filter.of(request.query_params)
        snapshot = await self._snapshot(request, visitor, every, chosen)
        density = one_of(request.query_params, "density", tuple(DENSITIES))
        context = {
            "visitor": visitor,
            "here": self.name,
            "snapshot": snapshot,
            "filter": chosen,
            "labels": label_choices(every),
            "orders": ORDERS,
            "densities": DENSITIES if self.capacity else {},
            "density": density,
            "compact": density == "compact" or (not density and len(snapshot.items) >= COMPACT_FROM),
            "events": self._events(request, chosen, snapshot),
        }
        return self.renderer.page(request, "board.html", context)

    async def snapshot(self, request: Request, visitor: Visitor) -> Snapshot:
        """The view now."""
        every = await self.regions.list(visitor.requester)
        return await self._snapshot(request, visitor, every, Filter.of(request.query_params))

    async def _snapshot(
        self, request: Request, visitor: Visitor, every: Sequence[RegionView], chosen: Filter
    ) -> Snapshot:
        shown = chosen.choose(every)
        now = self.clock.now()
        if self.capacity is None:
            tiles = [plain_tile(view, now) for view in shown]
            totals = None
        else:
            names = [view.region.name for view in shown] if chosen.narrows else []
            listing = await self.capacity.list(visitor.requester, names=names)
            by_name = {each.region: each for each in listing.regions}
            tiles = [capacity_tile(view, by_name.get(view.region.name), now) for view in shown]
            totals = listing.totals
        urls = Urls.of(request)
        trends = await self._trends(urls, visitor, every, tiles)
        return Snapshot(
            parts=self._parts(urls, every, shown, chosen, totals),
            items={tile.id: self._tile(urls, tile, trends) for tile in tiles},
            trends=trends,
            ages={
                f"age-{tile.name}": self._age(urls, tile)
                for tile in tiles
                if tile.state is not State.DISABLED
            },
            frame=FRAME,
        )

    def _parts(
        self,
        urls: Urls,
        every: Sequence[RegionView],
        shown: Sequence[RegionView],
        chosen: Filter,
        totals: CapacityTotals | None,
    ) -> Mapping[str, Fragment]:
        context: dict[str, Any] = {
            "counts": state_counts(every),
            "every": len(every),
            "shown": len(shown),
            "filter": chosen,
            "page": self.name,
        }
        parts = {
            "counts": fragment("counts", self.renderer.fragment("_counts.html", urls, **context)),
            "trouble": trouble(""),
        }
        if totals is not None:
            html = self.renderer.fragment("_totals.html", urls, shown=len(shown), **total_figures(totals))
            parts["totals"] = fragment("totals", html)
        return parts

    def _tile(self, urls: Urls, tile: Tile, trends: Mapping[str, Fragment]) -> Fragment:
        trend = trends.get(f"trend-{tile.name}")
        html = self.renderer.fragment(
            "_tile.html",
            urls,
            tile=tile,
            wall=self.capacity is not None,
            trend=Markup(trend.html if trend else ""),  # noqa: S704 - rendered by our template, escaped there
        )
        return fragment(tile.id, html)

    async def _trends(
        self, urls: Urls, visitor: Visitor, every: Sequence[RegionView], tiles: Sequence[Tile]
    ) -> dict[str, Fragment]:
        """The sparkline of each tile that has bars."""
        if self.history is None:
            return {}
        trends = await self.history.trends(visitor.requester, every)
        found = {}
        for tile in tiles:
            if tile.bars and tile.state is not State.DISABLED:
                line = spark(trends.get(tile.name), "VCPU")
                html = self.renderer.fragment("_trend.html", urls, tile=tile, spark=line)
                found[f"trend-{tile.name}"] = Fragment(f"trend-{tile.name}", html, repr(line))
        return found

    def _age(self, urls: Urls, tile: Tile) -> Fragment:
        mark = tile.observed_at.isoformat() if tile.observed_at else ""
        return Fragment(f"age-{tile.name}", self.renderer.fragment("_age.html", urls, tile=tile), mark)

    def _events(self, request: Request, chosen: Filter, snapshot: Snapshot) -> str:
        query = {"view": self.name, **chosen.query(), "have": snapshot.digest}
        return Urls.of(request).page("events", query)


def total_figures(totals: CapacityTotals) -> dict[str, Any]:
    """What the strip of totals shows."""
    compute, lacking = totals.compute, lacking_by_service(totals.missing)
    return {
        "bars": five_bars(Parts(totals.placement, totals.volume, totals.network)),
        "servers": figures.count(compute.running_servers),
        "hosts": f"{figures.count(compute.hosts_available)} of {figures.count(compute.hosts)}",
        "complete": totals.complete,
        "missing": missing_by_region(totals.missing),
        "lacking": {bar: lacking.get(service, 0) for bar, service in SERVICE_OF_BAR.items()},
    }


def lacking_by_service(missing: Sequence[Missing]) -> dict[str, int]:
    """How many regions the total of each service lacks."""
    return dict(Counter(each.service for each in missing))


def missing_by_region(missing: Sequence[Missing]) -> dict[str, list[Missing]]:
    """What a total lacks, region by region."""
    regions: dict[str, list[Missing]] = {}
    for each in missing:
        regions.setdefault(each.region, []).append(each)
    return regions


def trouble(sentence: str) -> Fragment:
    """The line that says that a live view could not be computed; empty while it can."""
    text = f"These figures are not current: {sentence}" if sentence else ""
    return fragment("trouble", f'<p id="trouble" role="alert" hx-swap-oob="true">{escape(text)}</p>')
