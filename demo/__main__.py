"""`make demo`: a plausible cloud of six regions, multisite over it, and where to look.

Everything lies under .demo/; nothing needs root, and nothing is touched in HOME. Ctrl-C ends all of it.
"""

import argparse
import signal
import socket
import sys
import threading
from pathlib import Path

from demo import world
from demo.cloud import Cloud, DemoError
from demo.service import HOST, Service

FOLDER = Path(__file__).resolve().parents[1] / ".demo"
#: Short, so that something can be seen to move.
SETTINGS: dict[str, dict[str, object]] = {
    "sweep": {"interval": 10, "health_interval": 5, "image_interval": 60},
    "usage": {"interval": 15, "projects": "all"},
    "inventory": {"interval": 10},
}

_WELCOME = """
multisite runs over {count} simulated regions: {regions}.
{slow} is slow, {failing} fails now and then; the others are well.

  the page     {url}/
  log in as    admin / {admin}   (operator)
               {tenant} / {tenant_password}   (tenant)

  the command line, in another terminal:

    export OS_CLIENT_CONFIG_FILE={clouds}
    export PATH={bin}:$PATH
    openstack --os-cloud demo-admin multisite capacity list
    openstack --os-cloud demo-admin multisite server list --limit 10
    openstack --os-cloud demo-{tenant} --os-region-name {first} multisite usage show

  a region that dies, and comes back after a minute:

    curl -X POST {simulator}/_sim/faults -d '{{"kind": "refuse", "region": "{second}", "lasts": 60}}'

Ctrl-C ends all of it.
"""


def main() -> int:
    """Run the demo until Ctrl-C; the exit status."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument(
        "--port", type=int, default=8118, help="of the page and the API (default: %(default)s)"
    )
    options = parser.parse_args()
    simulator = world.Simulation(FOLDER)
    service: Service | None = None
    try:
        cloud = simulator.start()
        service = Service(cloud, FOLDER, port=_free(options.port), settings=SETTINGS)
        service.prepare()
        service.start()
        cloud.discover()
        print(_welcome(cloud, service, simulator), flush=True)
        _wait(service, simulator)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if service:
            service.stop()
        simulator.stop()
    return 0


def _free(port: int) -> int:
    """The port, or any other one if somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _welcome(cloud: Cloud, service: Service, simulator: "world.Simulation") -> str:
    tenant = world.PROJECTS[0]
    return _WELCOME.format(
        count=len(cloud.regions),
        regions=", ".join(cloud.regions),
        slow=world.SLOW,
        failing=world.FAILING,
        url=service.url,
        simulator=simulator.url,
        admin=world.password("admin"),
        tenant=tenant,
        tenant_password=world.password(tenant),
        clouds=cloud.clouds_file,
        bin=Path(sys.executable).parent,
        first=cloud.regions[0],
        second=cloud.regions[1],
    )


def _wait(service: Service, simulator: "world.Simulation") -> None:
    """Until somebody ends us, or a process ends by itself."""
    ended = threading.Event()
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda *_: ended.set())
    while not ended.wait(1):
        if service.process is not None and service.process.poll() is not None:
            raise DemoError(f"multisite ended: {service.last_words()}")
        simulator.check()


if __name__ == "__main__":
    sys.exit(main())
