"""From what is stored of a region's services to how they are.

`ServiceRow` is what the database knows of one (region, service): the endpoint that discovery found, what
the last calls taught, and when its figures were last read. The functions turn it into the values that
users see; nothing here reads a clock or a database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from multisite.openstack.breaker import Breaker
from multisite.regions.model import READ_SERVICES, Endpoint, Region, ServiceHealth
from multisite.regions.states import CallError, Freshness, Last, State, patience, region_state, service_state


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """What is stored of one service of one region."""

    service: str
    endpoint: Endpoint | None = None
    calls: Last = field(default_factory=Last)
    call_error: CallError | None = None
    latency: float | None = None
    clock_skew: float | None = None
    breaker: Breaker = Breaker.CLOSED
    token_failure: bool = False
    figures: Last = field(default_factory=Last)
    figures_error: CallError | None = None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often regions are read (seconds): the base of what counts as stale."""

    sweep: float
    health: float
    image: float
    deadline: float

    def patience(self, region: Region, service: str) -> timedelta:
        """How old the figures of a service may become."""
        if service == "image":
            return patience(max(self.image, region.sweep_interval or 0), self.deadline)
        if service in READ_SERVICES:
            return patience(region.sweep_interval or self.sweep, self.deadline)
        return patience(self.health, self.deadline)


@dataclass(frozen=True, slots=True)
class RegionView:
    """A region as a user sees it: what an operator decided, and how its services are."""

    region: Region
    state: State
    services: Mapping[str, Freshness]


def freshness(region: Region, row: ServiceRow, *, known: bool, rhythm: Rhythm, now: datetime) -> Freshness:
    """State, age and error of one service. `known`: discovery has seen the region's catalog."""
    read = row.service in READ_SERVICES
    state = service_state(
        enabled=region.enabled,
        present=row.endpoint is not None or not known,
        calls=row.calls,
        figures=row.figures if read else None,
        now=now,
        patience=rhythm.patience(region, row.service),
    )
    observed_at = row.figures.success if read else row.calls.success
    return Freshness(
        state=state,
        observed_at=observed_at,
        age=round((now - observed_at).total_seconds(), 1) if observed_at else None,
        error=_present_error(row) if state is State.UNREACHABLE else None,
    )


def view(region: Region, rows: Iterable[ServiceRow], rhythm: Rhythm, now: datetime) -> RegionView:
    """The region with the freshness of each service: those of its catalog, and those that we read."""
    by_service = complete(rows)
    known = any(row.endpoint for row in by_service.values())
    services = {
        service: freshness(region, row, known=known, rhythm=rhythm, now=now)
        for service, row in sorted(by_service.items())
    }
    state = region_state(
        (item.state for service, item in services.items() if service in READ_SERVICES),
        (item.state for service, item in services.items() if service not in READ_SERVICES),
        enabled=region.enabled,
    )
    return RegionView(region, state, services)


def health(region: Region, rows: Iterable[ServiceRow], rhythm: Rhythm, now: datetime) -> list[ServiceHealth]:
    """How each service of a region is."""
    by_service = complete(rows)
    states = view(region, by_service.values(), rhythm, now).services
    return [
        _service_health(region, row, states[service].state) for service, row in sorted(by_service.items())
    ]


def complete(rows: Iterable[ServiceRow]) -> dict[str, ServiceRow]:
    """By service, with an empty row for each service that we read and nothing is stored of."""
    by_service = {row.service: row for row in rows}
    for service in READ_SERVICES:
        by_service.setdefault(service, ServiceRow(service))
    return by_service


def _present_error(row: ServiceRow) -> CallError | None:
    return row.call_error if row.calls.failing else row.figures_error


def _service_health(region: Region, row: ServiceRow, state: State) -> ServiceHealth:
    endpoint = row.endpoint
    failures = [at for at in (row.calls.failure, row.figures.failure) if at is not None]
    return ServiceHealth(
        region=region.name,
        service=row.service,
        state=state,
        endpoint=endpoint.url if endpoint else None,
        version=endpoint.version if endpoint else None,
        min_microversion=endpoint.min_microversion if endpoint else None,
        max_microversion=endpoint.max_microversion if endpoint else None,
        latency=row.latency,
        last_success_at=row.calls.success,
        last_error_at=max(failures, default=None),
        last_error=row.call_error or row.figures_error,
        breaker=row.breaker,
        token_failure=row.token_failure,
        clock_skew=row.clock_skew,
    )
