"""The simulator's own routes, under `/_sim/`: faults, counters, and what there is."""

import json
from typing import TYPE_CHECKING

from multisite.sim.faults import KINDS, fault_from
from multisite.sim.http import Answer, Json, Refusal

if TYPE_CHECKING:
    from multisite.sim.app import Simulator


def answer(simulator: "Simulator", method: str, path: str, body: bytes) -> Answer:
    """Answer one request about the simulator itself."""
    try:
        return _answer(simulator, method, path.rstrip("/") or "/", body)
    except Refusal as refusal:
        return Answer(refusal.status, {"error": refusal.message})


def _answer(simulator: "Simulator", method: str, path: str, body: bytes) -> Answer:
    if path in {"/", "/_sim"} and method == "GET":
        return Answer(200, _overview(simulator))
    if path == "/_sim/calls":
        return _calls(simulator, method)
    if path == "/_sim/faults" or path.startswith("/_sim/faults/"):
        return _faults(simulator, method, path.removeprefix("/_sim/faults").strip("/"), body)
    raise Refusal(404, "the simulator has /_sim, /_sim/calls and /_sim/faults")


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
        return Answer(201, faults.add(fault_from(_json(body))).as_json())
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
    except ValueError:
        raise Refusal(400, "the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise Refusal(400, "the body is not a JSON object")
    return parsed
