"""Health, metrics, and what discovery finds."""

import pytest
import requests

from tests.lab.service.conftest import Api, Cloud, eventually

pytestmark = pytest.mark.lab


def test_every_service_has_its_endpoint_version_and_microversions(fresh: Cloud, admin: Api) -> None:
    listed = eventually(  # a version that could not be read is asked for again after half a minute
        lambda: admin.get("/v1/health")["services"],
        lambda rows: all(row["version"] for row in rows),
        seconds=90,
    )
    found = {(item["region"], item["service"]): item for item in listed}
    for region in fresh.regions:
        catalog = fresh.connection(f"{region}-admin")
        compute = catalog.compute.get_endpoint_data()
        assert found[region, "compute"]["max_microversion"] == ".".join(map(str, compute.max_microversion))
        assert found[region, "compute"]["endpoint"].rstrip("/") == compute.catalog_url.rstrip("/")
        assert found[region, "volume"]["version"] == "3.0"
        assert found[region, "image"]["version"].startswith("2.")
        assert found[region, "network"]["version"] == "2.0"
        assert found[region, "identity"]["version"].startswith("3.")
        for service in ("identity", "compute", "placement", "volume", "network", "image"):
            item = found[region, service]
            assert item["state"] == "fresh"
            assert item["latency"] > 0
            assert item["breaker"] == "closed"
            assert item["token_failure"] is False
        assert abs(found[region, "identity"]["clock_skew"]) < 5


def test_the_test_of_a_region_says_that_nothing_is_lacking(fresh: Cloud, admin: Api) -> None:
    for region in fresh.regions:
        answer = admin.request("POST", f"/v1/regions/{region}/test").json()
        assert answer["ok"] is True, answer
        assert len(answer["checks"]) == 6


def test_metrics_tell_states_and_capacity(fresh: Cloud, admin: Api) -> None:
    text = requests.get(f"http://127.0.0.1:{fresh.service.metrics_port}/metrics", timeout=10).text
    used = admin.get("/v1/capacity", region="RegionTwo")["regions"][0]["placement"]["resources"]["VCPU"][
        "used"
    ]
    lines = text.splitlines()
    assert f'multisite_capacity{{figure="used",region="RegionTwo",resource="VCPU"}} {float(used)}' in lines
    assert 'multisite_region_state{region="RegionTwo",state="fresh"} 1.0' in lines
    assert f"multisite_sweep_regions {float(len(fresh.regions))}" in lines
