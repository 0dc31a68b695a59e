"""A small scene for a region beside the one of `scene.py`: a project with a user, two flavors and an image.

It has names of its own, one for each region: all of them lie in the same Keystone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.lab.parity.asking import Request
from tests.lab.parity.errors import OCTETS
from tests.lab.parity.scene import must, wait
from tests.lab.parity.worlds import World

PASSWORD = "small-lab"


@contextmanager
def small_scene(world: World) -> Iterator[None]:
    """The scene is there as long as the block lasts; its ids are called as those of `scene.py`."""
    name = f"small-{world.region}"
    _clear(world, name)
    roles = must(world, "identity", "GET", "/roles?name=member", by="admin")["roles"]
    body: Any = {"project": {"name": name, "domain_id": "default"}}
    project = must(world, "identity", "POST", "/projects", by="admin", body=body)["project"]["id"]
    body = {"user": {"name": name, "domain_id": "default", "password": PASSWORD}}
    user = must(world, "identity", "POST", "/users", by="admin", body=body)["user"]["id"]
    must(world, "identity", "PUT", f"/projects/{project}/users/{user}/roles/{roles[0]['id']}", by="admin")
    world.login("tenant", name, PASSWORD, name)
    for size, ram in (("tiny", 64), ("more", 128)):
        body = {"flavor": {"name": f"{name}-{size}", "vcpus": 1, "ram": ram, "disk": 1}}
        made = must(world, "compute", "POST", "/flavors", by="admin", body=body)["flavor"]
        world.things[f"flavor_{size}"] = made["id"]
    formats = {"name": name, "disk_format": "raw", "container_format": "bare"}
    image = must(world, "image", "POST", "/images", by="tenant", body=formats)["id"]
    must(world, "image", "PUT", f"/images/{image}/file", by="tenant", body="x" * 99, headers=OCTETS)
    world.things["image"] = image
    try:
        yield
    finally:
        _clear(world, name)


def _clear(world: World, name: str) -> None:
    def listed(to: str, path: str, key: str) -> list[dict[str, Any]]:
        return list(must(world, to, "GET", path, by="admin")[key])

    for project in listed("identity", f"/projects?name={name}", "projects"):
        everywhere = f"all_tenants=1&project_id={project['id']}"
        for server in listed("compute", f"/servers?{everywhere}", "servers"):
            world.ask(Request("compute", "DELETE", f"/servers/{server['id']}", "admin"))
        gone = Request("compute", "GET", f"/servers?{everywhere}", by="admin")
        wait(world, gone, lambda answer: not answer.body["servers"])
        for image in listed("image", f"/images?visibility=all&owner={project['id']}", "images"):
            world.ask(Request("image", "DELETE", f"/images/{image['id']}", "admin"))
        must(world, "identity", "DELETE", f"/projects/{project['id']}", by="admin")
    for user in listed("identity", f"/users?name={name}", "users"):
        must(world, "identity", "DELETE", f"/users/{user['id']}", by="admin")
    for flavor in listed("compute", "/flavors?is_public=None", "flavors"):
        if flavor["name"].startswith(f"{name}-"):
            must(world, "compute", "DELETE", f"/flavors/{flavor['id']}", by="admin")
