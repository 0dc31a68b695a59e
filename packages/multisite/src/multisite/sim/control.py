"""The simulator's own routes, under `/_sim/`: faults, counters, limits, and what there is."""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from multisite.sim import hands
from multisite.sim.faults import KINDS, fault_from
from multisite.sim.http import Answer, Json, Refusal

if TYPE_CHECKING:
    from multisite.sim.app import Simulator


def answer(simulator: "Simulator", method: str, path: str, query: str, body: bytes) -> Answer:
    """Answer one request about the simulator itself."""
    try:
        asked = {key: values[-1] for key, values in parse_qs(query).items()}
        return _answer(simulator, method, path.rstrip("/") or "/", asked, body)
    except Refusal as refusal:
        return Answer(refusal.status, {"error": refusal.message})


def _answer(simulator: "Simulator", method: str, path: str, asked: Mapping[str, str], body: bytes) -> Answer:
    if path in {"/", "/_sim"} and method == "GET":
        return Answer(200, _overview(simulator))
    if path == "/_sim/calls":
        return _calls(simulator, method)
    if path == "/_sim/faults" or path.startswith("/_sim/faults/"):
        return _faults(simulator, method, path.removeprefix("/_sim/faults").strip("/"), body)
    if path == "/_sim/quotas":
        return _quotas(simulator, method, asked)
    if path == "/_sim/use":
        _only(method, "POST")
        return Answer(200, hands.use(simulator.world, _json(body)))
    if path == "/_sim/limits":
        _only(method, "PUT")
        return Answer(200, hands.set_limit(simulator.world, _json(body)))
    known = "/_sim, /_sim/calls, /_sim/faults, /_sim/quotas, /_sim/use and /_sim/limits"
    raise Refusal(404, f"the simulator has {known}")


def _quotas(simulator: "Simulator", method: str, asked: Mapping[str, str]) -> Answer:
    """The ledger: records, oldest first, and how often each region and service was written to."""
    ledger = simulator.world.ledger
    if method == "DELETE":
        ledger.clear()
        return Answer(204)
    _only(method, "GET")
    if unknown := sorted(set(asked) - {"project", "resource", "since"}):
        raise Refusal(400, f"{unknown[0]} is none of project, resource and since")
    if not asked.get("since", "0").isdigit():
        raise Refusal(400, "since is the number of a record")
    since = int(asked.get("since", "0"))
    chosen = ledger.chosen(project=asked.get("project", ""), resource=asked.get("resource", ""), since=since)
    writes: dict[str, dict[str, int]] = {}
    for (region, service), number in sorted(ledger.writes.items()):
        writes.setdefault(region, {})[service] = number
    records = [record.as_json() for record in chosen]
    return Answer(200, {"records": records, "last": ledger.last, "writes": writes})


def _calls(simulator: "Simulator", method: str) -> Answer:
    if method == "DELETE":
        simulator.calls.reset()
        return Answer(204)
    _only(method, "GET")
    return Answer(200, simulator.calls.as_json())


def _faults(simulator: "Simulator", method: str, number: str, body: bytes) -> Answer:
    faults = simulator.faults
    if number:
        _only(method, "DELETE")
        if not number.isdigit() or not faults.remove(int(number)):
            raise Refusal(404, f"there is no fault {number}")
        return Answer(204)
    if method == "POST":
        fault = fault_from(_json(body))
        if not any(fnmatchcase(name, fault.region) for name in ("", *simulator.world.names)):
            raise Refusal(400, f"no region fits {fault.region!r}; GET /_sim names all")
        return Answer(201, faults.add(fault).as_json())
    if method == "DELETE":
        faults.remove()
        return Answer(204)
    _only(method, "GET")
    return Answer(200, {"faults": [fault.as_json() for fault in faults.all()]})


def _only(method: str, allowed: str) -> None:
    if method != allowed:
        raise Refusal(405, f"{method} is not allowed here")


def _overview(simulator: "Simulator") -> Json:
    plan = simulator.plan
    return {
        "regions": list(simulator.world.names),
        "auth_url": simulator.world.auth_url(simulator.world.names[0]),
        "seed": plan.seed,
        "projects": ["admin", *plan.tenant_names()],
        "passwords": "the user's name and -sim",
        "fault_kinds": sorted(KINDS),
    }


def _json(body: bytes) -> Json:
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise Refusal(400, "the body is not a JSON object")
    return parsed
