"""`make demo`: a plausible cloud of six regions, multisite over it, and where to look.

Everything lies under .demo/; nothing needs root, and nothing is touched in HOME. Ctrl-C ends all of it. With
`--lab` (`make demo-lab`) it runs over the lab's three real regions. One demo runs in a folder at a time: a
second one would write over the first one's database and clouds.yaml, and is refused.
"""

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.cloud import Cloud, DemoError
from demo.service import HOST, Service
from demo.worlds import RealWorld, SimulatedWorld, World
from lab.errors import LabError
from multisite.locks import lock
from multisite.sim.listening import LARGEST_PORT

FOLDER = Path(__file__).resolve().parents[1] / ".demo"
#: Short, so that something can be seen to move.
SETTINGS: dict[str, dict[str, object]] = {
    "sweep": {"interval": 10, "health_interval": 5, "image_interval": 60},
    "usage": {"interval": 15, "projects": "all"},
    "inventory": {"interval": 10},
}

_WELCOME = """
multisite runs over {count} regions: {regions}.
{about}

  the page     {url}/
  log in as    {people}

  the command line, in another terminal:

    export OS_CLIENT_CONFIG_FILE={clouds}
    export PATH={bin}:$PATH
    openstack --os-cloud {operator} multisite capacity list
    openstack --os-cloud {operator} multisite server list --limit 10
    openstack --os-cloud {tenant} multisite usage show
    openstack --os-cloud {operator} multisite quota list

  a region that dies:

    {breaking}

Ctrl-C ends {ending}.
"""


def main() -> int:
    """Run the demo until Ctrl-C; the exit status."""
    parser = argparse.ArgumentParser(prog="demo")
    parser.add_argument(
        "--port", type=int, default=8118, help="of the page and the API (default: %(default)s)"
    )
    parser.add_argument("--lab", action="store_true", help="run over the lab's real regions")
    options = parser.parse_args()
    if not 0 <= options.port <= LARGEST_PORT:
        parser.error(f"--port: write a number from 0 to {LARGEST_PORT}")
    try:
        with alone(FOLDER.parent):  # .demo itself is emptied
            return _run(options)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder as long as this process lives. Raises `DemoError` if another demo has it."""
    held = os.open(folder, os.O_RDONLY)
    try:
        if not lock(held):
            raise DemoError("another demo runs in this folder; end it first, with Ctrl-C")
        yield
    finally:
        os.close(held)


def _run(options: argparse.Namespace) -> int:
    world: World = RealWorld() if options.lab else SimulatedWorld(FOLDER)
    service: Service | None = None
    try:
        cloud = world.start()
        service = Service(cloud, FOLDER, port=_free(options.port), settings=SETTINGS)
        service.prepare()
        service.start()
        cloud.discover()
        for project, limits in world.limits.items():
            cloud.limit(project, limits)
        print(_welcome(cloud, service, world), flush=True)
        _wait(service, world)
    except (DemoError, LabError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if service:
            service.stop()
        world.stop()
    return 0


def _free(port: int) -> int:
    """The port, or any other one if somebody has it, which is said."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            probe.bind((HOST, 0))
        found = int(probe.getsockname()[1])
    if found != port and port:
        print(f"demo: port {port} is taken, so this is on {found} (make demo PORT=…)", file=sys.stderr)
    return found


def _welcome(cloud: Cloud, service: Service, world: World) -> str:
    return _WELCOME.format(
        count=len(cloud.regions),
        regions=", ".join(cloud.regions),
        about=world.about,
        url=service.url,
        people="\n               ".join(world.people),
        clouds=cloud.clouds_file,
        bin=Path(sys.executable).parent,
        operator=cloud.operator,
        tenant=world.tenant,
        breaking=world.breaking,
        ending=world.ending,
    )


def _wait(service: Service, world: World) -> None:
    """Until somebody ends us, or a process ends by itself."""
    ended = threading.Event()
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda *_: ended.set())
    while not ended.wait(1):
        if service.process is not None and service.process.poll() is not None:
            raise DemoError(f"multisite ended: {service.last_words()}")
        world.check()


if __name__ == "__main__":
    sys.exit(main())
