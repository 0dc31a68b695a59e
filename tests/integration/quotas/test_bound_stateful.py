"""The bound, after every single write, whatever happens; and that all ends balanced when it is quiet.

Tenants create and delete, hands change limits, regions fail, balancers die in the middle of a round or run at
the same time as another. The simulator works O out right before and right after each write, and no write of
ours may raise it above the global limit. Each protection is taken out once: the machine has to find it.
"""

import asyncio
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from multisite.quotas import drafts, planning
from multisite.quotas.bound import Figures, height
from multisite.quotas.dispatch import Dispatch
from multisite.quotas.model import State
from multisite.quotas.round import Round
from multisite.sim import Plan
from multisite.sim.faults import REFUSING
from multisite.sim.http import Refusal
from multisite.sim.ledger import Record
from multisite.sim.listening import running
from tests.integration.quotas.balanced import CORES, Balanced, Killed

NAMES = ("one", "two", "three")
FAULTS = ("reset", "refuse", "status", "truncate")


class Violation(AssertionError):
    """A write of ours raised the bound."""


class Quotas(RuleBasedStateMachine):
    """Three regions, one of which takes its limits from Keystone, and two balancers."""

    def __init__(self) -> None:
        super().__init__()
        self.exit = ExitStack()
        self.limit = 0
        self.violations: list[Record] = []

    @initialize(limit=st.integers(0, 12), unified=st.sampled_from(["", "one", "three"]))
    def begin(self, limit: int, unified: str) -> None:
        plan = Plan(
            regions=3, hosts=2, servers=0, projects=1, networks=1, names=NAMES,
            unified=("compute",) if unified else (), unified_regions=unified or "*",
        )  # fmt: skip
        folder = Path(self.exit.enter_context(tempfile.TemporaryDirectory()))
        cloud = self.exit.enter_context(running(plan))
        self.cloud = Balanced(cloud, folder)
        self.exit.callback(self.cloud.close)
        self.second = self.cloud.run(lambda: self.cloud.another("p2"))
        cloud.simulator.world.ledger.hooks.append(self.look)
        self.set(limit)

    def look(self, record: Record) -> None:
        """The simulator calls this after every write of a limit."""
        ours = record.user_agent == "multisite" and record.resource == CORES
        if ours and height(record.after) > max(height(self.limit), height(record.before)):
            self.violations.append(record)

    @rule(limit=st.integers(0, 14))
    def set(self, limit: int) -> None:
        self.limit = limit
        self.cloud.set({CORES: limit})

    @rule(region=st.sampled_from(NAMES), cores=st.integers(1, 4))
    def create(self, region: str, cores: int) -> None:
        with suppress(Refusal):  # over the limit
            self.cloud.create(region, cores)

    @rule(region=st.sampled_from(NAMES))
    def delete(self, region: str) -> None:
        self.cloud.remove(region)

    @rule(region=st.sampled_from(NAMES), limit=st.integers(-1, 20))
    def somebody_changes_a_limit(self, region: str, limit: int) -> None:
        self.cloud.hand(region, cores=limit)

    @rule(
        region=st.sampled_from(NAMES),
        kind=st.sampled_from(FAULTS),
        route=st.sampled_from(["PUT *", "P* */limits*", "*"]),
        calls=st.integers(1, 3),
        done=st.booleans(),
    )
    def something_breaks(self, region: str, kind: str, route: str, calls: int, *, done: bool) -> None:
        done = done or kind not in REFUSING
        self.cloud.cloud.set(kind, region=region, route=route, calls=calls, done=done)

    @rule()
    def all_is_mended(self) -> None:
        self.cloud.cloud.clear()
        self.cloud.forget()

    @rule(region=st.sampled_from(NAMES))
    def a_user_asks(self, region: str) -> None:
        self.cloud.ask(region)

    @rule()
    def balance(self) -> None:
        self.cloud.balance()

    @rule(region=st.sampled_from(NAMES), cores=st.integers(1, 4))
    def somebody_creates_while_it_is_balanced(self, region: str, cores: int) -> None:
        self.cloud.life.meanwhile = lambda: self.create(region, cores)
        self.cloud.balance()
        self.cloud.life.meanwhile = None

    @rule(limit=st.integers(0, 14), transactions=st.integers(1, 5))
    def the_limit_is_changed_while_it_is_balanced(self, limit: int, transactions: int) -> None:
        async def decide() -> None:
            self.limit = limit
            await self.cloud.decide({CORES: limit})

        self.cloud.life.decision, self.cloud.life.undecided = decide, transactions
        self.cloud.balance()
        self.cloud.life.decision = None

    @rule()
    def two_balance_at_once(self) -> None:
        async def both() -> None:
            await asyncio.gather(
                self.cloud.rounds.balance(self.cloud.project.id), self.second.balance(self.cloud.project.id)
            )

        self.cloud.run(both)

    @rule(point=st.integers(0, 12))
    def one_dies_and_another_goes_on(self, point: int) -> None:
        self.cloud.kill_at(point)
        try:
            self.cloud.balance()
        except Killed:
            self.cloud.restart()
        self.cloud.kill_at(None)
        self.cloud.run(lambda: self.second.balance(self.cloud.project.id))

    @invariant()
    def no_write_raised_the_bound(self) -> None:
        if self.violations:
            raise Violation(self.violations[0])

    def teardown(self) -> None:
        """When it is quiet, everything ends balanced."""
        try:
            if hasattr(self, "cloud"):
                self.settle()
        finally:
            self.exit.close()

    def settle(self) -> None:
        """Mend all, balance, and compare with what the simulator knows."""
        self.all_is_mended()
        for _ in range(4):
            self.cloud.balance()
        self.no_write_raised_the_bound()
        used = sum(self.cloud.uses().values())
        quota = self.cloud.quota()
        stuck = sum(bool(each.note and "registered default" in each.note) for each in quota.regions)
        assert self.cloud.bound() <= max(self.limit, used + stuck)
        if used > self.limit:
            assert quota.state is State.OVER
        elif not stuck:
            assert quota.state is State.ESTABLISHED
        assert not any(share.sent for share in self.cloud.shares())


def run(examples: int, steps: int) -> None:
    """Try so many runs of so many steps."""
    run_state_machine_as_test(
        Quotas,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        ),
    )


def test_no_write_of_ours_raises_the_bound() -> None:
    """The rule for O, after every write; and an end that is balanced."""
    run(30, 25)


_shrink = Round.shrink


async def grown_first(self: Round) -> None:
    """A round that grows before it shrinks."""
    changes = await self.dispatch.ready(drafts.drafted(self.survey, _all_growing(self.plan, self)))
    if changes:
        await self.dispatch.carry_out(changes, keep=False)
    await _shrink(self)


def _all_growing(plan: planning.Plan, round_: Round) -> planning.Writes:
    """What is to grow, without a look at what the others have."""
    found: planning.Writes = {}
    for share in round_.shares:
        for resource, figures in share.figures.items():
            value = plan.of(resource, share.region)
            if value is not None and figures.limit is not None and height(value) > height(figures.limit):
                found.setdefault((share.region, share.service), {})[resource] = value
    return found


async def not_read_back(self: Round, changes: Any) -> None:
    """What was written is believed to be so, without a look."""
    for each in changes:
        for resource, value in each.values.items():
            each.share.figures[resource] = Figures(value, each.share.figures[resource].used)
            each.share.sent.pop(resource, None)
    del self


async def not_asked_again(self: Dispatch, *_: Any) -> None:
    """What was decided when the round began is believed to be so still."""
    del self


PROTECTIONS: dict[str, list[tuple[type, str, Any]]] = {
    "shrink before grow": [(Round, "shrink", grown_first)],
    "read back": [(Round, "_read_back", not_read_back)],
    "what is wanted": [(Dispatch, "_require_what_is_wanted", not_asked_again)],
}


@pytest.mark.parametrize("protection", list(PROTECTIONS))
def test_the_machine_finds_what_is_taken_out(protection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without each protection; those of lost answers and stopped processes have tests of their own."""
    for where, name, broken in PROTECTIONS[protection]:
        monkeypatch.setattr(where, name, broken)
    with pytest.raises(Violation):
        run(100, 25)
