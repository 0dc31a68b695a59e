"""What both worlds have of ours: two projects with users, and one thing of each kind.

All of it is called `parity-…`, lies in projects of its own and is deleted at the end; what an earlier run
left behind is deleted first. The ids get names: `{server}`, `{volume}`, `{other_volume}` …
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.lab.parity.asking import Answer, Request
from tests.lab.parity.worlds import World

PASSWORD = "parity-lab"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG5vYm9keS1ob2xkcy10aGUtcHJpdmF0ZS1rZXktbGFi parity@lab"
PATIENCE_SECONDS = 90.0
OCTETS = {"Content-Type": "application/octet-stream"}


@contextmanager
def scene(world: World) -> Iterator[None]:
    """The scene is there as long as the block lasts."""
    clear(world)
    try:
        _people(world)
        _flavor(world)
        listed = must(world, "placement", "GET", "/resource_providers", by="admin")["resource_providers"]
        world.things["provider"] = min(listed, key=lambda provider: str(provider["name"]))["uuid"]
        _network(world, "tenant", "")
        _network(world, "other", "other_")
        _images(world)
        _volumes(world)
        _servers(world)
        yield
    finally:
        clear(world)


def must(world: World, to: str, method: str, path: str, **more: Any) -> Any:
    """The body of an answer that has to be a good one."""
    answer = world.ask(Request(to, method, path, **more))
    assert answer.status < 300, (world.name, method, path, answer)
    return answer.body


def wait(world: World, request: Request, good: Callable[[Answer], bool]) -> Answer:
    """The first answer that is good."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not good(answer := world.ask(request)):
        assert time.monotonic() < until, (world.name, request, answer)
        time.sleep(0.2)
    return answer


def _wait_for(world: World, to: str, path: str, key: str, status: str, by: str = "tenant") -> None:
    wait(world, Request(to, "GET", path, by=by), lambda answer: bool(answer.body[key]["status"] == status))


# -- setting it --------------------------------------------------------------------------------------------


def _people(world: World) -> None:
    roles = must(world, "identity", "GET", "/roles", by="admin")["roles"]
    role_ids = {role["name"]: role["id"] for role in roles}
    for who, name, role in (
        ("tenant", "parity-a", "member"),
        ("other", "parity-b", "member"),
        ("reader", "parity-reader", "reader"),
    ):
        project = "parity-a" if who == "reader" else name
        if who != "reader":
            body = {"project": {"name": name, "domain_id": "default"}}
            world.things[f"{who}_project"] = must(
                world, "identity", "POST", "/projects", by="admin", body=body
            )["project"]["id"]
        user = {"user": {"name": name, "domain_id": "default", "password": PASSWORD}}
        user_id = must(world, "identity", "POST", "/users", by="admin", body=user)["user"]["id"]
        target = world.things["tenant_project" if who == "reader" else f"{who}_project"]
        path = f"/projects/{target}/users/{user_id}/roles/{role_ids[role]}"
        must(world, "identity", "PUT", path, by="admin")
        world.login(who, name, PASSWORD, project)


def _flavor(world: World) -> None:
    for name, ram in (("tiny", 64), ("more", 128)):
        body = {"flavor": {"name": f"parity-{name}", "vcpus": 1, "ram": ram, "disk": 1}}
        world.things[f"flavor_{name}"] = must(world, "compute", "POST", "/flavors", by="admin", body=body)[
            "flavor"
        ]["id"]


def _network(world: World, who: str, prefix: str) -> None:
    things = world.things

    def make(path: str, key: str, **body: Any) -> dict[str, Any]:
        return dict(must(world, "network", "POST", path, by=who, body={key: body})[key])

    network = make("/networks", "network", name="parity-net")
    things[f"{prefix}network"] = network["id"]
    subnet = make(
        "/subnets", "subnet", network_id=network["id"], name="parity-v4", ip_version=4, cidr="10.77.0.0/24"
    )
    things[f"{prefix}subnet"] = subnet["id"]
    listed = must(world, "network", "GET", "/networks?router:external=True", by=who)["networks"]
    things["external"] = listed[0]["id"]
    gateway = {"network_id": listed[0]["id"]}
    router = make("/routers", "router", name="parity-router", external_gateway_info=gateway)
    things[f"{prefix}router"] = router["id"]
    body = {"subnet_id": subnet["id"]}
    must(world, "network", "PUT", f"/routers/{router['id']}/add_router_interface", by=who, body=body)
    group = make("/security-groups", "security_group", name="parity-group")
    things[f"{prefix}group"] = group["id"]
    port = make("/ports", "port", network_id=network["id"], name="parity-port")
    things[f"{prefix}port"] = port["id"]
    make("/subnetpools", "subnetpool", name="parity-pool", prefixes=["10.99.0.0/16"], default_prefixlen=26)
    floating = make("/floatingips", "floatingip", floating_network_id=things["external"])
    things[f"{prefix}floating"] = floating["id"]


def _images(world: World) -> None:
    formats = {"disk_format": "raw", "container_format": "bare"}
    for who, thing, size in (
        ("tenant", "image", 1024),
        ("tenant", "queued", 0),
        ("other", "other_image", 512),
    ):
        body = {"name": f"parity-{thing}", **formats}
        image = must(world, "image", "POST", "/images", by=who, body=body)
        world.things[thing] = image["id"]
        if size:
            must(
                world, "image", "PUT", f"/images/{image['id']}/file", by=who, body="x" * size, headers=OCTETS
            )
    body = {"member": world.things["tenant_project"]}
    must(world, "image", "POST", "/images/{other_image}/members", by="other", body=body)


def _volumes(world: World) -> None:
    for who, prefix in (("tenant", ""), ("other", "other_")):
        for thing in ("volume", "free"):
            body = {"volume": {"name": f"parity-{thing}", "size": 1}}
            volume = must(world, "volume", "POST", "/volumes", by=who, body=body)["volume"]
            world.things[prefix + thing] = volume["id"]
            time.sleep(1.0)  # Cinder sorts by seconds
            _wait_for(world, "volume", f"/volumes/{volume['id']}", "volume", "available", who)
    for kind in ("snapshot", "backup"):
        body = {kind: {"name": f"parity-{kind}", "volume_id": "{free}"}}
        made = must(world, "volume", "POST", f"/{kind}s", body=body)[kind]
        world.things[kind] = made["id"]
        _wait_for(world, "volume", f"/{kind}s/{made['id']}", kind, "available")


def _servers(world: World) -> None:
    body: Any = {"keypair": {"name": "parity-key", "public_key": KEY}}
    must(world, "compute", "POST", "/os-keypairs", body=body)
    for who, prefix in (("tenant", ""), ("other", "other_")):
        server = {
            "name": "parity-server", "flavorRef": "{flavor_tiny}", "imageRef": f"{{{prefix}image}}",
            "networks": [{"uuid": f"{{{prefix}network}}"}],
        }  # fmt: skip
        made = must(world, "compute", "POST", "/servers", by=who, body={"server": server})["server"]
        world.things[f"{prefix}server"] = made["id"]
    for who, prefix in (("tenant", ""), ("other", "other_")):
        server_id = world.things[f"{prefix}server"]
        _wait_for(world, "compute", f"/servers/{server_id}", "server", "ACTIVE", who)
    body = {"volumeAttachment": {"volumeId": "{volume}"}}
    must(world, "compute", "POST", "/servers/{server}/os-volume_attachments", body=body)
    _wait_for(world, "volume", "/volumes/{volume}", "volume", "in-use")


# -- clearing it -------------------------------------------------------------------------------------------


def clear(world: World) -> None:
    """Delete everything of ours, whoever left it."""
    projects = must(world, "identity", "GET", "/projects", by="admin")["projects"]
    for project in projects:
        if project["name"].startswith("parity-"):
            _clear_project(world, project["id"])
            must(world, "identity", "DELETE", f"/projects/{project['id']}", by="admin")
    for kind in ("users", "domains"):
        for item in must(world, "identity", "GET", f"/{kind}", by="admin")[kind]:
            if item["name"].startswith("parity-"):
                if kind == "domains":
                    body = {"domain": {"enabled": False}}
                    must(world, "identity", "PATCH", f"/domains/{item['id']}", by="admin", body=body)
                must(world, "identity", "DELETE", f"/{kind}/{item['id']}", by="admin")
    for flavor in must(world, "compute", "GET", "/flavors?is_public=None", by="admin")["flavors"]:
        if flavor["name"].startswith("parity-"):
            must(world, "compute", "DELETE", f"/flavors/{flavor['id']}", by="admin")


def _clear_project(world: World, project_id: str) -> None:
    def listed(to: str, path: str, key: str) -> list[dict[str, Any]]:
        return list(must(world, to, "GET", path, by="admin")[key])

    def delete(to: str, path: str) -> None:
        answer = world.ask(Request(to, "DELETE", path, by="admin"))
        assert answer.status in {200, 202, 204, 404}, (path, answer)

    everywhere = f"all_tenants=1&project_id={project_id}"
    for server in listed("compute", f"/servers?{everywhere}", "servers"):
        delete("compute", f"/servers/{server['id']}")
    wait(
        world, Request("compute", "GET", f"/servers?{everywhere}", by="admin"),
        lambda answer: not answer.body["servers"],
    )  # fmt: skip
    for key in ("snapshots", "backups", "volumes"):
        for item in listed("volume", f"/{key}?{everywhere}", key):
            wait(
                world, Request("volume", "DELETE", f"/{key}/{item['id']}", by="admin"),
                lambda answer: answer.status in {202, 404},
            )  # fmt: skip
        wait(
            world, Request("volume", "GET", f"/{key}?{everywhere}", by="admin"),
            lambda answer, key=key: not answer.body[key],  # type: ignore[misc]
        )  # fmt: skip
    for image in listed("image", f"/images?visibility=all&owner={project_id}", "images"):
        delete("image", f"/images/{image['id']}")
    _clear_network(project_id, listed, delete, world)
    delete("compute", f"/os-quota-sets/{project_id}")
    delete("volume", f"/os-quota-sets/{project_id}")
    delete("network", f"/quotas/{project_id}")


def _clear_network(
    project_id: str,
    listed: Callable[[str, str, str], list[dict[str, Any]]],
    delete: Callable[[str, str], None],
    world: World,
) -> None:
    own = f"project_id={project_id}"
    for item in listed("network", f"/floatingips?{own}", "floatingips"):
        delete("network", f"/floatingips/{item['id']}")
    for port in listed("network", f"/ports?{own}", "ports"):
        if port["device_owner"] == "network:router_interface":
            path = f"/routers/{port['device_id']}/remove_router_interface"
            must(world, "network", "PUT", path, by="admin", body={"port_id": port["id"]})
        elif not port["device_owner"].startswith("network:"):
            delete("network", f"/ports/{port['id']}")
    for kind, key in (("routers", "routers"), ("networks", "networks"), ("subnetpools", "subnetpools")):
        for item in listed("network", f"/{kind}?{own}", key):
            delete("network", f"/{kind}/{item['id']}")
    for item in listed("network", f"/security-groups?{own}", "security_groups"):
        if item["name"] != "default":
            delete("network", f"/security-groups/{item['id']}")
