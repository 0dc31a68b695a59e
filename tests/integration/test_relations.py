"""What belongs to an item, as far as the one who asks may see it; and projects by name."""

from typing import Any

import pytest

from multisite.errors import BadRequest
from multisite.inventory.projects import ProjectStore
from multisite.inventory.relations import Relations
from multisite.regions.model import Identity
from tests.integration.service import ALPHA, BETA, Service, person
from tests.integration.test_inventory import World, port, server

OPERATOR, MEMBER = person("root", "admin"), person("member", "member")


@pytest.fixture
def world(service: Service) -> World:
    return World(service)


async def around(world: World, plural: str, region: str, identity: str, who: Any = OPERATOR) -> list[str]:
    """The ids of what belongs to an item."""
    row = await world.service.assembly.inventory.show(who, plural, region, identity)
    relations: Relations = world.service.assembly.relations
    return [each.id for each in await relations.around(who, row)]


def volume(identity: str, *servers: str, project: str = ALPHA) -> dict[str, Any]:
    return {
        "id": identity,
        "name": identity,
        "os-vol-tenant-attr:tenant_id": project,
        "attachments": [{"server_id": each} for each in servers],
        "metadata": {"note": "s1 was here"},
    }


async def test_a_server_has_its_ports_floating_ips_and_volumes(world: World) -> None:
    region = await world.service.add("North", "compute", "network", "volume")
    other = await world.service.add("South", "compute", "network", "volume")
    for each in (region, other):
        await world.put(each, "server", server("s1", "web"), server("s2", "db"))
        await world.put(each, "port", port("p1", "10.1.2.3", "s1"), port("p2", "10.1.2.4", "s2"))
        floating = {"id": "f1", "floating_ip_address": "172.24.1.9", "port_id": "p1", "project_id": ALPHA}
        await world.put(each, "floating_ip", floating)
        await world.put(each, "volume", volume("v1", "s2", "s1"), volume("v2", "s2"), volume("v3"))
    assert await around(world, "servers", "North", "s1") == ["p1", "f1", "v1"]
    assert await around(world, "servers", "South", "s2", MEMBER) == ["p2", "v1", "v2"]
    assert await around(world, "ports", "North", "p1") == ["f1"]
    assert await around(world, "volumes", "North", "v3") == []


async def test_nobody_sees_what_belongs_to_others(world: World) -> None:
    region = await world.service.add("North", "compute", "network", "volume")
    await world.put(region, "server", server("s1", "web"))
    await world.put(region, "port", port("mine", "10.1.2.3", "s1"), port("theirs", "10.1.2.4", "s1", BETA))
    assert await around(world, "servers", "North", "s1", MEMBER) == ["mine"]
    assert await around(world, "servers", "North", "s1") == ["mine", "theirs"]


async def test_a_project_is_found_by_its_name_or_id(world: World) -> None:
    relations: Relations = world.service.assembly.relations
    region = await world.service.add("North", "compute")
    own = await world.service.add("Own", "compute", identity=Identity.OWN)
    store = ProjectStore(world.service.assembly.database)
    for each, key in ((region, "http://home/v3"), (own, "http://own/v3")):
        await store.place(each.id, key)
    at_home = {"p1": ("alpha", "Default"), "p2": ("twice", "A"), "p3": ("twice", "B")}
    await store.replace("http://home/v3", {}, at_home)
    await store.replace("http://own/v3", {}, {"p9": ("alpha", "Other"), "p8": ("only-there", "Default")})
    assert await relations.id_of(OPERATOR, "alpha") == "p1", "the home Keystone's before others"
    assert await relations.id_of(OPERATOR, "p3") == "p3"
    assert await relations.id_of(OPERATOR, "only-there") == "p8"
    with pytest.raises(BadRequest, match="2 are called 'twice', in the domains A, B; write the id"):
        await relations.id_of(OPERATOR, "twice")
    with pytest.raises(BadRequest, match="none with the name or id 'nobody'"):
        await relations.id_of(OPERATOR, "nobody")
