"""Load that moves: tenants make, stop and delete servers as the simulated time goes by."""

import asyncio
import random

from multisite.sim.app import Simulator
from multisite.sim.compute.state import Server
from multisite.sim.http import Refusal
from multisite.sim.world import Region

#: How far the number of servers may move from the plan's, as a share of it.
SWING = 0.3


async def move(simulator: Simulator, rate: float) -> None:
    """Change something in each region `rate` times a second on average, until cancelled."""
    draws = random.Random(f"{simulator.plan.seed}/load")  # noqa: S311 - a seeded world
    names = simulator.world.names
    while True:
        await asyncio.sleep(draws.expovariate(rate * len(names)))
        change(simulator.world.region(draws.choice(names)), draws)


def change(region: Region, draws: random.Random) -> Server | None:
    """One tenant does one thing in a region; the server that it was about."""
    compute = region.compute
    servers = list(compute.servers.values())
    if not servers:
        return None
    server = draws.choice(servers)
    compute.settle(server)
    planned = region.world.plan.servers
    wish = draws.choice(("create", "delete", "toggle"))
    if len(servers) < planned * (1 - SWING):
        wish = "create"
    elif len(servers) > planned * (1 + SWING):
        wish = "delete"
    try:
        match wish:
            case "create":
                server = _like(region, server, draws)
            case "delete":
                compute.delete_server(server)
            case _ if server.status in {"ACTIVE", "SHUTOFF"}:
                server.status = "SHUTOFF" if server.status == "ACTIVE" else "ACTIVE"
                server.updated = region.now("compute")
    except Refusal:
        return None  # a tenant who has used up his quota does nothing
    region.touch()
    return server


def _like(region: Region, server: Server, draws: random.Random) -> Server:
    """Another server of the same project, flavor and network."""
    stem = server.name.rsplit("-", 1)[0]
    made = region.compute.create_server(
        name=f"{stem}-{draws.randrange(100, 1000)}", project_id=server.project_id, user_id=server.user_id,
        flavor=server.flavor, image_id=server.image_id,
    )  # fmt: skip
    ports = region.network.ports_of(server.id)
    if ports:
        region.network.create_port(
            project_id=made.project_id, network_id=ports[0].network_id, device_id=made.id,
            device_owner=f"compute:{made.host.zone}", host=made.host.name,
        )  # fmt: skip
    return made
