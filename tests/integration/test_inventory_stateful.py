"""Random regions, writes, faults and refreshes: whenever all regions are fresh, the listing is the truth."""

import random
import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from multisite.sim import Plan
from multisite.sim.http import Refusal
from multisite.sim.listening import running
from multisite.sim.load import change
from multisite.sim.world import Region
from tests.integration.sim.inventoried import Contents, Inventoried, truth

NAMES = ("one", "two")
KINDS = ("refuse", "reset", "truncate", "garbage", "wrong", "status", "expire")
SERVICES = ("*", "compute", "network", "volume", "image")


class Inventory(RuleBasedStateMachine):
    """Regions: changed, broken, mended and read in any order, by a service that is restarted at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.exit = ExitStack()
        #: What each region had when it was last read, or `None` if it changed since.
        self.read: dict[str, Contents] = {}

    @initialize(seed=st.integers(1, 1000), servers=st.integers(0, 9), own_keystone=st.booleans())
    def begin(self, seed: int, servers: int, own_keystone: bool) -> None:  # noqa: FBT001 - hypothesis names them
        plan = Plan(
            regions=2, hosts=2, servers=servers, projects=2, names=NAMES, seed=seed, own_keystone=own_keystone
        )
        folder = Path(self.exit.enter_context(tempfile.TemporaryDirectory()))
        self.cloud = self.exit.enter_context(running(plan))
        self.inventoried = Inventoried(self.cloud, folder)
        self.exit.callback(self.inventoried.close)
        self.draws = random.Random(seed)  # noqa: S311

    @rule(name=st.sampled_from(NAMES), times=st.integers(1, 5))
    def tenants_change_servers(self, name: str, times: int) -> None:
        region = self.cloud.simulator.world.region(name)
        self.cloud.run(lambda: [change(region, self.draws) for _ in range(times)])

    @rule(
        name=st.sampled_from(NAMES), what=st.sampled_from(("floating", "volume", "snapshot", "image", "name"))
    )
    def tenants_change_other_things(self, name: str, what: str) -> None:
        region = self.cloud.simulator.world.region(name)
        self.cloud.run(lambda: self._other(region, what))

    def _other(self, region: Region, what: str) -> None:
        ports = [port for port in region.network.ports.values() if port.device_owner.startswith("compute:")]
        volumes, images = list(region.volume.volumes.values()), list(region.image.images.values())
        try:
            if what == "floating" and ports:
                port = self.draws.choice(ports)
                region.network.create_floating_ip(project_id=port.project_id, port_id=port.id)
            elif what == "snapshot" and volumes:
                volume = self.draws.choice(volumes)
                region.volume.create_snapshot(
                    volume_id=volume.id, name="s", project_id=volume.project_id, user_id=volume.user_id
                )
            elif what == "volume" and volumes:
                free = [each for each in volumes if each.status == "available"]
                if free:
                    region.volume.delete(self.draws.choice(free))
            elif what == "image" and images:
                image = self.draws.choice(images)
                if self.draws.random() < 0.3:
                    region.image.delete(image)
                else:
                    image.hidden, image.updated = not image.hidden, region.now("image")
            elif what == "name" and ports:
                port = self.draws.choice(ports)
                port.name, port.revision = f"p{self.draws.randrange(99)}", port.revision + 1
        except Refusal:
            pass  # what a tenant may not do changes nothing
        region.touch()

    @rule(name=st.sampled_from(NAMES), kind=st.sampled_from(KINDS), service=st.sampled_from(SERVICES))
    def something_breaks(self, name: str, kind: str, service: str) -> None:
        self.cloud.set(kind, region=name, service=service, share=self.draws.choice((1.0, 0.3)))

    @rule()
    def all_is_mended_and_the_service_restarts(self) -> None:
        self.cloud.clear()
        self.inventoried.restart()

    @rule()
    def refresh(self) -> None:
        self.inventoried.refresh()
        ill = {each.region for each in self.inventoried.missing()}
        for name in NAMES:
            self.read.pop(name, None)
            if name not in ill:
                self.read[name] = truth(self.cloud, name)

    @invariant()
    def what_is_fresh_is_the_truth(self) -> None:
        if not self.read:
            return
        listed = self.inventoried.listed()
        for name, there in self.read.items():
            for kind, things in there.items():
                assert listed[name][kind] == things, (name, kind)

    def teardown(self) -> None:
        self.exit.close()


TestInventory = Inventory.TestCase
TestInventory.settings = settings(
    max_examples=20,
    stateful_step_count=14,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
