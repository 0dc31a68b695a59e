"""/metrics: how many series there are, that they say what the listing says, and what the dashboard asks."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import generate_latest

from multisite import metrics
from multisite.capacity.model import (
    AddressCount,
    Capacity,
    CapacityWarning,
    ComputeSummary,
    ImageSummary,
    NetworkSummary,
    PlacementSummary,
    RegionCapacity,
    VolumeSummary,
)
from multisite.capacity.service import CapacityListing
from multisite.capacity.totals import totals
from multisite.regions.model import READ_SERVICES, ServiceHealth
from multisite.regions.states import Freshness, State
from multisite.sweeps.scheduler import SchedulerStatus

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "contrib" / "grafana" / "multisite.json"
CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")
SERIES = re.compile(r"^(multisite_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
#: Functions, keywords and labels of PromQL that the dashboard uses.
WORDS = re.compile(r"multisite_[a-z_]+")


def region(name: str, state: State = State.FRESH) -> RegionCapacity:
    freshness = Freshness(state, None, 12.5 if state is State.FRESH else None, None)
    figures = Capacity(10, 1, 36, 4, 32)
    return RegionCapacity(
        name,
        state,
        dict.fromkeys(READ_SERVICES, freshness),
        placement=PlacementSummary(dict.fromkeys(CLASSES, figures)),
        compute=ComputeSummary(hosts=2, hosts_available=1, running_servers=3),
        volume=VolumeSummary(total=100, free=90),
        network=NetworkSummary(external_ipv4=AddressCount(253, 2, 251)),
        image=ImageSummary(3, 2**40),
        warnings=tuple(CapacityWarning(each, 1.0, 10.0) for each in (*CLASSES, "volume", "external_ipv4")),
    )


def output(*regions: RegionCapacity) -> str:
    health = [
        ServiceHealth(each.region, service, State.FRESH, latency=40.0, clock_skew=0.1)
        for each in regions
        for service in (*READ_SERVICES, "identity")
    ]
    families = [
        *metrics._capacity(CapacityListing(regions, totals(regions))),
        *metrics._health(health),
        *metrics._sweep(SchedulerStatus()),
    ]
    return generate_latest(metrics._Families(families)).decode()


def series(text: str) -> dict[str, float]:
    return {f"{name}{{{labels}}}": float(value) for name, labels, value in SERIES.findall(text)}


def test_the_number_of_series_is_what_the_reference_says() -> None:
    one, ten = (
        len(series(output(*(region(f"region-{number}") for number in range(count))))) for count in (1, 10)
    )
    reference = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    said = re.search(r"at most (\d+) series", reference)

    assert said
    assert (ten - one) / 9 == int(said[1])


def test_they_say_what_the_listing_says() -> None:
    found = series(output(region("oslo")))

    assert found['multisite_capacity{figure="usable",region="oslo",resource="VCPU"}'] == 36
    assert found['multisite_servers{region="oslo"}'] == 3
    assert found['multisite_hosts{figure="available",region="oslo"}'] == 1
    assert found['multisite_image_bytes{region="oslo"}'] == 2**40
    assert found['multisite_figures_age_seconds{region="oslo",service="volume"}'] == 12.5
    assert found['multisite_region_state{region="oslo",state="fresh"}'] == 1


def test_what_was_never_read_has_no_series_and_no_zero() -> None:
    freshness = Freshness(State.STALE, None, None, None)
    bare = RegionCapacity("oslo", State.STALE, dict.fromkeys(READ_SERVICES, freshness))
    names = {name for name, _, _ in SERIES.findall(output(bare))}

    assert not names & {"multisite_capacity", "multisite_servers", "multisite_hosts", "multisite_images"}
    assert "multisite_figures_age_seconds" not in names


def test_no_label_grows_with_what_is_in_a_region() -> None:
    labels = {
        label
        for _, text, _ in SERIES.findall(output(region("oslo")))
        for label in re.findall(r'(\w+)="', text)
    }
    assert labels == {"region", "resource", "figure", "networks", "service", "state"}


# -- the dashboard ------------------------------------------------------------------------


def queries(part: Any) -> Iterator[str]:
    """Every PromQL expression in the dashboard, those of its variables too."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"expr", "query", "definition"} and isinstance(value, str):
                yield value
            yield from queries(value)
    elif isinstance(part, list):
        for each in part:
            yield from queries(each)


def dashboard() -> Any:
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))


def test_the_dashboard_asks_only_for_metrics_labels_and_values_that_exist() -> None:
    found = SERIES.findall(output(region("oslo"), region("porto", State.UNREACHABLE)))
    names = {name for name, _, _ in found}
    pairs: dict[str, set[str]] = {}
    for name, labels, _ in found:
        pairs.setdefault(name, set()).update(re.findall(r'\w+="[^"]*"', labels))
    asked = [query for query in queries(dashboard()) if "multisite_" in query]

    assert len(asked) > 10
    for query in asked:
        assert set(WORDS.findall(query)) <= names, query
        for name, selector in re.findall(r"(multisite_[a-z_]+)\{([^}]*)\}", query):
            for label, operator, value in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', selector):
                known = {
                    pair.partition('="')[2].rstrip('"')
                    for pair in pairs[name]
                    if pair.startswith(f"{label}=")
                }
                assert known, f"{name} has no label {label}: {query}"
                assert operator != "=" or value.startswith("$") or value in known, f"{label}={value}: {query}"


def test_each_panel_of_the_dashboard_has_a_title_a_query_and_a_place_of_its_own() -> None:
    panels = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]

    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])
    for panel in panels:
        assert panel["title"]
        assert panel["targets"]
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
