"""Writes of limits by requests, told to the ledger."""

from collections.abc import Callable, Iterable, Sequence

from multisite.sim.compute.unified import NAMES
from multisite.sim.http import Call, Json
from multisite.sim.ledger import Target, Writer

#: How Nova's classic API calls what its unified limits name; the others have one name.
CLASSIC = {named: name for name, named in NAMES.items()}


def writer_of(call: Call) -> Writer:
    """Who sent a request."""
    return Writer(
        f"{call.method} {call.path}",
        call.headers.get("user-agent", ""),
        call.headers.get("x-openstack-request-id", ""),
        call.token.user_id,
    )


def quota_written(
    call: Call, service: str, project_id: str, names: Iterable[str], change: Callable[[], None]
) -> None:
    """A classic write of a project's limits in the call's region. Raises what `change` does."""
    region = call.region
    targets = [Target(region.name, service, project_id, name) for name in names]
    region.world.ledger.write(writer_of(call), targets, change, places=[(region.name, service)])


def class_written(call: Call, service: str, names: Iterable[str], change: Callable[[], None]) -> None:
    """A classic write of the defaults, which hold for every project that has no limit of its own."""
    region = call.region
    names = list(names)
    targets = [
        Target(region.name, service, project_id, name)
        for project_id in region.keystone.collections["projects"]
        for name in names
    ]
    places = [(region.name, service)]
    region.world.ledger.write(writer_of(call), targets, change, places=places, only_changed=True)


def limits_written(call: Call, items: Sequence[Json], change: Callable[[], None]) -> None:
    """A write of unified limits, registered ones or those of projects, in whatever regions they are for."""
    world, keystone = call.region.world, call.region.keystone
    services = keystone.collections["services"]
    targets, places, everybody = list[Target](), list[tuple[str, str]](), False
    for item in items:
        service, region_id = services[item["service_id"]]["type"], item.get("region_id")
        places.append((region_id or "", service))
        if region_id not in world.index or not world.region(region_id).unified(service):
            continue  # nobody looks there
        named = str(item["resource_name"])
        name = CLASSIC.get(named, named)
        everybody = everybody or "default_limit" in item
        owners: list[str] = list(keystone.collections["projects"])
        if "project_id" in item:
            owners = [item["project_id"]] if item["project_id"] else []
        targets += [Target(str(region_id), service, owner, name) for owner in owners]
    world.ledger.write(writer_of(call), targets, change, places=places, only_changed=everybody)
