"""Walking a listing page by page, as each service links its pages."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.lab.parity.asking import Request
from tests.lab.parity.worlds import World

#: Service, path, key of the listing, microversion.
LISTINGS = (
    ("compute", "/servers", "servers", ""),
    ("compute", "/servers/detail", "servers", "2.53"),
    ("compute", "/flavors/detail", "flavors", ""),
    ("volume", "/volumes", "volumes", ""),
    ("volume", "/volumes/detail", "volumes", "3.60"),
    ("volume", "/snapshots", "snapshots", ""),
    ("volume", "/backups", "backups", ""),
    *(
        ("network", f"/{path}", path.replace("-", "_"), "")
        for path in ("networks", "subnets", "ports", "routers", "floatingips", "security-groups")
    ),
    ("image", "/images", "images", ""),
)
MOST_PAGES = 200


def walk(world: World, listing: tuple[str, str, str, str], limit: int) -> Iterator[list[str]]:
    """The ids of each page, as long as there is a link to a next one."""
    to, path, key, version = listing
    path = f"{path}?limit={limit}"
    for _ in range(MOST_PAGES):
        body = world.ask(Request(to, "GET", path, version=version)).body
        yield [item["id"] for item in body[key]]
        link = _next(body, key)
        if link is None:
            return
        below = urlsplit(world.urls[to]).path
        path = link.removeprefix(world.urls[to]).removeprefix(below) if "://" in link else link[len("/v2") :]
    raise AssertionError(f"{world.name} {path}: the pages have no end")


def _next(body: dict[str, Any], key: str) -> str | None:
    if "next" in body:
        return str(body["next"])
    links = (link["href"] for link in body.get(f"{key}_links", ()) if link["rel"] == "next")
    return next(links, None)


def everything(world: World, listing: tuple[str, str, str, str]) -> set[str]:
    """The ids in a listing that is not cut."""
    to, path, key, version = listing
    return {item["id"] for item in world.ask(Request(to, "GET", path, version=version)).body[key]}
