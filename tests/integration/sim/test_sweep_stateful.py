"""Random regions, changes, faults and reads: whenever all regions are fresh, the totals are the truth."""

import random
import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from multisite.regions.states import State
from multisite.sim import Plan
from multisite.sim.listening import running
from multisite.sim.load import change
from tests.integration.sim.swept import Swept, Truth, truth

NAMES = ("one", "two", "three")
KINDS = ("hang", "refuse", "reset", "truncate", "garbage", "wrong", "contradict", "status", "expire", "stale")
SERVICES = ("*", "placement", "compute", "network")


class Regions(RuleBasedStateMachine):
    """Three regions: changed, broken, mended and swept in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.exit = ExitStack()

    @initialize(seed=st.integers(1, 1000), servers=st.integers(0, 12), own_keystone=st.just(False))
    def begin(self, seed: int, servers: int, own_keystone: bool) -> None:  # noqa: FBT001 - hypothesis names them
        plan = Plan(
            regions=3, hosts=2, servers=servers, projects=2, names=NAMES, seed=seed, own_keystone=own_keystone
        )
        folder = Path(self.exit.enter_context(tempfile.TemporaryDirectory()))
        self.cloud = self.exit.enter_context(running(plan))
        self.swept = Swept(self.cloud, folder)
        self.exit.callback(self.swept.close)
        self.draws = random.Random(seed)  # noqa: S311
        #: What each region had when it was last swept, and whether a stale answer may have been given since.
        self.seen: dict[str, Truth] = {}
        self.lied: set[str] = set()

    @rule(region=st.sampled_from(NAMES), times=st.integers(1, 5))
    def tenants_change_something(self, region: str, times: int) -> None:
        state = self.cloud.simulator.world.region(region)
        self.cloud.run(lambda: [change(state, self.draws) for _ in range(times)])

    @rule(region=st.sampled_from(NAMES), kind=st.sampled_from(KINDS), service=st.sampled_from(SERVICES))
    def something_breaks(self, region: str, kind: str, service: str) -> None:
        self.cloud.set(kind, region=region, service=service, share=self.draws.choice((1.0, 0.3)))

    @rule()
    def all_is_mended(self) -> None:
        self.cloud.clear()
        self.swept.forget()

    @rule()
    def sweep(self) -> None:
        faults = self.cloud.simulator.faults.all()
        lying = {fault.region for fault in faults if fault.kind in {"stale", "contradict"}}
        self.swept.sweep()
        for row in self.swept.listing().regions:
            if row.services["placement"].state is State.FRESH:
                self.seen[row.region] = truth(self.cloud, row.region)
                self.lied = (self.lied - {row.region}) | (lying & {row.region})

    @invariant()
    def totals_are_the_truth_of_the_fresh_regions(self) -> None:
        if not self.seen:
            return
        listing = self.swept.listing()
        fresh = [row.region for row in listing.regions if row.services["placement"].state is State.FRESH]
        assert {item.region for item in listing.totals.missing if item.service == "placement"} == set(
            NAMES
        ) - set(fresh)
        if self.lied & set(fresh):
            return  # a region that tells of yesterday is believed: nobody can know
        for kind, figures in listing.totals.placement.resources.items():
            assert figures.total == sum(self.seen[name].total[kind] for name in fresh)
            assert figures.used == sum(self.seen[name].used[kind] for name in fresh)

    def teardown(self) -> None:
        self.exit.close()


TestRegions = Regions.TestCase
TestRegions.settings = settings(
    max_examples=25,
    stateful_step_count=14,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink takes minutes of real hangs
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
