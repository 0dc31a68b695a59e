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

import contextlib
import dataclasses
import json
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from lab.errors import LabError

MARK = "MULTISITE_LAB_PROCESS"
RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"
POLL_SECONDS = 0.1


@dataclasses.dataclass(frozen=True)
class Command:
    """What to run: a name that is unique in the lab, arguments, environment."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Stat:
    """The few fields of /proc/PID/stat that matter here (proc(5))."""

    pid: int
    state: str
    session: int
    started: int
    threads: int

    @property
    def alive(self) -> bool:
        """Whether it still runs: a first thread that has ended may have left others, and sockets."""
        return self.state not in "ZXx" or self.threads > 1


@dataclasses.dataclass(frozen=True)
class Record:
    """The identity of a process that we started."""

    pid: int
    started: int
    boot: str
    mark: str


def read_stat(pid: int) -> Stat | None:
    """The state of a process, or None if there is none with this id."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return Stat(pid, fields[0], session=int(fields[3]), started=int(fields[19]), threads=int(fields[17]))


def boot_identity() -> str:
    """What tells this boot of the machine from every other."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _all_stats() -> Iterator[Stat]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (stat := read_stat(int(entry.name))):
            yield stat


def _has_mark(pid: int, mark: str) -> bool:
    try:
        return f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


class Processes:
    """The processes of one lab, by name."""

    def __init__(self, run: Path, logs: Path) -> None:
        self._run = run
        self._logs = logs
        self._boot = boot_identity()
        self._given_up = threading.Event()

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
        record = self.record(name)
        if record is None or record.boot != self._boot:
            return []
        leader = read_stat(record.pid)
        if leader and leader.started != record.started:
            return []
        members = [stat for stat in _all_stats() if stat.session == record.pid and stat.alive]
        if leader is None or not leader.alive:
            members = [stat for stat in members if _has_mark(stat.pid, record.mark)]
        return sorted(members, key=lambda stat: stat.pid != record.pid)

    def state(self, name: str) -> str:
        """`running`, `paused` (SIGSTOP) or `stopped`."""
        record, leader = self.record(name), None
        if record and record.boot == self._boot:
            _reap(record.pid)
            leader = read_stat(record.pid)
        if record is None or leader is None or leader.started != record.started:
            return STOPPED
        if not leader.alive:
            return STOPPED
        return PAUSED if leader.state in "Tt" else RUNNING

    def start(self, command: Command) -> bool:
        """Start a process unless it runs; say whether it was started.

        Children that an earlier process of this name left behind end first.
        """
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

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to each process that belongs to a name."""
        for stat in self.members(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(stat.pid, number)

    def stop(self, names: Iterable[str], grace: float = 10.0) -> None:
        """End processes: a request first, force after `grace` seconds."""
        remaining = [name for name in names if self.members(name)]
        for name in remaining:
            self.signal(name, signal.SIGTERM)
            self.signal(name, signal.SIGCONT)
        deadline = time.monotonic() + grace
        while remaining and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            remaining = [name for name in remaining if self._still_there(name)]
        for name in remaining:
            self.signal(name, signal.SIGKILL)
        while any(self._still_there(name) for name in remaining):
            time.sleep(POLL_SECONDS)

    def _still_there(self, name: str) -> bool:
        if record := self.record(name):
            _reap(record.pid)
        return bool(self.members(name))

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
        while not ready():
            for name in watch:
                if self.state(name) == STOPPED:
                    raise LabError(self._obituary(name))
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


def _reap(pid: int) -> None:
    """Take the exit status of our own child, so that it does not stay a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


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
