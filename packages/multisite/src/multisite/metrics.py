"""/metrics for Prometheus, on a listener of its own.

Figures come from the same listings as the API's answers, at each scrape: no second book-keeping. Labels
are regions, services, states and resource classes, never servers, ports or addresses.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from multisite.assembly import Assembly
from multisite.capacity.model import RegionCapacity
from multisite.capacity.service import CapacityListing
from multisite.errors import ConfigurationError
from multisite.inventory.figures import KindFigures, inventory_figures
from multisite.inventory.refresher import RefreshStatus
from multisite.quotas.balancer import BalancerStatus
from multisite.quotas.delivery.deliverer import DelivererStatus
from multisite.quotas.events import KINDS
from multisite.quotas.figures import QuotaFigures, quota_figures
from multisite.regions.model import ServiceHealth
from multisite.regions.states import State
from multisite.sweeps.scheduler import SchedulerStatus

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "multisite_"

_ADDRESS_FIGURES = ("total", "used", "free")


def create_metrics_app(assembly: Assembly, token_file: Path | None) -> Starlette:
    """The application of the metrics listener; with a `token_file` it asks for that bearer token."""
    token = _token(token_file)

    async def metrics(request: Request) -> Response:
        sent = request.headers.get("authorization", "")
        if token is not None and not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
            return PlainTextResponse("send the bearer token\n", 401, {"WWW-Authenticate": "Bearer"})
        listing = await assembly.capacity.listing()
        health = await assembly.regions.all_health()
        families = [
            *_capacity(listing),
            *_health(health),
            *_sweep(assembly.scheduler.status),
            *_inventory(await inventory_figures(assembly.database), assembly.clock.now()),
            *_refresh(assembly.inventory_refresher.status),
            *_quotas(await quota_figures(assembly.database, assembly.clock.now())),
            *_balances(assembly.balancer.status),
            *_deliveries(assembly.deliverer.status),
            _writable(writable=not assembly.database.room.trouble),
        ]
        return Response(generate_latest(_Families(families)), media_type=CONTENT_TYPE)

    return Starlette(routes=[Route("/metrics", metrics)])


class _Families:
    """What prometheus_client calls a registry, for one scrape."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        """The families of this scrape."""
        return self._families


def _capacity(listing: CapacityListing) -> Iterable[Metric]:
    state = GaugeMetricFamily(
        PREFIX + "region_state", "1 for the region's present state.", labels=["region", "state"]
    )
    warning = GaugeMetricFamily(
        PREFIX + "capacity_warning", "1 while less than the threshold is free.", labels=["region", "resource"]
    )
    for region in listing.regions:
        for candidate in State:
            state.add_metric([region.region, candidate.value], float(region.state is candidate))
        for item in region.warnings:
            warning.add_metric([region.region, item.resource], 1.0)
    complete = GaugeMetricFamily(
        PREFIX + "totals_complete", "1 when no region is missing.", value=float(listing.totals.complete)
    )
    return [state, warning, complete, *_figures(listing), *_counts(listing.regions), _age(listing.regions)]


def _figures(listing: CapacityListing) -> Iterable[Metric]:
    resources = GaugeMetricFamily(
        PREFIX + "capacity",
        "Resources of a region as Placement counts them, in the class's own unit.",
        labels=["region", "resource", "figure"],
    )
    volume = GaugeMetricFamily(
        PREFIX + "volume_gib", "Block storage of a region.", labels=["region", "figure"]
    )
    addresses = GaugeMetricFamily(
        PREFIX + "addresses", "IPv4 addresses of a region.", labels=["region", "networks", "figure"]
    )
    for region in listing.regions:
        for resource, capacity in (region.placement.resources if region.placement else {}).items():
            _add(
                resources,
                [region.region, resource],
                capacity,
                ("total", "reserved", "usable", "used", "free"),
            )
        if region.volume:
            _add(volume, [region.region], region.volume, ("total", "free", "provisioned"))
        if region.network:
            _add(addresses, [region.region, "external"], region.network.external_ipv4, _ADDRESS_FIGURES)
            _add(addresses, [region.region, "tenant"], region.network.tenant_ipv4, _ADDRESS_FIGURES)
    return [resources, volume, addresses]


def _counts(regions: Iterable[RegionCapacity]) -> Iterable[Metric]:
    servers = GaugeMetricFamily(PREFIX + "servers", "Servers that run in a region.", labels=["region"])
    hosts = GaugeMetricFamily(PREFIX + "hosts", "Hypervisors of a region.", labels=["region", "figure"])
    images = GaugeMetricFamily(PREFIX + "images", "Images of a region.", labels=["region"])
    size = GaugeMetricFamily(PREFIX + "image_bytes", "Data of a region's images.", labels=["region"])
    for region in regions:
        if region.compute:
            hosts.add_metric([region.region, "total"], float(region.compute.hosts))
            hosts.add_metric([region.region, "available"], float(region.compute.hosts_available))
            if region.compute.running_servers is not None:
                servers.add_metric([region.region], float(region.compute.running_servers))
        if region.image:
            images.add_metric([region.region], float(region.image.images))
            size.add_metric([region.region], float(region.image.bytes))
    return [servers, hosts, images, size]


def _age(regions: Iterable[RegionCapacity]) -> Metric:
    age = GaugeMetricFamily(
        PREFIX + "figures_age_seconds", "Since a service's figures were read.", labels=["region", "service"]
    )
    for region in regions:
        for service, freshness in region.services.items():
            if freshness.age is not None:
                age.add_metric([region.region, service], freshness.age)
    return age


def _add(family: GaugeMetricFamily, labels: list[str], values: object, figures: Iterable[str]) -> None:
    for figure in figures:
        family.add_metric([*labels, figure], float(getattr(values, figure)))


def _health(services: Iterable[ServiceHealth]) -> Iterable[Metric]:
    up = GaugeMetricFamily(
        PREFIX + "service_fresh", "1 while a service is fresh.", labels=["region", "service"]
    )
    latency = GaugeMetricFamily(
        PREFIX + "service_latency_seconds", "Of the last successful call.", labels=["region", "service"]
    )
    skew = GaugeMetricFamily(
        PREFIX + "service_clock_skew_seconds", "Their clock minus ours.", labels=["region", "service"]
    )
    for item in services:
        if item.state is State.ABSENT:
            continue
        labels = [item.region, item.service]
        up.add_metric(labels, float(item.state is State.FRESH))
        if item.latency is not None:
            latency.add_metric(labels, item.latency / 1000)
        if item.clock_skew is not None:
            skew.add_metric(labels, item.clock_skew)
    return [up, latency, skew]


def _sweep(status: SchedulerStatus) -> Iterable[Metric]:
    regions = GaugeMetricFamily(
        PREFIX + "sweep_regions", "Regions that this process reads.", value=status.regions
    )
    enabled = GaugeMetricFamily(
        PREFIX + "sweep_regions_enabled", "Regions that all processes share.", value=status.enabled
    )
    sweeps = CounterMetricFamily(
        PREFIX + "sweeps", "Sweeps of regions that were stored.", value=status.sweeps
    )
    failures = CounterMetricFamily(
        PREFIX + "sweep_failures", "Sweeps that were lost, and stumbles of the loop.", value=status.failures
    )
    return [regions, enabled, sweeps, failures]


def _writable(*, writable: bool) -> Metric:
    return GaugeMetricFamily(
        PREFIX + "database_writable", "0 while nothing can be written to the database.", value=float(writable)
    )


def _inventory(figures: Iterable[KindFigures], now: datetime) -> Iterable[Metric]:
    items = GaugeMetricFamily(
        PREFIX + "inventory_items", "Items that are stored of a region.", labels=["region", "kind"]
    )
    age = GaugeMetricFamily(
        PREFIX + "inventory_age_seconds", "Since a kind was read well.", labels=["region", "kind"]
    )
    failing = GaugeMetricFamily(
        PREFIX + "inventory_failing", "1 while the last read of a kind failed.", labels=["region", "kind"]
    )
    for each in figures:
        labels = [each.region, each.kind]
        items.add_metric(labels, each.items)
        if each.observed_at is not None:
            age.add_metric(labels, (now - each.observed_at).total_seconds())
        if each.failing:
            failing.add_metric(labels, 1.0)
    return [items, age, failing]


def _refresh(status: RefreshStatus) -> Iterable[Metric]:
    return [
        CounterMetricFamily(PREFIX + "inventory_reads", "Reads of one kind of a region.", value=status.reads),
        CounterMetricFamily(
            PREFIX + "inventory_read_failures",
            "Reads that failed, or could not be stored.",
            value=status.failures,
        ),
        CounterMetricFamily(
            PREFIX + "inventory_changes", "Items that had changed or were gone.", value=status.changed_items
        ),
    ]


def _quotas(figures: QuotaFigures) -> list[Metric]:
    projects = GaugeMetricFamily(
        PREFIX + "quota_projects", "Projects whose quotas are kept, by their worst state.", labels=["state"]
    )
    for state, number in figures.projects.items():
        projects.add_metric([state.value], number)
    return [
        projects,
        GaugeMetricFamily(
            PREFIX + "quota_due_age_seconds",
            "For which the project that is due longest waits for its round.",
            value=figures.oldest_due,
        ),
        GaugeMetricFamily(
            PREFIX + "quota_requests_open", "Requests for more that are open.", value=figures.open_requests
        ),
        GaugeMetricFamily(
            PREFIX + "quota_deliveries_waiting",
            "Events that a webhook did not take yet.",
            value=figures.waiting_deliveries,
        ),
    ]


def _balances(status: BalancerStatus) -> list[Metric]:
    return [
        CounterMetricFamily(PREFIX + "quota_rounds", "Rounds of projects.", value=status.rounds),
        CounterMetricFamily(
            PREFIX + "quota_round_failures", "Rounds that could not end.", value=status.failures
        ),
        CounterMetricFamily(
            PREFIX + "quota_writes", "Limits that were written to regions.", value=status.writes
        ),
    ]


def _deliveries(status: DelivererStatus) -> list[Metric]:
    events = CounterMetricFamily(PREFIX + "quota_events", "Events that were told.", labels=["kind"])
    for kind in KINDS:
        events.add_metric([kind], status.events[kind])
    return [
        events,
        CounterMetricFamily(
            PREFIX + "quota_deliveries", "Events that a webhook took.", value=status.delivered
        ),
        CounterMetricFamily(
            PREFIX + "quota_delivery_failures",
            "Attempts that a webhook did not take.",
            value=status.failures,
        ),
        CounterMetricFamily(
            PREFIX + "quota_deliveries_given_up",
            "Events that a webhook never took.",
            value=status.given_up,
        ),
    ]


def _token(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        token = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"[metrics] token_file {path} cannot be read: {error.strerror}") from error
    if not token:
        raise ConfigurationError(f"[metrics] token_file {path} is empty")
    return token
