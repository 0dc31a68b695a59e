"""Balances what is due, all the time; lives on the region loop.

All processes look for projects that are due; each takes those that nobody holds. A project is due every
`[quotas] interval`, and at once when somebody asks, or when use that was read nears a region's share.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from multisite.errors import MultisiteError
from multisite.quotas import claims
from multisite.quotas.raises import end_raises
from multisite.quotas.round import Round
from multisite.quotas.rounds import Rounds
from multisite.quotas.sharing import PRESSING
from multisite.usage.model import UNLIMITED, ResourceUsage

LOG = logging.getLogger(__name__)

#: Seconds between two looks at what is due.
LOOK = 1.0
#: So many projects are held at most, those that wait for their turn included, unless more are at work.
MOST_HELD = 32


@dataclass(slots=True)
class BalancerStatus:
    """What the metrics tell: rounds since the start, those that failed, limits written."""

    rounds: int = 0
    failures: int = 0
    writes: int = 0


@dataclass(slots=True)
class Balancer:
    """Runs rounds until it is cancelled.

    `[quotas] at_once` are at work. As many as a look's time is enough for begin together, and wait for their
    turn: beginning them one by one costs as much as reading ten regions.
    """

    rounds: Rounds
    status: BalancerStatus = field(default_factory=BalancerStatus)
    _turns: asyncio.Semaphore = field(init=False)
    _running: dict[str, "asyncio.Task[Round]"] = field(default_factory=dict)
    #: Set when a round has ended.
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    #: When the last rounds ended (monotonic).
    _ends: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_HELD))

    def __post_init__(self) -> None:
        """Let so many work at once."""
        self._turns = asyncio.Semaphore(self.rounds.settings.at_once)

    async def run(self) -> None:
        """Work until cancelled; `stop` tidies up."""
        while True:
            try:
                await self.catch_up()
            except MultisiteError as error:
                LOG.log(error.log_level, "quotas wait: %s", error.detail)
            except Exception:
                LOG.exception("the balancer of quotas stumbled and goes on")
            await asyncio.sleep(LOOK)

    async def catch_up(self) -> None:
        """Begin the rounds that are due, as others end, until none is left to begin."""
        while await self.look():
            await self._room()

    async def look(self) -> bool:
        """End the raises whose time is over, and begin what is due; whether there is more than had room."""
        await end_raises(self.rounds.store, self.rounds.clock.now())
        most = self._most()
        room = most - len(self._running)
        if room <= 0:
            return True
        async with self.rounds.store.database.read() as connection:
            due = await claims.due(connection, self.rounds.clock.now(), most + 1)
        waiting = [each for each in due if each not in self._running]
        tasks = await self.rounds.set_out(waiting[:room], self._turns) if waiting else {}
        for project_id, task in tasks.items():
            self._running[project_id] = task
            task.add_done_callback(partial(self._ended, project_id))
        return bool(tasks) and len(waiting) > room

    async def stop(self) -> None:
        """End what is under way; what was reserved stays reserved."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until no round is under way."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    def _most(self) -> int:
        """How many are held at most: as many as ended lately, so that none waits long for its turn."""
        now = self.rounds.clock.monotonic()
        lately = sum(now - each < LOOK for each in self._ends)
        return max(self.rounds.settings.at_once, lately)

    async def _room(self) -> None:
        """Wait until half of the rounds have ended: several begin at less cost than one and one.

        Not for long: slow ones must not keep others from what room there is.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK):
                while len(self._running) > self._most() // 2:
                    self._left.clear()
                    await self._left.wait()

    def _ended(self, project_id: str, task: "asyncio.Task[Round]") -> None:
        self._running.pop(project_id, None)
        self._left.set()
        self._ends.append(self.rounds.clock.monotonic())
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self.status.rounds += 1
            self.status.writes += task.result().written
            return
        self.status.failures += 1
        if isinstance(error, MultisiteError):
            LOG.log(error.log_level, "the quota of project %s waits: %s", project_id, error.detail)
        else:
            LOG.error("the quota of project %s: the round stumbled", project_id, exc_info=error)

    async def noticed(self, project_id: str, resources: Mapping[str, ResourceUsage]) -> None:
        """Somebody read a project's use in a region: balance soon where it nears what it may use there."""
        if any(_near(usage) for usage in resources.values()):
            now, interval = self.rounds.clock.now(), self.rounds.settings.interval
            async with self.rounds.store.database.write() as connection:
                await claims.hurry(connection, project_id, now, interval)


def _near(usage: ResourceUsage) -> bool:
    if usage.used is None or usage.limit is None or usage.limit in {0, UNLIMITED}:
        return False
    return usage.used + usage.reserved >= PRESSING * usage.limit
