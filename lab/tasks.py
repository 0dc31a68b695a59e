"""Doing several things at once, and giving up on all of them when one fails.

A thread that waits for a process would wait for minutes after another has failed. So the first
failure is kept, whoever waits is told to give up (`Processes.give_up`), what has not begun is
dropped, and the first failure, not one that followed from it, is what the caller sees.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, Self

from lab.processes import Processes

Arguments = ParamSpec("Arguments")
Task = Future[None]
# More than there are tasks: some wait for others, and must not keep those from beginning.
THREADS = 100


class Tasks:
    """A pool of threads that stands and falls together."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._threads = ThreadPoolExecutor(THREADS)
        self._failure: BaseException | None = None

    def submit(
        self,
        function: Callable[Arguments, None],
        *arguments: Arguments.args,
        **keywords: Arguments.kwargs,
    ) -> Task:
        """Begin a task as soon as a thread is free."""

        def guarded() -> None:
            try:
                function(*arguments, **keywords)
            except BaseException as error:
                self._fail(error)
                raise

        return self._threads.submit(guarded)

    def wait(self, tasks: Iterable[Task]) -> None:
        """Wait for tasks; raise the first failure of any task of the pool."""
        for task in tasks:
            task.result()

    def check(self) -> None:
        """Raise the first failure, if there is one."""
        if self._failure is not None:
            raise self._failure

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._processes.give_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._fail(error)
        self._threads.shutdown(cancel_futures=error is not None)
        if self._failure is not None and self._failure is not error:
            raise self._failure from None
