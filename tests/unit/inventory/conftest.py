"""A region that answers listings from plain dicts, in pages, and remembers what it was asked."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError

PAGE = 2


class FakeRegion(RegionClient):
    """Answers like Nova, Neutron, Cinder and Glance do, as far as listings go."""

    def __init__(self) -> None:
        self.items: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        self.fails_on_page: int | None = None

    async def pages(
        self,
        service: str,
        path: str,
        key: str,
        parameters: Mapping[str, str | int] | None = None,
        *,
        microversion: str | None = None,  # noqa: ARG002 - as the real one
    ) -> AsyncIterator[list[dict[str, Any]]]:
        parts = urlsplit(path)
        query = [*parse_qsl(parts.query), *((name, str(value)) for name, value in (parameters or {}).items())]
        self.asked.append(_asked(service, parts.path, query))
        found = _chosen(self.items.get(key, []), query)
        for number in range(0, max(len(found), 1), PAGE):
            if self.fails_on_page == number // PAGE + 1:
                raise RegionCallError("server-error", "the page fails")
            yield found[number : number + PAGE]

    async def get(
        self,
        service: str,
        path: str,
        parameters: Mapping[str, str | int] | None = None,  # noqa: ARG002
        *,
        microversion: str | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        self.asked.append(f"{service}{path}")
        return {"members": [{"member_id": "p" * 32, "status": "accepted"}]}


def _asked(service: str, path: str, query: list[tuple[str, str]]) -> str:
    told = [f"{name}={value}" for name, value in query if name not in {"limit", "all_tenants", "visibility"}]
    return f"{service}{path}" + (f"?{'&'.join(told)}" if told else "")


def _chosen(items: list[dict[str, Any]], query: list[tuple[str, str]]) -> list[dict[str, Any]]:
    ids = {value for name, value in query if name == "id"}
    since = dict(query).get("changes-since") or dict(query).get("updated_at", "").removeprefix("gte:")
    hidden = dict(query).get("os_hidden", "false")
    fields = {value for name, value in query if name == "fields"}
    found = []
    for item in items:
        if ids and item["id"] not in ids:
            continue
        if hidden != str(bool(item.get("os_hidden"))).lower():
            continue
        moment = (item.get("updated") or item.get("updated_at") or "")[:19]
        if since and moment < since[:19]:
            continue
        if not since and item.get("status") == "DELETED":
            continue
        found.append({name: value for name, value in item.items() if not fields or name in fields})
    return found


@dataclass
class Named:
    """The recorded listing behind each kind's key."""

    read: Callable[[str], Any]
    files: dict[str, str] = field(
        default_factory=lambda: {
            "servers": "nova_servers_detail",
            "volumes": "cinder_volumes_detail",
            "snapshots": "cinder_snapshots_detail",
            "images": "glance_images",
            "networks": "neutron_networks",
            "subnets": "neutron_subnets",
            "ports": "neutron_ports",
            "routers": "neutron_routers",
            "floatingips": "neutron_floatingips",
            "security_groups": "neutron_security_groups",
        }
    )

    def rows(self, key: str) -> list[dict[str, Any]]:
        return list(self.read(f"inventory_{self.files[key]}")[key])


@pytest.fixture
def named(recorded: Callable[[str], Any]) -> Named:
    return Named(recorded)


@pytest.fixture
def region(named: Named) -> FakeRegion:
    made = FakeRegion()
    made.items = {key: named.rows(key) for key in named.files}
    return made
