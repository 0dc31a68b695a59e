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
    match method, path:
        case "GET", "/" | "/_sim":
            return Answer(200, _overview(simulator))
        case "GET", "/_sim/calls":
            return Answer(200, simulator.calls.as_json())
        case "DELETE", "/_sim/calls":
            simulator.calls.reset()
            return Answer(204)
        case "GET", "/_sim/faults":
            return Answer(200, {"faults": [fault.as_json() for fault in simulator.faults.list()]})
        case "POST", "/_sim/faults":
            return Answer(201, simulator.faults.add(fault_from(_json(body))).as_json())
        case "DELETE", "/_sim/faults":
            simulator.faults.remove()
            return Answer(204)
        case "DELETE", _ if path.startswith("/_sim/faults/"):
            number = path.rsplit("/", 1)[-1]
            if not number.isdigit() or not simulator.faults.remove(int(number)):
                raise Refusal(404, f"there is no fault {number}")
            return Answer(204)
    raise Refusal(404, "the simulator has /_sim, /_sim/calls and /_sim/faults")


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
