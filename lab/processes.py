"""Starting processes, and never ending one that is not ours.

A process id alone says nothing: after a crash or a reboot the kernel gives it to
somebody else. So a record holds the id together with the start time that
/proc reports for it and the identity of this boot, and a signal goes out only if all
three still hold. Each process leads a session of its own; its children (the
workers of nova-conductor, the privileged helpers of Cinder) are found as the
members of that session. If the leader is gone and children are left, they
are ours only if they carry the mark that the leader got into its environment.

Nothing here waits blindly: `wait_until` looks at the processes it depends on
and reports the death of one at once, with the end of its log.
"""

import dataclasses
import json
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from lab import proc
from lab.errors import LabError
from lab.proc import MARK, Stat, read_stat

RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"
POLL_SECONDS = 0.1
FORCE_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Command:
    """What to run: a name that is unique in the lab, arguments, environment."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Record:
    """The identity of a process that we started."""

    pid: int
    started: int
    boot: str
    mark: str


class Processes:
    """The processes of one lab, by name."""

    def __init__(self, run: Path, logs: Path) -> None:
        self._run = run
        self._logs = logs
        self._boot = proc.boot_identity()
        self._given_up = threading.Event()
        self._starting = threading.Lock()

    def log(self, name: str) -> Path:
        """Where a process writes what it has to say."""
        return self._logs / f"{name}.log"

    def names(self) -> list[str]:
        """Everything that has a record, running or not."""
        return sorted(path.stem for path in self._run.glob("*.json"))

    def record(self, name: str) -> Record | None:
        """The identity of the process with a name, as it was when it started."""
        try:
            return Record(**json.loads((self._run / f"{name}.json").read_text()))
        except FileNotFoundError:
            return None

    def members(self, name: str) -> list[Stat]:
        """The living processes that belong to a name, the leader first."""
        return self.members_of([name])[name]

    def members_of(self, names: Iterable[str]) -> dict[str, list[Stat]]:
        """The same for several names, at the price of one look at all processes."""
        sessions = proc.living_sessions()
        return {name: self._members(name, sessions) for name in names}

    def _members(self, name: str, sessions: Mapping[int, list[Stat]]) -> list[Stat]:
        record = self.record(name)
        if record is None or record.boot != self._boot:
            return []
        leader = read_stat(record.pid)
        if leader and leader.started != record.started:
            return []
        members = sessions.get(record.pid, [])
        if leader is None or not leader.alive:
            members = [stat for stat in members if proc.has_mark(stat.pid, record.mark)]
        return sorted(members, key=lambda stat: stat.pid != record.pid)

    def state(self, name: str) -> str:
        """`running`, `paused` (SIGSTOP) or `stopped`."""
        record = self.record(name)
        leader = read_stat(record.pid) if record and record.boot == self._boot else None
        if record is None or leader is None or leader.started != record.started:
            return STOPPED
        if not leader.alive:
            proc.reap(leader.pid)
            return STOPPED
        return PAUSED if leader.paused else RUNNING

    def start(self, command: Command) -> bool:
        """Start a process unless it runs; say whether it was started.

        Children that an earlier process of this name left behind end first. Of several threads that
        start the same name, one does.
        """
        with self._starting:
            return self._start(command)

    def _start(self, command: Command) -> bool:
        if self.state(command.name) != STOPPED:
            return False
        self.stop([command.name], grace=1)
        self._run.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        mark = secrets.token_hex(8)
        pid = _spawn(
            command.arguments,
            {**command.environment, MARK: mark},
            self.log(command.name),
        )
        stat = read_stat(pid)
        if stat is None:
            raise LabError(self._obituary(command.name))
        record = Record(pid, stat.started, self._boot, mark)
        target = self._run / f"{command.name}.json"
        draft = target.with_suffix(".new")
        draft.write_text(json.dumps(dataclasses.asdict(record)))
        draft.replace(target)
        return True

    def signal(self, names: Iterable[str], number: signal.Signals) -> None:
        """Send a signal to each process that belongs to one of the names."""
        for members in self.members_of(names).values():
            for stat in members:
                proc.send(stat, number)

    def stop(self, names: Iterable[str], grace: float = 10.0) -> None:
        """End processes: a request first, force after `grace` seconds."""
        names = list(names)
        self.signal(names, signal.SIGTERM)
        self.signal(names, signal.SIGCONT)
        if self._last_longer_than(grace, names):
            self.signal(names, signal.SIGKILL)
            if left := self._last_longer_than(FORCE_SECONDS, names):
                raise LabError(f"even SIGKILL does not end {', '.join(left)}")

    def _last_longer_than(self, seconds: float, names: Iterable[str]) -> list[str]:
        """Wait for the end of processes; answer which of them are still there."""
        deadline = time.monotonic() + seconds
        while left := [name for name, members in self.members_of(names).items() if members]:
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        return left

    def forget(self, name: str) -> None:
        """Remove the record of a process that has ended."""
        (self._run / f"{name}.json").unlink(missing_ok=True)

    def wait_until(
        self,
        ready: Callable[[], bool],
        what: str,
        watch: Collection[str],
        timeout: float,
        poll: float = POLL_SECONDS,
    ) -> None:
        """Wait for `ready`; fail at once if a process in `watch` dies meanwhile."""
        deadline = time.monotonic() + timeout
        while True:
            # A stranger on the same port could answer in the place of a dead process.
            for name in watch:
                if self.state(name) == STOPPED:
                    raise LabError(self._obituary(name))
            if ready():
                return
            if self._given_up.is_set():
                raise LabError(f"{what} was given up, because something else failed")
            if time.monotonic() > deadline:
                logs = ", ".join(str(self.log(name)) for name in watch)
                message = f"{what} took more than {timeout:.0f} s; look into {logs}"
                raise LabError(message)
            time.sleep(poll)

    def give_up(self) -> None:
        """Make every thread that waits here stop waiting."""
        self._given_up.set()

    def _obituary(self, name: str) -> str:
        return f"{name} ended while we waited for it; the end of {self.log(name)}:\n" + tail(
            self.log(name), 15
        )


def _spawn(arguments: Iterable[str], environment: Mapping[str, str], log: Path) -> int:
    """Start a session leader that reads nothing and writes to its log."""
    arguments = list(arguments)
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        return os.posix_spawn(arguments[0], arguments, environment, file_actions=actions, setsid=True)
    except FileNotFoundError as error:
        message = f"{arguments[0]} is not installed: run `python -m lab install`"
        raise LabError(message) from error


def tail(path: Path, lines: int) -> str:
    """The last lines of a file, or nothing if there is none."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 400 * lines))
            text = stream.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
