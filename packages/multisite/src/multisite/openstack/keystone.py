"""Keystone: the projects of a region, and log-in with the home Keystone."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError

SERVICE = "identity"


@dataclass(frozen=True, slots=True)
class Project:
    """A project, with the name of its domain."""

    id: str
    name: str
    domain_id: str
    domain_name: str | None = None


async def projects(client: RegionClient) -> list[Project]:
    """All projects that the credential may list, names of domains included."""
    names = await domain_names(client)
    body = await client.get(SERVICE, "/projects")
    return [_project(item, names) for item in body["projects"] if item.get("enabled", True)]


async def get_project(client: RegionClient, project_id: str) -> Project | None:
    """The project with this id, `None` where Keystone does not have it."""
    try:
        body = await client.get(SERVICE, f"/projects/{quote(project_id, safe='')}")
        domain_id = body["project"]["domain_id"]
        domain = await client.get(SERVICE, f"/domains/{domain_id}")
    except RegionCallError as error:
        if error.code == "not-found":
            return None
        raise
    return _project(body["project"], {domain_id: domain["domain"]["name"]})


async def find_project(client: RegionClient, *, name: str, domain_name: str) -> Project | None:
    """The project called `name` in the domain called `domain_name`, `None` where there is none."""
    body = await client.get(SERVICE, "/domains", {"name": domain_name})
    for domain in body["domains"]:
        found = await client.get(SERVICE, "/projects", {"name": name, "domain_id": domain["id"]})
        for item in found["projects"]:
            return _project(item, {domain["id"]: domain["name"]})
    return None


async def domain_names(client: RegionClient) -> dict[str, str]:
    """Names of all domains by id."""
    body = await client.get(SERVICE, "/domains")
    return {domain["id"]: domain["name"] for domain in body["domains"]}


def _project(item: dict[str, Any], domains: dict[str, str]) -> Project:
    return Project(item["id"], item["name"], item["domain_id"], domains.get(item["domain_id"]))
