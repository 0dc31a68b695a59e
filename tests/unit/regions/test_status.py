"""From stored rows to what users see of a region's services."""

from datetime import UTC, datetime, timedelta

from multisite.regions.model import READ_SERVICES, Endpoint, Maintenance, Region, ServiceHealth
from multisite.regions.states import CallError, Freshness, Last, State
from multisite.regions.status import Rhythm, ServiceRow, health, view

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AGO = NOW - timedelta(seconds=10)
RHYTHM = Rhythm(sweep=60, health=15, image=600, deadline=30)
REGION = Region("RegionTwo", "RegionTwo", "lab-admin")


def row(service: str, calls: Last = Last(AGO), figures: Last = Last(AGO)) -> ServiceRow:  # noqa: B008 - frozen
    endpoint = Endpoint(service, service, f"http://{service}.internal", "2.1")
    return ServiceRow(service, endpoint, calls, figures=figures)


def every(*rows: ServiceRow) -> list[ServiceRow]:
    """A row for each service that is read, those given instead of their own."""
    return list(
        ({service: row(service) for service in READ_SERVICES} | {r.service: r for r in rows}).values()
    )


def test_all_fresh() -> None:
    seen = view(REGION, every(), RHYTHM, NOW)

    assert seen.state is State.FRESH
    assert seen.services["compute"] == Freshness(State.FRESH, AGO, 10.0, None)


def test_before_discovery_services_are_stale_not_absent() -> None:
    seen = view(REGION, [], RHYTHM, NOW)

    assert set(seen.services) == set(READ_SERVICES)
    assert {item.state for item in seen.services.values()} == {State.STALE}
    assert seen.services["image"].age is None


def test_what_the_catalog_lacks_is_absent_once_the_catalog_is_known() -> None:
    seen = view(REGION, [row("compute")], RHYTHM, NOW)

    assert seen.services["volume"].state is State.ABSENT
    assert seen.state is State.FRESH


def test_the_last_figures_keep_their_age_while_the_service_is_away() -> None:
    away = ServiceRow(
        "compute",
        Endpoint("compute", "compute", "http://c"),
        Last(AGO, NOW),
        CallError("timeout", "GET http://c: no answer"),
        figures=Last(AGO, NOW),
        figures_error=CallError("breaker-open"),
    )
    seen = view(REGION, every(away), RHYTHM, NOW)

    assert seen.services["compute"].state is State.UNREACHABLE
    assert seen.services["compute"].age == 10.0
    assert seen.services["compute"].error == CallError("timeout", "GET http://c: no answer")
    assert seen.state is State.DEGRADED


def test_an_error_of_the_past_is_not_shown_once_the_service_answers() -> None:
    back = ServiceRow("compute", None, Last(NOW, AGO), CallError("timeout"), figures=Last(NOW, AGO))
    assert view(REGION, [back], RHYTHM, NOW).services["compute"].error is None


def test_a_disabled_region_is_disabled_in_every_service() -> None:
    seen = view(Region("r", "r", "c", enabled=False), every(), RHYTHM, NOW)

    assert seen.state is State.DISABLED
    assert {item.state for item in seen.services.values()} == {State.DISABLED}


def test_patience_follows_the_regions_own_interval_images_theirs_and_others_the_probes() -> None:
    slow = Region("r", "r", "c", sweep_interval=3600)

    assert RHYTHM.patience(REGION, "compute") == timedelta(seconds=150)
    assert RHYTHM.patience(slow, "compute") == timedelta(seconds=7230)
    assert RHYTHM.patience(REGION, "image") == timedelta(seconds=1230)
    assert RHYTHM.patience(slow, "image") == timedelta(seconds=7230)
    assert RHYTHM.patience(slow, "identity") == timedelta(seconds=60)


def test_health_names_every_service_and_the_latest_failure() -> None:
    failing = ServiceRow(
        "volume", None, Last(AGO, AGO), CallError("forbidden", "no role"), figures=Last(None, NOW)
    )
    found = {item.service: item for item in health(REGION, [failing, row("object-store")], RHYTHM, NOW)}

    assert set(found) == {*READ_SERVICES, "object-store"}
    assert found["volume"].last_error == CallError("forbidden", "no role")
    assert found["volume"].last_error_at == NOW
    assert found["object-store"].endpoint == "http://object-store.internal"
    assert found["object-store"].version == "2.1"


def test_tenants_see_codes_of_errors_but_neither_details_nor_addresses() -> None:
    error = CallError("timeout", "GET http://10.0.0.1:8774: no answer")
    for_operator = ServiceHealth("r", "compute", State.UNREACHABLE, "http://10.0.0.1:8774", last_error=error)

    assert for_operator.for_tenant() == ServiceHealth(
        "r", "compute", State.UNREACHABLE, None, last_error=CallError("timeout")
    )
    assert Freshness(State.UNREACHABLE, error=error).for_tenant().error == CallError("timeout")
    hidden = REGION.for_tenant()
    assert "lab-admin" not in repr(hidden)
    assert hidden.name == "RegionTwo"
    assert not hidden.region_name


def test_maintenance_is_over_at_its_end_and_without_end_goes_on() -> None:
    assert Maintenance("disks", NOW + timedelta(seconds=1)).active(NOW)
    assert not Maintenance("disks", NOW).active(NOW)
    assert Maintenance("disks").active(NOW)
