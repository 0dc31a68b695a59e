"""What a new region has: made by the same functions that answer requests, so it is consistent."""

import random

from multisite.sim.compute.keypairs import make_keypair
from multisite.sim.compute.state import GENEROUS, Compute, Flavor, Host
from multisite.sim.http import Refusal
from multisite.sim.image.state import Images
from multisite.sim.network.model import Net, SubnetPool
from multisite.sim.network.state import Network
from multisite.sim.volume.state import Volumes
from multisite.sim.world import Region

FLAVORS = {
    "m1.tiny": (1, 512, 1),
    "m1.small": (1, 2048, 20),
    "m1.medium": (2, 4096, 40),
    "m1.large": (4, 8192, 80),
    "m1.xlarge": (8, 16384, 160),
}
#: How often a seeded server is of each flavor.
_WEIGHTS = (5, 8, 6, 3, 1)
_SIZES = ((32, 131072, 2000), (48, 196608, 3000), (64, 262144, 4000))
IMAGES = {"debian-12": 480, "ubuntu-24.04": 620, "vnf-router": 1450, "vnf-firewall": 2100}
ROLES = ("web", "db", "cache", "worker", "gateway", "monitor", "queue", "edge")
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG5vYm9keS1ob2xkcy10aGUtcHJpdmF0ZS1rZXktc2lt {user}@sim"


def fill(region: Region) -> None:
    """Make the services of a region and put into them what the plan says."""
    parts = {
        "compute": Compute(region),
        "network": Network(region),
        "volume": Volumes(region),
        "image": Images(region),
    }
    region.__dict__.update(parts)  # from here on the cached properties know them
    if region.world.plan.empty:
        return
    _hosts(region)
    admin = region.keystone.find("projects", {"name": "admin"}) or {}
    _flavors(region.compute)
    _images(region, admin["id"])
    projects = _projects(region)
    networks = _networks(region, admin["id"], projects)
    _servers(region, projects, networks)
    _subnet_pool(region, admin["id"])


def _subnet_pool(region: Region, admin_id: str) -> None:
    """One shared pool, from which the tenants' IPv4 subnets were cut."""
    state, now = region.network, region.made_at("network")
    pool = SubnetPool(
        id=region.new_id(), name="tenants", project_id=admin_id, created=now, updated=now,
        prefixes=("10.0.0.0/8",), default_length=24, shared=True,
    )  # fmt: skip
    state.subnet_pools[pool.id] = pool
    for subnet in state.subnets.values():
        if subnet.addresses.cidr.startswith("10."):
            subnet.pool_id = pool.id


def _hosts(region: Region) -> None:
    zones = ["nova"] if region.world.plan.hosts < 4 else ["nova", "az2"]  # noqa: PLR2004
    for number in range(1, region.world.plan.hosts + 1):
        zone = zones[number % len(zones)]
        add_host(region, f"{region.name}-compute{number}", zone, region.draws.choice(_SIZES))


def add_host(region: Region, name: str, zone: str, size: tuple[int, int, int]) -> Host:
    """A compute host of this size (vCPUs, MiB of memory, GiB of disk) in a zone."""
    vcpus, ram, disk = size
    host = Host(
        id=region.new_id(), service_id=region.new_id(), name=name,
        inventory={"VCPU": (vcpus, 0, 4.0), "MEMORY_MB": (ram, 512, 1.0), "DISK_GB": (disk, 0, 1.0)},
    )  # fmt: skip
    region.compute.hosts[host.id] = host
    if zone != host.zone:
        region.compute.aggregate_of(zone).add(host)
    return host


def _flavors(compute: Compute) -> None:
    for name, sizes in FLAVORS.items():
        flavor_id = compute.region.new_id()
        compute.flavors[flavor_id] = Flavor(flavor_id, name, *sizes)


def _images(region: Region, admin_id: str) -> None:
    for name, size_mib in IMAGES.items():
        region.image.create(
            name=name, owner=admin_id, size=size_mib * 1024 * 1024, visibility="public", disk_format="qcow2"
        )


def _projects(region: Region) -> list[str]:
    """The ids of the tenants that have something in this region: as many as it has networks for."""
    names = region.world.plan.tenant_names()
    most = max(1, region.world.plan.networks - 1)
    chosen = sorted(region.draws.sample(names, min(most, len(names))))
    found = [region.keystone.find("projects", {"name": name}) or {} for name in chosen]
    for project in found:
        if not region.unified("compute"):  # there as much is registered for everybody
            region.compute.quotas[project["id"]] = dict(GENEROUS)
        region.volume.quotas[project["id"]] = {"volumes": 200, "gigabytes": 20_000, "snapshots": 200}
    return [project["id"] for project in found]


def _networks(region: Region, admin_id: str, projects: list[str]) -> dict[str, list[Net]]:
    """The external network, and each project's own ones with a subnet and a router."""
    network, plan = region.network, region.world.plan
    external = network.create_network(name="public", project_id=admin_id, external=True)
    block = region.index % 4096
    network.create_subnet(
        network_id=external.id, name="public-v4", project_id=admin_id,
        cidr=f"203.{block >> 8}.{block & 255}.0/24", dhcp=False,
    )  # fmt: skip
    owned: dict[str, list[Net]] = {project: [] for project in projects}
    for number in range(plan.networks - 1):
        if not projects:
            break
        project = projects[number % len(projects)]
        name = region.keystone.get("projects", project)["name"]
        made = network.create_network(name=f"{name}-net-{number + 1}", project_id=project)
        subnet = network.create_subnet(
            network_id=made.id, name=f"{made.name}-v4", project_id=project, cidr=f"10.{number}.0.0/22"
        )
        if number % 2:
            network.create_subnet(
                network_id=made.id, name=f"{made.name}-v6", project_id=project,
                cidr=f"fd00:{region.index:x}:{number:x}::/64",
            )  # fmt: skip
        router = network.create_router(name=f"{made.name}-router", project_id=project)
        network.set_gateway(router.id, external.id)
        network.add_interface(router.id, subnet.id)
        owned[project].append(made)
    return owned


def _servers(region: Region, projects: list[str], networks: dict[str, list[Net]]) -> None:
    draws, compute = region.draws, region.compute
    flavors = list(compute.flavors.values())
    image_ids = [image.id for image in region.image.images.values()]
    usable = [project for project in projects if networks.get(project)]
    if not usable:
        return
    for number in range(1, region.world.plan.servers + 1):
        project = draws.choice(usable)
        role = draws.choice(ROLES)
        name = region.keystone.get("projects", project)["name"]
        user = region.keystone.find("users", {"name": name}) or {}
        flavor = draws.choices(flavors, _WEIGHTS)[0]
        try:
            server = compute.create_server(
                name=f"{name}-{role}-{number}", project_id=project, user_id=user["id"], flavor=flavor,
                image_id=draws.choice(image_ids),
            )  # fmt: skip
        except Refusal:
            continue  # the project's quota is used up: a plan may ask for more than that
        port = region.network.create_port(
            project_id=project, network_id=draws.choice(networks[project]).id, device_id=server.id,
            device_owner=f"compute:{server.host.zone}", host=server.host.name,
        )  # fmt: skip
        if draws.random() < 0.1:  # noqa: PLR2004
            server.status = "SHUTOFF"
        if draws.random() < 0.15:  # noqa: PLR2004
            region.network.create_floating_ip(project_id=project, port_id=port.id)
        if draws.random() < 0.4:  # noqa: PLR2004
            _volume(region, server.id, project, user["id"], f"{server.name}-data", draws)
        if (user["id"], "workstation") not in compute.keypairs:
            key = PUBLIC_KEY.format(user=name)
            made = make_keypair(user["id"], "workstation", key, region.made_at("compute"), number)
            compute.keypairs[user["id"], "workstation"] = made


def _volume(
    region: Region, server_id: str, project_id: str, user_id: str, name: str, draws: random.Random
) -> None:
    server = region.compute.servers[server_id]
    try:
        volume = region.volume.create(
            name=name, size=draws.choice((10, 20, 50, 100)), project_id=project_id, user_id=user_id
        )
    except Refusal:
        return  # as above
    region.volume.attach(volume.id, server_id, project_id, server.host.name, "/dev/vdb")
    server.volumes[volume.id] = "/dev/vdb"
    if draws.random() < 0.3:  # noqa: PLR2004
        region.volume.create_snapshot(
            volume_id=volume.id, name=f"{name}-monday", project_id=project_id, user_id=user_id
        )
