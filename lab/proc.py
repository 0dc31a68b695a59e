"""What the kernel says about processes, and signals that cannot reach the wrong one.

Between looking at a process and signalling it, it may end and its id may go to another. A file
descriptor of a process (pidfd_open(2)) does not change hands: it is opened first, then the start
time is compared, then the signal goes to whatever the descriptor stands for.
"""

import contextlib
import dataclasses
import os
import signal
from collections import defaultdict
from pathlib import Path

MARK = "MULTISITE_LAB_PROCESS"


@dataclasses.dataclass(frozen=True)
class Stat:
    """The few fields of /proc/PID/stat that matter here (proc(5)); `started` in clock ticks."""

    pid: int
    state: str
    session: int
    started: int
    threads: int

    @property
    def alive(self) -> bool:
        """Whether it still runs: a first thread that has ended may have left others, and sockets."""
        return self.state not in "ZXx" or self.threads > 1

    @property
    def paused(self) -> bool:
        """Whether it was stopped by a signal (or a debugger)."""
        return self.state in "Tt"


def read_stat(pid: int) -> Stat | None:
    """The state of a process, or None if there is none with this id."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name of the program stands in parentheses and may hold anything.
    fields = text.rpartition(")")[2].split()
    return Stat(pid, fields[0], session=int(fields[3]), started=int(fields[19]), threads=int(fields[17]))


def living_sessions() -> dict[int, list[Stat]]:
    """All living processes by the session they belong to."""
    sessions = defaultdict(list)
    for entry in os.scandir("/proc"):
        stat = read_stat(int(entry.name)) if entry.name.isdigit() else None
        if stat and stat.alive:
            sessions[stat.session].append(stat)
    return sessions


def boot_identity() -> str:
    """What tells this boot of the machine from every other."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def has_mark(pid: int, mark: str) -> bool:
    """Whether the environment of a process carries a mark of ours."""
    try:
        return f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def send(stat: Stat, number: signal.Signals) -> None:
    """Send a signal to exactly this process, if it still exists."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(stat.pid)
        try:
            now = read_stat(stat.pid)
            if now and now.started == stat.started:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def reap(pid: int) -> None:
    """Take the exit status of our own child, so that it does not stay a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def memory_kib(pid: int) -> int:
    """The share of a process in the memory that is used (PSS)."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
