"""The engine of one process: beats, takes over from the dead, runs parts, keeps schedules, tidies up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from multisite.clock import Clock
from multisite.db.turns import in_turn
from multisite.engine.durable import Durable
from multisite.engine.executors import Executors
from multisite.engine.forgetting import Forgetting
from multisite.engine.runner import Runner
from multisite.engine.schedules import Scheduling
from multisite.engine.store import OperationStore
from multisite.errors import MultisiteError
from multisite.settings import OperationSettings

LOG = logging.getLogger(__name__)

#: Seconds between two looks at the beats of other processes, and of looks in a beat at least. A death is seen
#: one look late, and told one look late: both, and the look of those who take over, have to fit into a beat.
WATCH, LOOKS = 1.0, 4
#: Seconds between two looks for parts that nobody living runs.
ORPHANS_INTERVAL = 60.0
#: Seconds between two rounds of forgetting.
FORGET_INTERVAL = 60.0


@dataclass(slots=True)
class Engine:
    """Lives on the region loop. `start` and `stop` once."""

    store: OperationStore
    durable: Durable
    executors: Executors
    runner: Runner
    scheduling: Scheduling
    settings: OperationSettings
    clock: Clock
    on_lost: Sequence[Callable[[], None]] = ()
    forgetting: Forgetting = field(init=False)
    _beating: asyncio.Task[None] | None = None
    _watching: asyncio.Task[None] | None = None
    _ticking: asyncio.Task[None] | None = None
    _shared_by: int = 0
    _orphans_at: float = field(default=float("-inf"))
    _forget_at: float = field(default=float("-inf"))

    def __post_init__(self) -> None:
        self.forgetting = Forgetting(self.store, self.durable, self.settings, self.clock)

    async def start(self) -> None:
        """Be an executor, take over what dead ones left, begin to run parts."""
        await self.durable.pending()  # loads DBOS, which takes seconds: before anybody counts on our beats
        await self.executors.enter()
        await self._adopt()
        await self._share()
        self.durable.launch(self.runner.run)
        self._beating = asyncio.create_task(self._every(self.settings.beat, self._beat))
        self._watching = asyncio.create_task(self._every(min(WATCH, self.settings.beat / LOOKS), self._watch))
        self._ticking = asyncio.create_task(self._every(1.0, self._tick))

    async def stop(self) -> None:
        """Run nothing more, and let others go on at once with what was under way."""
        if self._beating is None:
            return
        tasks = [task for task in (self._beating, self._watching, self._ticking) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.runner.stop()  # before DBOS: what it cannot store any more would pass for a failure
        await self.durable.stop()
        try:
            await self.executors.leave()
            await self._adopt()
        except MultisiteError as error:
            LOG.log(error.log_level, "what was under way waits to be taken over: %s", error.detail)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except MultisiteError as error:
                LOG.log(error.log_level, "the engine waits: %s", error.detail)
            except Exception:
                LOG.exception("the engine stumbled and goes on")
            await asyncio.sleep(seconds)

    async def _beat(self) -> None:
        if not await self.executors.beat():
            LOG.warning(
                "this process was taken for dead (it stood still, or the database was away); it begins anew"
            )
            for tell in self.on_lost:
                tell()
            await self._rejoin()

    async def _watch(self) -> None:
        """Take over from those that died."""
        await self.executors.look()
        buried = await self.executors.bury()
        now = self.clock.monotonic()
        if buried:
            self._orphans_at = now  # where the database is away now, the next look does it
        if now >= self._orphans_at:
            await self._adopt()
            self._orphans_at = now + ORPHANS_INTERVAL
        if self.executors.count != self._shared_by:
            await self._share()

    async def _rejoin(self) -> None:
        """Be an executor again; what we ran before is for whoever comes first, us included."""
        async with in_turn(self.store.database, "takeover"):
            ours = [each for each in await self.durable.pending() if each.executor == self.executors.name]
            await self.durable.resume(ours)
            await self.executors.enter()

    async def _adopt(self) -> None:
        """Let parts whose executor is gone wait for their turn again."""
        async with in_turn(self.store.database, "takeover"):
            async with self.store.database.read() as connection:
                living = await self.executors.living(connection)
            orphans = [each for each in await self.durable.pending() if each.executor not in living]
            if orphans:
                LOG.warning("parts of operations taken over: %d", len(orphans))
                await self.durable.resume(orphans)

    async def _share(self) -> None:
        """Have our share of the parts that may run at once."""
        await self.durable.share(self.executors.count)
        self._shared_by = self.executors.count

    async def _tick(self) -> None:
        if not self.executors.alive:
            return
        await self.scheduling.look()
        if self.clock.monotonic() >= self._forget_at and not await self.forgetting.round():
            self._forget_at = self.clock.monotonic() + FORGET_INTERVAL
