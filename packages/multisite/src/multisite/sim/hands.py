"""Hands that reach into regions: tenants who create and delete, administrators who change limits.

`/_sim/use` makes or ends what a project uses at once, by the services' own rules: a quota holds, unless
`force` is set. `/_sim/limits` sets a limit as somebody would who asks nobody: without a look at what is
used.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from multisite.sim.compute.state import Flavor
from multisite.sim.compute.unified import NAMES as COMPUTE_NAMES
from multisite.sim.http import Json, Refusal
from multisite.sim.identity.limits import MOST, UNLIMITED
from multisite.sim.image.limits import COUNT, MIB, SIZE, check
from multisite.sim.ledger import Target, Writer
from multisite.sim.world import Region, World

#: What is made by hand is called so: only that is ended by hand.
NAME = "by-hand"


# -- use -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Hand:
    """How one thing is made (`amount` is its size, where it has one), found again and ended."""

    make: Callable[[Region, str, int], object]
    things: Callable[[Region], Iterable[Any]]
    end: Callable[[Region, Any], None]
    sized: bool = False


def _server(region: Region, project_id: str, vcpus: int, ram: int) -> None:
    name = region.world.project_name(region.name, project_id)
    flavor = Flavor(f"{NAME}-{vcpus}-{ram}", f"{NAME}-{vcpus}-{ram}", vcpus, ram, 0)
    region.compute.create_server(
        name=NAME, project_id=project_id, user_id=region.keystone.fixed_id("user", name), flavor=flavor,
        image_id="",
    )  # fmt: skip


def _volume(region: Region, project_id: str, size: int) -> None:
    region.volume.create(name=NAME, size=size, project_id=project_id, user_id="")


def _first(things: Iterable[Any], project_id: str, word: str) -> str:
    """The id of the first thing of a project. Raises `Refusal` (400)."""
    for item in things:
        if item.project_id == project_id:
            return str(item.id)
    raise Refusal(400, f"the project has no {word} here, which this needs")


def _snapshot(region: Region, project_id: str, _: int) -> None:
    volume_id = _first(region.volume.volumes.values(), project_id, "volume")
    region.volume.create_snapshot(volume_id=volume_id, name=NAME, project_id=project_id, user_id="")


def _backup(region: Region, project_id: str, _: int) -> None:
    volume_id = _first(region.volume.volumes.values(), project_id, "volume")
    region.volume.create_backup(volume_id=volume_id, name=NAME, project_id=project_id, user_id="", force=True)


def _port(region: Region, project_id: str, _: int) -> None:
    network_id = _first(region.network.networks.values(), project_id, "network")
    region.network.create_port(project_id=project_id, network_id=network_id, name=NAME)


def _floating_ip(region: Region, project_id: str, _: int) -> None:
    region.network.create_floating_ip(project_id=project_id).name = NAME


def _image(region: Region, project_id: str, mebibytes: int) -> None:
    check(region.image, project_id, COUNT, 1)
    check(region.image, project_id, SIZE, mebibytes)
    region.image.create(name=NAME, owner=project_id, size=mebibytes * MIB)


def _servers(make: Callable[[Region, str, int], object], *, sized: bool) -> _Hand:
    return _Hand(
        make,
        lambda region: region.compute.servers.values(),
        lambda region, item: region.compute.delete_server(item),
        sized,
    )


def _volumes(make: Callable[[Region, str, int], object], *, sized: bool) -> _Hand:
    return _Hand(
        make,
        lambda region: region.volume.volumes.values(),
        lambda region, item: region.volume.delete(item, cascade=True),
        sized,
    )


def _images(make: Callable[[Region, str, int], object], *, sized: bool) -> _Hand:
    return _Hand(
        make,
        lambda region: region.image.images.values(),
        lambda region, item: region.image.delete(item),
        sized,
    )


#: How a resource is used more, and less.
_HANDS: Mapping[str, _Hand] = {
    "compute/instances": _servers(lambda region, project, _: _server(region, project, 0, 0), sized=False),
    "compute/cores": _servers(lambda region, project, size: _server(region, project, size, 0), sized=True),
    "compute/ram": _servers(lambda region, project, size: _server(region, project, 0, size), sized=True),
    "volume/volumes": _volumes(lambda region, project, _: _volume(region, project, 1), sized=False),
    "volume/gigabytes": _volumes(_volume, sized=True),
    "volume/snapshots": _Hand(
        _snapshot,
        lambda region: region.volume.snapshots.values(),
        lambda region, item: region.volume.delete_snapshot(item),
    ),
    "volume/backups": _Hand(
        _backup,
        lambda region: region.volume.backups.values(),
        lambda region, item: region.volume.delete_backup(item),
    ),
    "network/network": _Hand(
        lambda region, project, _: region.network.create_network(name=NAME, project_id=project),
        lambda region: region.network.networks.values(),
        lambda region, item: region.network.delete_network(item),
    ),
    "network/port": _Hand(
        _port,
        lambda region: region.network.ports.values(),
        lambda region, item: region.network.delete_port(item),
    ),
    "network/router": _Hand(
        lambda region, project, _: region.network.create_router(name=NAME, project_id=project),
        lambda region: region.network.routers.values(),
        lambda region, item: region.network.delete_router(item),
    ),
    "network/floatingip": _Hand(
        _floating_ip,
        lambda region: region.network.floating_ips.values(),
        lambda region, item: region.network.delete_floating_ip(item),
    ),
    "network/security_group": _Hand(
        lambda region, project, _: region.network.create_group(name=NAME, project_id=project),
        lambda region: region.network.security_groups.values(),
        lambda region, item: region.network.delete_group(item),
    ),
    "image/image_count_total": _images(lambda region, project, _: _image(region, project, 0), sized=False),
    "image/image_size_total": _images(_image, sized=True),
}


def use(world: World, wanted: Json) -> Json:
    """Make (`by` above 0) or end (below) what a project uses of a resource; what came of it.

    `region` is a name, `project` an id or a name. Of what is counted in sizes one thing of that size is
    made, or ended; of the rest so many. With `force` limits are put aside. Raises `Refusal` (400, 404) for
    what is not understood; what the service refuses is told in `refused`.
    """
    region, project_id, resource = _place(world, wanted)
    by, hand = wanted.get("by", 1), _HANDS.get(resource)
    if hand is None:
        raise Refusal(400, f"resource is one of {', '.join(_HANDS)}, not {resource!r}")
    if not isinstance(by, int) or isinstance(by, bool) or not by:
        raise Refusal(400, f"by is a number that is not 0, not {by!r}")
    done, refused = 0, None
    region.limits_hold = wanted.get("force") is not True
    try:
        for _ in range(1 if hand.sized else abs(by)):
            if by > 0:
                hand.make(region, project_id, by)
            elif not _end(region, project_id, hand):
                break
            done += 1
    except Refusal as refusal:
        refused = {"status": refusal.status, "message": refusal.message}
    finally:
        region.limits_hold = True
        region.touch()
    service, _, name = resource.partition("/")
    limit, used = region.standing(service, project_id, name) or (None, None)
    return {"done": done, "refused": refused, "limit": limit, "used": used}


def _end(region: Region, project_id: str, hand: _Hand) -> bool:
    """End the newest thing that was made by hand; whether there was one."""
    for item in reversed(list(hand.things(region))):
        owner = getattr(item, "project_id", None) or getattr(item, "owner", None)
        if (owner, item.name) == (project_id, NAME):
            hand.end(region, item)
            return True
    return False


# -- limits ----------------------------------------------------------------------------------------------


def set_limit(world: World, wanted: Json) -> Json:
    """Set a project's limit of a resource in a region, or (`limit` null) let it have the default again.

    Raises `Refusal` (400, 404) for what is not understood.
    """
    region, project_id, resource = _place(world, wanted)
    service, _, name = resource.partition("/")
    if "limit" not in wanted:
        raise Refusal(400, "limit: write a number, -1 for none, or null for the default")
    value = wanted["limit"]
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int) or not UNLIMITED <= value <= MOST
    ):
        raise Refusal(400, f"limit is a number from -1 to {MOST}, or null, not {value!r}")
    if region.standing(service, project_id, name) is None:
        raise Refusal(400, f"{region.name} has no limit of {resource!r}")
    target = Target(region.name, service, project_id, name)
    writer = Writer(user_agent=str(wanted.get("user_agent") or ""))
    place = region.unified(service)

    def change() -> None:
        if place is not None:
            _set_unified(region, service, project_id, name, value)
            return
        quotas = getattr(region, service).quotas.setdefault(project_id, {})
        if value is None:
            quotas.pop(name, None)
        else:
            quotas[name] = value

    world.ledger.write(writer, [target], change, places=[(region.name, service)])
    held, used = region.standing(service, project_id, name) or (None, None)
    return {"limit": held, "used": used}


def _set_unified(region: Region, service: str, project_id: str, name: str, value: int | None) -> None:
    place = region.unified(service)
    assert place is not None  # noqa: S101 - its caller knows
    named = COMPUTE_NAMES.get(name, name) if service == "compute" else name
    own = place.limits.of(place.key(named), project_id)
    if own is not None:
        place.limits.remove(own)
    if value is not None:
        place.limits.add(
            {
                "id": region.keystone.new_id(), "service_id": place.service_id, "region_id": region.name,
                "resource_name": named, "project_id": project_id, "domain_id": None,
                "resource_limit": value, "description": None,
            }
        )  # fmt: skip


def _place(world: World, wanted: Json) -> tuple[Region, str, str]:
    for name in ("region", "project", "resource"):
        if not isinstance(wanted.get(name), str):
            raise Refusal(400, f"{name}: write which, in quotes")
    region = world.region(str(wanted["region"]))
    named = str(wanted["project"])
    projects = region.keystone.collections["projects"]
    found = projects.get(named) or region.keystone.find("projects", {"name": named})
    if found is None:
        raise Refusal(404, f"there is no project {named!r} in {region.name}")
    return region, str(found["id"]), str(wanted["resource"])
