"""Keystone: the projects of a region, and log-in with the home Keystone."""

from dataclasses import dataclass
from typing import Any

from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError
from multisite.openstack.paths import is_segment, route

SERVICE = "identity"


@dataclass(frozen=True, slots=True)
class Project:
    """A project, with the name of its domain."""

    id: str
    name: str
    domain_id: str
    domain_name: str | None = None


async def projects(client: RegionClient, *, disabled: bool = False) -> list[Project]:
    """The enabled projects that the credential may list, or all; names of domains included."""
    names = await domain_names(client)
    body = await client.get(SERVICE, "/projects")
    return [_project(item, names) for item in body["projects"] if disabled or item.get("enabled", True)]


async def get_project(client: RegionClient, project_id: str) -> Project | None:
    """The project with this id, `None` where Keystone does not have it."""
    if not is_segment(project_id):
        return None
    try:
        body = await client.get(SERVICE, route("projects", project_id))
        domain_id = body["project"]["domain_id"]
        domain = await client.get(SERVICE, route("domains", domain_id))
    except RegionCallError as error:
        if error.code == "not-found":
            return None
        raise
    return _project(body["project"], {domain_id: domain["domain"]["name"]})


async def has_domain(client: RegionClient, domain_id: str) -> bool:
    """Whether there is a domain with this id."""
    if not is_segment(domain_id):
        return False
    try:
        await client.get(SERVICE, route("domains", domain_id))
    except RegionCallError as error:
        if error.code == "not-found":
            return False
        raise
    return True


async def parents(client: RegionClient, project_id: str, deepest: int) -> list[str]:
    """The ids of the projects above a project, the nearest first; at most `deepest`."""
    found: list[str] = []
    here = project_id
    while len(found) < deepest:
        item = (await client.get(SERVICE, route("projects", here)))["project"]
        above = item.get("parent_id")
        if not above or above in {item.get("domain_id"), here} or above in found:
            break
        found.append(str(above))
        here = str(above)
    return found


async def find_project(client: RegionClient, *, name: str, domain_name: str) -> Project | None:
    """The project called `name` in the domain called `domain_name`, `None` where there is none."""
    body = await client.get(SERVICE, "/domains", {"name": domain_name})
    for domain in body["domains"]:
        found = await client.get(SERVICE, "/projects", {"name": name, "domain_id": domain["id"]})
        for item in found["projects"]:
            return _project(item, {domain["id"]: domain["name"]})
    return None


async def find_user(client: RegionClient, *, name: str, domain_name: str) -> str | None:
    """The id of the user called `name` in the domain called `domain_name`, `None` where there is none."""
    body = await client.get(SERVICE, "/domains", {"name": domain_name})
    for domain in body["domains"]:
        found = await client.get(SERVICE, "/users", {"name": name, "domain_id": domain["id"]})
        for item in found["users"]:
            return str(item["id"])
    return None


async def user_names(client: RegionClient, user_id: str) -> tuple[str, str] | None:
    """The name of a user and of its domain, `None` where Keystone does not have it."""
    if not is_segment(user_id):
        return None
    try:
        body = await client.get(SERVICE, route("users", user_id))
        domain = await client.get(SERVICE, route("domains", body["user"]["domain_id"]))
    except RegionCallError as error:
        if error.code == "not-found":
            return None
        raise
    return str(body["user"]["name"]), str(domain["domain"]["name"])


async def domain_names(client: RegionClient) -> dict[str, str]:
    """Names of all domains by id."""
    body = await client.get(SERVICE, "/domains")
    return {domain["id"]: domain["name"] for domain in body["domains"]}


def _project(item: dict[str, Any], domains: dict[str, str]) -> Project:
    return Project(item["id"], item["name"], item["domain_id"], domains.get(item["domain_id"]))
