"""The same reading as a user would write it today: openstacksdk, a connection per region, in threads.

`python -m tests.benchmarks.with_sdk REGIONS` prints wall and CPU seconds as one line of JSON. It makes
the calls of a sweep (providers with usages and inventories, hosts, services, flavors, pools, addresses), and
sums nothing.
"""

import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openstack

from tests.benchmarks.simulated import simulation

THREADS = 16


def read(config: openstack.config.OpenStackConfig, region: str) -> None:
    """What a sweep reads of one region."""
    connection = openstack.connection.Connection(config=config.get_one(cloud="sim-admin", region_name=region))
    for provider in connection.placement.resource_providers():
        list(connection.placement.resource_provider_inventories(provider))
        connection.placement.get(f"/resource_providers/{provider.id}/usages")
    list(connection.compute.hypervisors(details=True))
    list(connection.compute.services())
    list(connection.compute.aggregates())
    list(connection.compute.flavors(is_public=None))
    list(connection.block_storage.backend_pools())
    list(connection.block_storage.services())
    list(connection.network.network_ip_availabilities())
    list(connection.network.networks(is_router_external=True))
    connection.close()


def main() -> int:
    """Measure once, and print the figures."""
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with simulation(folder, regions=count, servers=50, projects=20) as cloud:
            config = openstack.config.OpenStackConfig(
                config_files=[str(cloud.clouds_file)], load_envvars=False
            )
            read(config, cloud.regions[0])  # imports and caches are not what is measured
            wall, cpu = time.perf_counter(), time.process_time()
            with ThreadPoolExecutor(THREADS) as threads:
                list(threads.map(lambda region: read(config, region), cloud.regions))
            figures = {
                "regions": count, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu,
                "threads": THREADS,
            }  # fmt: skip
            print(json.dumps(figures))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
