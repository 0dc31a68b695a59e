"""Every command: help, formatters, documentation, and what it costs `openstack` to know them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]

REFERENCE = Path(__file__).parents[3] / "docs/reference/commands.md"
COMMANDS = {
    entry.name.removeprefix("multisite_").replace("_", " "): entry
    for entry in entry_points(group="openstack.multisite.v1")
}
ID = "408c55d6-0000-4000-8000-000000000001"
#: A way to call each command, so that all are run with all formats.
CALLS = {
    "region list": ["--long"],
    "region show": ["RegionTwo"],
    "region create": ["RegionTwo", "--credential", "lab-admin"],
    "region discover": ["--credential", "lab-admin"],
    "region test": ["RegionTwo"],
    "operation list": ["--long"],
    "operation show": [ID],
    "operation write list": ["--long", ID],
    "capacity history show": ["--hours", "2"],
    "capacity list": ["--long", "--total"],
    "capacity show": ["RegionTwo"],
    "usage show": [],
    "usage list": [],
    "health list": ["--long"],
    "quota list": ["--long"],
    "quota show": [],
    "quota set": ["alpha", "--limit", "compute/cores=12"],
    "quota unset": ["alpha"],
    "quota balance": [],
    "quota import": ["alpha"],
    "quota class list": [],
    "quota class show": ["gold"],
    "quota class set": ["gold", "--limit", "compute/cores=12"],
    "quota cap list": [],
    "quota backend list": [],
    "quota event list": ["--long"],
    "quota history list": [],
    "quota request create": ["--limit", "compute/cores=40", "--reason", "a launch"],
    "quota request list": [],
    "quota request show": [ID],
    "quota request cancel": [ID],
    "quota request refuse": [ID, "--reason", "none left"],
    "server create": [*("--region", "RegionTwo", "--image", ID, "--flavor", "m1", "--network", ID, "web")],
    "volume create": ["--region", "RegionTwo", "--size", "1", "data"],
    "floating ip create": ["--region", "RegionTwo", ID],
}
KINDS = (
    *("server", "volume", "volume snapshot", "volume backup", "image", "network", "subnet", "port", "router"),
    *("floating ip", "security group"),
)
CALLS |= {f"{kind} list": ["--long"] for kind in KINDS} | {
    f"{kind} show": ["--region", "RegionTwo", ID] for kind in KINDS
}
CALLS |= {"keypair list": [], "where": ["web"]}
SHOW_ONE = {
    "region show",
    "region create",
    "operation show",
    "quota show",
    *(f"quota request {verb}" for verb in ("create", "show", "cancel", "refuse")),
    "server create",
    "volume create",
    "floating ip create",
}
SHOW_ONE |= {f"{kind} show" for kind in KINDS}
SILENT = {
    *("region set", "region delete"),
    *("quota class delete", "quota cap set", "quota cap unset", "quota backend set", "quota backend unset"),
    "quota request approve",
    *("operation cancel", "operation retry", "operation wait"),
    *("server start", "server stop", "server reboot", "server resize", "server delete"),
    *("server resize confirm", "server resize revert"),
    *("volume attach", "volume detach", "volume delete"),
    *("floating ip associate", "floating ip disassociate", "floating ip delete"),
}


PLURALS = {"volume snapshot": "snapshots", "volume backup": "backups"}
ITEM: dict[str, Any] = {
    "region": "RegionTwo", "kind": "server", "id": ID, "name": "web-1", "project_id": "p" * 32,
    "project_name": "alpha", "user_id": "u", "status": "ACTIVE", "addresses": ["10.1.2.3"],
    "created_at": "2026-11-22T05:00:00Z", "updated_at": "2026-11-22T06:00:00Z",
    "observed_at": "2026-11-22T06:01:00Z", "state": "fresh", "dashboard_url": None, "attributes": {},
}  # fmt: skip


def answer_quotas_over_time(cloud: Cloud) -> None:
    """What was of quotas, and what is asked for."""
    history = {
        "points": [cloud.example("QUOTAPOINT")],
        "forecast": {"compute/cores": cloud.example("FORECAST")},
    }
    cloud.answer("GET", f"/v1/quotas/{'a1' * 16}/history", {**history, "links": []})
    request = cloud.example("QUOTAREQUEST")
    cloud.answer("GET", "/v1/quota-requests", {"requests": [request], "links": []})
    for method, path in (
        ("POST", ""),
        ("GET", f"/{ID}"),
        ("POST", f"/{ID}/cancel"),
        ("POST", f"/{ID}/refuse"),
    ):
        cloud.answer(method, f"/v1/quota-requests{path}", request)


@pytest.fixture
def whole_service(cloud: Cloud) -> None:
    """Answers for every command, from the contract's examples."""
    region, capacity, project = (cloud.example(name) for name in ("REGION", "CAPACITY", "PROJECT"))
    totals = {part: capacity[part] for part in ("placement", "compute", "volume", "network", "image")}
    listed = {
        **{key: project[key] for key in ("project_id", "project_name", "domain_name")},
        **project["totals"],
    }
    cloud.answer("GET", "/v1/regions", {"regions": [region], "links": []})
    cloud.answer("GET", "/v1/regions/RegionTwo", region)
    cloud.answer("POST", "/v1/regions", region)
    cloud.answer(
        "POST",
        "/v1/regions/discover",
        {"created": [region], "existing": ["A"], "skipped": [], "dry_run": False},
    )
    checks = [{"check": "token", "ok": True, "detail": None, "code": None}]
    cloud.answer("POST", "/v1/regions/RegionTwo/test", {"ok": True, "summary": "fine", "checks": checks})
    operation = cloud.example("OPERATION", id=ID)
    cloud.answer("GET", "/v1/operations", {"operations": [operation], "links": []})
    found = {"operation": operation, "regions": [cloud.example("PART")]}
    cloud.answer("GET", f"/v1/operations/{ID}", found)
    writes = {"writes": [cloud.example("WRITE")], "links": []}
    cloud.answer("GET", f"/v1/operations/{ID}/writes", writes)
    quota = "/v1/quotas/" + "a1" * 16
    cloud.answer("GET", "/v1/quotas", {"quotas": [cloud.example("QUOTAROW")], "links": []})
    cloud.answer("GET", quota, cloud.example("QUOTA"))
    for method, path in (("PATCH", quota), ("DELETE", quota), ("POST", f"{quota}/balance")):
        cloud.answer(method, path, operation)
    proposals = {"project_id": "a1" * 16, "proposals": [cloud.example("PROPOSAL")]}
    cloud.answer("POST", "/v1/quotas/import", proposals)
    classes = {"classes": {"gold": {"compute/cores": {"limit": 12, "kind": "hard", "burst": None}}}}
    cloud.answer("GET", "/v1/quota-classes", classes)
    cloud.answer("PATCH", "/v1/quota-classes/gold", classes)
    cap = {"scope": "domain", "scope_id": "d", "resource": "compute/cores", "limit": 100}
    cloud.answer("GET", "/v1/quota-caps", {"caps": [cap]})
    pinned = {"region": "RegionTwo", "service": "compute", "backend": "unified"}
    cloud.answer("GET", "/v1/quota-backends", {"backends": [pinned]})
    cloud.answer("GET", "/v1/quota-events", {"events": [cloud.example("EVENT")], "links": []})
    answer_quotas_over_time(cloud)
    cloud.answer("GET", "/v1/health", {"services": [cloud.example("HEALTH")], "links": []})
    complete = totals | {"complete": True, "missing": []}
    cloud.answer("GET", "/v1/capacity", {"regions": [capacity], "totals": complete, "links": []})
    cloud.answer("GET", "/v1/capacity/RegionTwo", {"region": capacity})
    cloud.answer("GET", "/v1/capacity/history", {"points": [cloud.example("POINT")], "links": []})
    cloud.answer("GET", "/v1/usage", {"projects": [listed], "links": []})
    cloud.answer("GET", "/v1/usage/" + "a1" * 16, project)
    flavor = {"id": "m1", "name": "m1"}
    cloud.answer("GET", "/v1/inventory/offers/RegionTwo", {"flavors": [flavor], "complete": True})
    for kind in ("servers", "volumes", "floating-ips"):
        cloud.answer("POST", f"/v1/inventory/{kind}", {"region": "RegionTwo", "id": ID, "item": None})
    for noun in KINDS:
        item = ITEM | {
            "kind": noun.rpartition(" ")[2] if noun.startswith("volume") else noun.replace(" ", "_")
        }
        path = f"/v1/inventory/{PLURALS.get(noun, noun.replace(' ', '-') + 's')}"
        cloud.answer("GET", path, {"items": [item], "complete": True, "missing": [], "links": []})
        cloud.answer("GET", f"{path}/RegionTwo/{ID}", item)
    matches = [{"match": "name", "exact": False, "item": ITEM}]
    answer = {"found": matches, "more": False, "complete": True, "missing": []}
    cloud.answer("GET", "/v1/inventory/search", answer)
    keypair = {
        "region": "RegionTwo", "name": "k", "type": "ssh", "fingerprint": "aa:bb",
        "public_key": "ssh-ed25519 A",
    }  # fmt: skip
    cloud.answer("GET", "/v1/inventory/keypairs", {"keypairs": [keypair], "complete": True, "missing": []})


def test_the_calls_below_are_all_the_commands() -> None:
    assert set(CALLS) | SILENT == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_needs_no_cloud(openstack: Openstack, cloud: Cloud, command: str) -> None:
    outcome = openstack(*command.split(), "--help", cloud_entry="")

    assert outcome.status == 0
    assert outcome.out.startswith(f"usage: openstack multisite {command}")
    assert cloud.calls == []
    assert cloud.keystone_calls == []


@pytest.mark.parametrize(
    ("command", "formatter"),
    [
        (command, formatter)
        for command in sorted(CALLS)
        for formatter in ("table", "json", "yaml", "value", "shell" if command in SHOW_ONE else "csv")
    ],
)
@pytest.mark.usefixtures("whole_service")
def test_every_command_in_every_format(openstack: Openstack, command: str, formatter: str) -> None:
    outcome = openstack(*command.split(), *CALLS[command], "-f", formatter)

    assert outcome.status == 0
    assert outcome.out.strip()
    if formatter != "table":
        assert not re.search(r"\d (s|min|[KMGT]iB)\b|all fresh|unlimited|\{'", outcome.out)


def options_of(command: str) -> set[str]:
    parser: Any = COMMANDS[command].load()(None, None).get_parser("x")
    own = {option for action in parser._actions for option in action.option_strings}
    return {option for option in own if option.startswith("--")} - OF_CLIFF


OF_CLIFF = {
    *("--help", "--format", "--column", "--quote", "--noindent", "--max-width", "--fit-width", "--prefix"),
    *("--print-empty", "--sort-column", "--sort-ascending", "--sort-descending", "--variable"),
}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_option_is_documented(openstack: Openstack, command: str) -> None:  # noqa: ARG001 - loads OSC
    found = re.search(rf"^### {command}\n(.*?)(?=^##|\Z)", REFERENCE.read_text(), re.DOTALL | re.MULTILINE)
    assert found, f"{REFERENCE} has no section '### {command}'"

    section = found[1]
    kind = re.fullmatch(r"(.+) (list|show)", command)
    if kind and kind[1] in KINDS:  # eleven kinds have the same options: they stand with servers
        shared = re.search(
            rf"^### server {kind[2]}\n(.*?)(?=^##|\Z)", REFERENCE.read_text(), re.DOTALL | re.MULTILINE
        )
        assert shared
        assert kind[1] == "server" or f"(#server-{kind[2]})" in section
        section = shared[1] + section
    documented = set(re.findall(r"--[a-z][a-z-]+", section))

    needed = options_of(command) - ({"--prefix"} if command != "region discover" else set())
    assert needed <= documented
    assert f"$ openstack multisite {command}" in found[1]


def test_global_options_are_documented() -> None:
    text = REFERENCE.read_text()

    assert "--os-multisite-api-version" in text
    assert "--os-multisite-endpoint-override" in text


def test_an_unknown_api_version_is_named(openstack: Openstack) -> None:
    outcome = openstack("--os-multisite-api-version", "7", "multisite", "region", "list", multisite=False)

    assert "multisite API version 7 is not in supported versions: 1" in outcome.err


def test_openstack_pays_little_for_knowing_the_commands() -> None:
    """OpenStackClient imports the plugin for every command of every service."""
    code = (
        "import sys, osc_lib.utils; before = set(sys.modules); import osc_multisite.plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["osc_multisite", "osc_multisite.plugin"]
