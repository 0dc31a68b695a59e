"""DBOS behind a small door: the only module that imports it.

DBOS keeps workflows (here: the parts of operations) and what their steps returned in tables of its own,
beside ours in the same database. A workflow that is run again gets the results of the steps that it did
before. Each run of a workflow owns it by a token; a run that lost it (because another process took over) can
store nothing.

What is ours, because the free part of DBOS has it not: noticing that a process died (`executors.py`), undoing
(`saga.py`), and what users see (`store.py`). DBOS is a singleton of the process, started once.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa

from multisite.db.engine import BUSY_TIMEOUT, own_sessions, parse_url, sync_engine
from multisite.engine.model import Json

LOG = logging.getLogger(__name__)

#: The form in which parts are stored. Raise it only together with a way to go on with parts of the old form:
#: a process leaves alone what another version began.
FORMAT = "multisite-1"
#: All parts wait here, each region's in a line of its own.
QUEUE = "parts"
_WORKFLOW = "part"
#: Seconds between two looks for parts that wait.
POLL = 0.5
#: Threads for DBOS's own, blocking, SQL.
THREADS = 16

T = TypeVar("T")
RunPart = Callable[[str, str, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pending:
    """A part that some process runs, or ran when it died."""

    workflow_id: str
    executor: str


def workflow_id_of(operation_id: str, part: str, attempt: int) -> str:
    """The id of one attempt at a part."""
    return f"{operation_id}/{attempt}/{part}"


def migrate(url: str) -> None:
    """Make or upgrade DBOS's tables."""
    from dbos import DBOS

    _quiet()
    parsed = parse_url(url)
    driver = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql"
    DBOS.migrate(parsed.set(drivername=driver).render_as_string(hide_password=False))


class Durable:
    """Workflows in one database. `at_once` parts run in this process at most.

    `enqueue` works in every process; the rest in one that was started with `launch`.
    """

    #: What the process runs for each part, once one `Durable` was launched in it.
    run_part: ClassVar[RunPart | None] = None

    def __init__(self, url: str, executor: str, at_once: int) -> None:
        self._url = parse_url(url)
        self._executor = executor
        self._at_once = at_once
        self._client: Any = None
        self._engine: sa.Engine | None = None
        self._launched = False
        # Not the loop's own threads: DBOS puts its own in their place, and ends those.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="durable")

    def enqueue(
        self, connection: sa.Connection, operation_id: str, part: str, attempt: int, priority: int
    ) -> None:
        """Let a part wait for its turn, in the caller's transaction; one of a region runs at a time."""
        self._enqueuer().enqueue_in_transaction(
            connection,
            {
                "workflow_name": _WORKFLOW,
                "queue_name": QUEUE,
                "workflow_id": workflow_id_of(operation_id, part, attempt),
                "app_version": FORMAT,
                "priority": priority,
                "queue_partition_key": part,
            },
            operation_id,
            part,
        )

    def launch(self, run: RunPart) -> None:
        """Begin to run parts, with `run`; on the running event loop, where they then run."""
        from dbos import DBOS, DBOSPortableJSONSerializer

        if Durable.run_part is not None:
            raise RuntimeError("DBOS runs in this process already")
        _quiet()
        _register()
        Durable.run_part = run
        self._launched = True
        DBOS(
            config={
                "name": "multisite",
                "system_database_url": str(self._engine_now().url),
                "system_database_engine": self._engine_now(),
                "application_version": FORMAT,
                "executor_id": self._executor,
                "serializer": DBOSPortableJSONSerializer(),
                "max_executor_threads": THREADS,
                "use_listen_notify": False,
                "run_migrations": False,
                "enable_otlp": False,
                "log_level": "ERROR",
            }
        )
        DBOS.launch()

    async def share(self, executors: int) -> None:
        """Have our share of what may run at once over all processes."""
        await self._blocking(
            lambda client: client.register_queue(
                QUEUE,
                partition_concurrency=1,
                worker_concurrency=max(1, self._at_once // max(1, executors)),
                polling_interval_sec=POLL,
                on_conflict="always_update",
            )
        )

    async def pending(self) -> Sequence[Pending]:
        """The parts that are under way in any process, dead ones included."""
        rows = await self._blocking(
            lambda client: client.list_workflows(
                status="PENDING", queue_name=QUEUE, load_input=False, load_output=False
            )
        )
        return [Pending(row.workflow_id, row.executor_id or "") for row in rows]

    async def resume(self, parts: Iterable[Pending]) -> None:
        """Let parts of dead processes wait for their turn again; what they did is kept."""
        by_executor: dict[str, list[str]] = defaultdict(list)
        for part in parts:
            by_executor[part.executor].append(part.workflow_id)
        for ids in by_executor.values():
            await self._blocking(partial(_resume, ids))

    async def redo_from(self, workflow_id: str, step: int, new_id: str, part: str) -> None:
        """Do a part again from a step on, as `new_id`, with the results of all steps before it.

        Where that was asked for already, nothing more happens.
        """
        from dbos import SetWorkflowID

        def fork(client: Any) -> None:
            with SetWorkflowID(new_id):
                client.fork_workflow(
                    workflow_id, step, application_version=FORMAT, queue_name=QUEUE, queue_partition_key=part
                )

        try:
            await self._blocking(fork)
        except sa.exc.IntegrityError:
            LOG.info("%s is there already", new_id)

    async def delete(self, workflow_ids: Sequence[str]) -> None:
        """Forget parts."""
        await self._blocking(lambda client: client.delete_workflows(list(workflow_ids)))

    async def step(self, name: str, work: Callable[[], Awaitable[Json]]) -> Json:
        """Do a step of the part that runs, or give what it returned before; plain JSON."""
        from dbos import DBOS

        return await DBOS.run_step_async({"name": name}, work)

    @property
    def step_number(self) -> int:
        """The number of the step that runs, for `redo_from`."""
        from dbos import DBOS

        return int(DBOS.step_id or 0)

    async def stop(self) -> None:
        """Begin nothing more; what was under way waits for `resume`."""
        from dbos import DBOS

        if self._launched:
            await self._blocking(lambda _: DBOS.destroy())
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
            self._launched, Durable.run_part = False, None

    def close(self) -> None:
        """Close the connections, end the threads."""
        self._threads.shutdown()
        if self._client is not None:
            self._client.destroy()
        if self._engine is not None:
            self._engine.dispose()

    async def _blocking(self, work: Callable[[Any], T]) -> T:
        """Let DBOS's client do something in a thread."""
        client = self._enqueuer()
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, client)

    def _enqueuer(self) -> Any:
        if self._client is None:
            from dbos import DBOSClient, DBOSPortableJSONSerializer

            _quiet()
            self._client = DBOSClient(
                system_database_engine=self._engine_now(),
                serializer=DBOSPortableJSONSerializer(),
                application_name="multisite",
                lazy=True,
            )
        return self._client

    def _engine_now(self) -> sa.Engine:
        if self._engine is None:
            self._engine = sync_engine(self._url)
            if self._url.get_backend_name() == "sqlite":
                sa.event.listen(self._engine, "connect", _prepare_sqlite)
            own_sessions(self._engine, self._executor)
        return self._engine


def _resume(workflow_ids: list[str], client: Any) -> None:
    client.resume_workflows(workflow_ids, queue_name=QUEUE)


def _register() -> None:
    """Tell DBOS of our one workflow; a second time is no harm."""
    from dbos import DBOS

    DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)(_part)


async def _part(operation_id: str, part: str) -> None:
    """One attempt at a part. Its number stands in the id alone: `redo_from` copies what is given here."""
    from dbos import DBOS

    attempt = int((DBOS.workflow_id or "").removeprefix(f"{operation_id}/").partition("/")[0])
    if Durable.run_part is None:
        raise RuntimeError("DBOS runs a part in a process that does not")
    await Durable.run_part(operation_id, part, attempt)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _quiet() -> None:
    """Let DBOS write into our log, not on the console; that the database is away, our own log says."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.propagate = True
    logger.setLevel(logging.ERROR)
