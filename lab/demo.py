"""`make demo`: the main job of multisite, on three real regions.

Brings the lab up with something in it, starts the service, lets it discover the regions, prints the
address of the page with a log-in and the line to paste for the command line. Ctrl-C ends the service; the
lab stays for the next time (`make lab-down` ends it). Everything lies under .lab/, nothing in HOME.
"""

import signal
import subprocess
import sys
import threading
from pathlib import Path

from lab import lifecycle, state
from lab.clouds import TENANTS
from lab.configuration import ADMIN_PASSWORD
from lab.console import Progress
from lab.errors import LabError
from lab.layout import SHARED, Lab, root_folder
from lab.populate import populate
from lab.service import Service

_WELCOME = """
multisite runs over {regions} real OpenStack regions.

  the page     {url}/
  log in as    admin / {admin}   (operator)
               alpha / {alpha}   (tenant)

  the command line, in another terminal:

    export OS_CLIENT_CONFIG_FILE={clouds}
    export PATH={bin}:$PATH
    openstack --os-cloud RegionOne-admin multisite capacity list
    openstack --os-cloud RegionTwo-alpha multisite usage show

  a region that dies:

    {python} -m lab stop RegionThree      (and: start RegionThree)

Ctrl-C ends multisite; the regions stay up until `make lab-down`.
"""


def main() -> int:
    """Run the demo until Ctrl-C."""
    progress = Progress()
    try:
        lab = state.for_up(root_folder(), SHARED, None)
        lifecycle.up(lab, progress)
        populate(lab, progress)
        service = Service(lab, lab.root / "demo")
        service.prepare()
        service.start()
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    try:
        discover(lab, service)
        print(_welcome(lab, service), flush=True)
        _wait(service)
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    finally:
        service.stop()
    return 0


def discover(lab: Lab, service: Service) -> None:
    """Register the regions of the lab with the real command: one catalog has all that share a Keystone."""
    regions = lab.regions[:1] if lab.shares_keystone else lab.regions
    home = lab.regions[0].name
    for region in regions:
        words = ("multisite", "region", "discover", "--credential", f"{region.name}-admin")
        openstack(lab, f"{home}-admin", *words, "--format", "json")
    if not service.answers():
        raise LabError(f"multisite stopped answering; its log: {service.log}")


def openstack(lab: Lab, cloud: str, *words: str) -> str:
    """Run the real `openstack` with an entry of the lab's clouds.yaml; answers what it printed."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "openstack"), "--os-cloud", cloud, *words],
        env={"OS_CLIENT_CONFIG_FILE": str(lab.clouds_file), "PATH": "/usr/bin:/bin", "HOME": str(lab.state)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(f"openstack {' '.join(words)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def _welcome(lab: Lab, service: Service) -> str:
    return _WELCOME.format(
        regions=len(lab.regions),
        url=service.url,
        admin=ADMIN_PASSWORD,
        alpha=TENANTS["alpha"],
        clouds=lab.clouds_file,
        bin=Path(sys.executable).parent,
        python=Path(sys.executable),
    )


def _wait(service: Service) -> None:
    """Until somebody ends us, or the service ends by itself."""
    ended = threading.Event()
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda *_: ended.set())
    while not ended.wait(1):
        if service.process is not None and service.process.poll() is not None:
            raise LabError(f"multisite ended: {service.last_words()}")


if __name__ == "__main__":
    sys.exit(main())
