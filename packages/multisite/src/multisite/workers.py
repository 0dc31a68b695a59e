"""`multisite serve --workers N`: a parent that answers nothing, and N processes that do.

The parent holds the listening sockets, so no request is refused while a worker starts anew, and ports that
are taken are found out before anything starts. Each worker is a whole service; they share the database, as
processes on several machines do. One that dies is started again, after a pause that grows with each death.
What ends the parent ends the workers: a signal is passed on, and where the parent is gone without a word, the
end of a pipe tells them.
"""

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from multisite.errors import ConfigurationError, MultisiteError

LOG = logging.getLogger(__name__)

#: Seconds before a worker that died is started again: twice as long each time, up to the second number.
PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: A worker that lived for so many seconds is no case of dying again and again.
STEADY = 60.0
#: A worker's exit status where there is no use in starting it again (EX_CONFIG of sysexits.h).
USELESS = 78

_ENDS = {signal.SIGTERM, signal.SIGINT}
_WAITED_FOR = {*_ENDS, signal.SIGCHLD}

#: Runs worker number k; the second argument is a file descriptor that ends when the parent does.
Run = Callable[[int, int], int]


@dataclass(slots=True)
class _Worker:
    number: int
    pid: int | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    deaths: int = 0


@dataclass(slots=True)
class Workers:
    """`count` processes that run `run`; `patience` is how many seconds they have to end."""

    run: Run
    count: int
    patience: float
    _workers: list[_Worker] = field(default_factory=list)
    _ended_by: int = 0
    _kill_at: float = float("inf")
    _useless: bool = False
    _pipe: tuple[int, int] = (-1, -1)

    def serve(self) -> int:
        """Run until a signal; the exit status."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
        self._pipe = os.pipe()
        self._workers = [_Worker(number) for number in range(self.count)]
        while self._living() or not self._ended_by:
            self._start_due()
            info = signal.sigtimedwait(_WAITED_FOR, self._until_next())
            if info is not None and info.si_signo in _ENDS:
                self._end(info.si_signo)
            self._bury()
            if time.monotonic() >= self._kill_at:
                self._signal(signal.SIGKILL)
        if self._useless:
            return 1
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITED_FOR)
        signal.signal(self._ended_by, signal.SIG_DFL)
        os.kill(os.getpid(), self._ended_by)
        return 0

    def _living(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.pid is not None]

    def _until_next(self) -> float:
        """Seconds until there may be something to do without a signal."""
        now = time.monotonic()
        times = [worker.start_at for worker in self._workers if worker.pid is None and not self._ended_by]
        return max(0.0, min([now + 3600, self._kill_at, *times]) - now)

    def _start_due(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.pid is None and now >= worker.start_at and not self._ended_by:
                worker.started_at, worker.pid = now, self._fork(worker.number)
                LOG.info("worker %d is process %d", worker.number, worker.pid)

    def _fork(self, number: int) -> int:
        pid = os.fork()
        if pid:
            return pid
        status = 1
        try:
            os.close(self._pipe[1])
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITED_FOR)
            status = self.run(number, self._pipe[0])
        except ConfigurationError as error:
            print(f"multisite: {error.detail}", file=sys.stderr)  # noqa: T201 - as the command does
            status = USELESS
        except MultisiteError as error:
            LOG.error("worker %d ends: %s", number, error.detail)
        except BaseException:  # noqa: BLE001 - whatever it is: the child must not go on as the parent
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _bury(self) -> None:
        """Note which workers have ended."""
        for worker in self._living():
            pid, status = os.waitpid(worker.pid or 0, os.WNOHANG)
            if not pid:
                continue
            worker.pid = None
            if self._ended_by:
                continue
            code = os.waitstatus_to_exitcode(status)
            if code == USELESS:
                self._useless = True
                self._end(signal.SIGTERM)
                continue
            self._plan(worker, code)

    def _plan(self, worker: _Worker, code: int) -> None:
        """Let a worker that died start again in a while."""
        now = time.monotonic()
        worker.deaths = 1 if now - worker.started_at >= STEADY else worker.deaths + 1
        pause = min(LONGEST_PAUSE, PAUSE * 2 ** (worker.deaths - 1))
        worker.start_at = now + pause
        how = f"with status {code}" if code >= 0 else f"by signal {-code}"
        LOG.error("worker %d ended %s; another one starts in %g s", worker.number, how, pause)

    def _end(self, number: int) -> None:
        if not self._ended_by:
            self._ended_by, self._kill_at = number, time.monotonic() + self.patience
        # Never SIGINT: a terminal sends that to all by itself, and the second one means "at once".
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        for worker in self._living():
            os.kill(worker.pid or 0, number)
