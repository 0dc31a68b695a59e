"""Faults: where they strike, how often, what is counted. tests/integration/sim has what a caller sees."""

import pytest

from multisite.sim.faults import Fault, Faults
from tests.unit.sim.conftest import SimulatedCloud

NOVA = "/one/compute/v2.1"


def test_a_fault_strikes_where_it_says_and_nowhere_else(cloud: SimulatedCloud) -> None:
    cloud.simulator.faults.add(Fault("status", region="one", service="compute", route="GET /servers*"))
    cloud.ask(f"{NOVA}/servers", status=503)
    cloud.ask(f"{NOVA}/flavors")
    cloud.ask("/one/network/v2.0/ports")
    cloud.ask("/two/compute/v2.1/servers")


def test_a_share_strikes_about_that_share_and_the_same_ones_again() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults()
        faults.add(Fault("status", share=0.3, seed=seed))
        return [bool(faults.choose("one", "compute", "GET /servers")) for _ in range(1000)]

    assert 240 < sum(struck(1)) < 360
    assert struck(1) == struck(1) != struck(2)


def test_a_number_of_calls_ends_a_fault(cloud: SimulatedCloud) -> None:
    cloud.simulator.faults.add(Fault("status", service="compute", calls=2, status=500))
    for status in (500, 500, 200):
        cloud.ask(f"{NOVA}/servers", status=status)


def test_a_status_has_the_form_of_its_service_and_may_name_a_wait(cloud: SimulatedCloud) -> None:
    token = cloud.token()
    cloud.simulator.faults.add(Fault("status", status=429, retry_after=7))
    reply = cloud.call("GET", f"{NOVA}/servers", token=token)
    assert (reply.status, reply.headers["retry-after"]) == (429, "7")
    assert "overLimit" in reply.json
    assert "NeutronError" in cloud.call("GET", "/one/network/v2.0/ports", token=token).json


def test_stale_answers_stay_as_they_were(cloud: SimulatedCloud) -> None:
    fault = cloud.simulator.faults.add(Fault("stale", service="compute"))
    before = cloud.ask(f"{NOVA}/servers?all_tenants=1")
    cloud.send("DELETE", f"{NOVA}/servers/{before['servers'][0]['id']}", status=204)
    assert cloud.ask(f"{NOVA}/servers?all_tenants=1") == before
    cloud.simulator.faults.remove(fault.id)
    assert len(cloud.ask(f"{NOVA}/servers?all_tenants=1")["servers"]) == 9


def test_wrong_and_contradicting_answers_are_json_of_another_meaning(cloud: SimulatedCloud) -> None:
    fault = cloud.simulator.faults.add(Fault("wrong", service="network"))
    assert set(cloud.ask("/one/network/v2.0/ports")["ports"]) == {"items"}
    cloud.simulator.faults.remove(fault.id)
    cloud.simulator.faults.add(Fault("contradict", service="network"))
    [first, *_] = cloud.ask("/one/network/v2.0/network-ip-availabilities")["network_ip_availabilities"]
    assert first["used_ips"] < 0 or first["total_ips"] < 0


def test_a_skewed_clock_shows_in_tokens_and_dates(cloud: SimulatedCloud) -> None:
    cloud.simulator.faults.add(Fault("skew", region="one", service="compute", seconds=-3600))
    cloud.simulator.faults.add(Fault("skew", region="", service="identity", seconds=7200))
    reply = cloud.call("GET", f"{NOVA}/servers", token=cloud.token())
    assert reply.headers["date"] == "Fri, 15 Jan 2027 07:00:00 GMT"
    assert cloud.log_in().json["token"]["issued_at"].startswith("2027-01-15T10:00:00")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kind": "gremlin"}, "there is no fault 'gremlin'; there are: contradict, "),
        ({"kind": "hang", "regions": "one"}, "a fault has no field 'regions'; it has: calls, "),
        ({"kind": "hang", "share": 2}, "share: input should be less than or equal to 1"),
        ({"kind": "latency", "seconds": -1}, "seconds, spread, calls, every and lasts are not negative"),
        ({}, "kind: say which; there are: contradict, "),
        ({"kind": ["hang"]}, "kind: input should be a valid string"),
        ({"kind": "latency", "region": 5}, "region: input should be a valid string"),
        ({"kind": "latency", "region": "three"}, "no region fits 'three'"),
        ({"kind": "status", "service": None}, "service: input should be a valid string"),
        ({"kind": "status", "service": "nope"}, "there is no service 'nope'; there are: identity, "),
        ({"kind": "status", "status": "teapot"}, "status: input should be a valid integer"),
        ({"kind": "status", "status": 99999}, "status: input should be less than or equal to 599"),
        ({"kind": "status", "retry_after": "1\r\nX: y"}, "retry_after: input should be a valid number"),
        ({"kind": "latency", "seconds": float("nan")}, "seconds: input should be a finite number"),
        ({"kind": "skew", "seconds": 1e300}, "seconds: input should be less than or equal to 1000000000"),
        ({"kind": "hang", "calls": 1.5}, "calls: input should be a valid integer"),
        ({"kind": "reset", "done": False}, "reset changes an answer, so what was asked is done"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_a_sentence(
    cloud: SimulatedCloud, body: dict[str, object], said: str
) -> None:
    reply = cloud.call("POST", "/_sim/faults", body)
    assert reply.status == 400
    assert reply.json["error"].startswith(said)
    assert cloud.call("GET", "/_sim/faults").json == {"faults": []}


@pytest.mark.parametrize(("kind", "status"), [("expire", 401), ("status", 503), ("status", 409)])
@pytest.mark.parametrize("done", [None, True])
def test_what_is_refused_is_not_done_unless_that_is_asked_for(
    cloud: SimulatedCloud, kind: str, status: int, *, done: bool | None
) -> None:
    path = "/one/volume/v3/volumes"
    before = len(cloud.ask(path)["volumes"])
    fault = cloud.simulator.faults.add(Fault(kind, route="POST *", status=status, done=done))
    answer = cloud.call("POST", path, {"volume": {"size": 1}}, token=cloud.token())
    assert answer.status == status
    cloud.simulator.faults.remove(fault.id)
    assert len(cloud.ask(path)["volumes"]) == before + bool(done)


def test_faults_are_set_listed_and_taken_back_over_http(cloud: SimulatedCloud) -> None:
    made = cloud.call("POST", "/_sim/faults", {"kind": "status", "region": "one"}).json
    cloud.ask(f"{NOVA}/servers", status=503)
    [listed] = cloud.call("GET", "/_sim/faults").json["faults"]
    assert (listed["id"], listed["struck"]) == (made["id"], 1)
    assert cloud.call("DELETE", f"/_sim/faults/{made['id']}").status == 204
    cloud.ask(f"{NOVA}/servers")
    assert cloud.call("DELETE", f"/_sim/faults/{made['id']}").status == 404


def test_calls_are_counted_per_region_and_route(cloud: SimulatedCloud) -> None:
    cloud.token()
    cloud.call("DELETE", "/_sim/calls")
    cloud.ask(f"{NOVA}/servers?all_tenants=1")
    cloud.ask(f"{NOVA}/servers/unknown", status=404)
    cloud.ask("/two/network/v2.0/ports")
    counted = cloud.call("GET", "/_sim/calls").json
    assert counted["total"] == 3
    assert counted["regions"]["one"]["routes"] == {
        "compute GET /servers": 1,
        "compute GET /servers/{server_id}": 1,
    }
    assert counted["regions"]["one"]["statuses"] == {"200": 1, "404": 1}
    assert counted["regions"]["two"]["bytes"] > 1000


def test_the_same_seed_makes_the_same_cloud_whatever_is_asked_first() -> None:
    def listing(first: str) -> list[object]:
        cloud = SimulatedCloud(regions=2, servers=10, names=("one", "two"), seed=7)
        cloud.ask(f"/{first}/compute/v2.1/servers?all_tenants=1")
        paths = (
            "compute/v2.1/servers/detail?all_tenants=1",
            "network/v2.0/ports",
            "volume/v3/volumes?all_tenants=1",
        )
        return [cloud.ask(f"/{region}/{path}") for region in ("one", "two") for path in paths]

    assert listing("one") == listing("two")


def test_a_fault_lasts_or_comes_and_goes() -> None:
    now = [0.0]
    faults = Faults(clock=lambda: now[0])
    once = faults.add(Fault("status", lasts=10))
    now[0] = 100
    again = faults.add(Fault("status", every=60, lasts=20))
    assert [once.holds(at) for at in (0, 9, 10)] == [True, True, False]
    assert [again.holds(at) for at in (100, 139, 140, 159, 160, 199, 200)] == [
        False, False, True, True, False, False, True,
    ]  # fmt: skip
