"""A saga whose process dies around any commit ends as if nothing had happened."""

import itertools
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from multisite.engine.model import State
from tests.integration.engine.conftest import Desk, Nursery
from tests.integration.engine.executor import STEPS
from tests.postgresql import Server

#: More commits than any of these sagas makes.
ENOUGH = 200
#: How many walk at once: a process spends most of its life with waiting.
LANES = 3
#: Seconds. Beats are commits, too, and the same one again and again: a few of them will do.
FIRST = {"beat": 0.25, "ttl": 2.0}
#: The second process may take the first one for dead soon: it is.
SECOND = {"beat": 0.2, "ttl": 0.2}

#: The number at which a test begins, and how far it is from each to the next: so tests share a walk.
Share = tuple[int, int]
WHOLE: Share = (1, 1)
SHARES: Sequence[Share] = ((1, 3), (2, 3), (3, 3))

#: Makes the desk for the commit of a number, which one of those who walk at once asks for.
DeskOf = Callable[[int, int], Desk]


def expected(*, fails: bool) -> tuple[list[str], list[str], State]:
    """Things, what was done, and the state at the end."""
    names = [f"one-{number}" for number in range(1, STEPS + 1)]
    made = [f"+{name}" for name in names]
    if fails:
        return [], made + [f"-{name}" for name in reversed(names)], State.FAILED
    return sorted(names), made, State.SUCCEEDED


def killed_at_each_commit(
    desk_of: DeskOf, nursery: Nursery, when: str, share: Share = WHOLE, **arguments: Any
) -> list[str]:
    """Kill a process at its commit number 1, 2, 3 …, let another one go on; what was not as it should be.

    Of several shares of the numbers, this is one. Several walk at once, each in databases of its own, and
    each takes the next number. When one finds the saga's end, those numbers that others walk are walked to
    their end, too.
    """
    numbers, ended, wrong = itertools.count(*share), threading.Event(), list[str]()

    def walk(lane: int) -> None:
        while not ended.is_set():
            number = next(numbers)
            assert number < ENOUGH, "the saga did not end"
            with closing(desk_of(lane, number)) as desk:
                if not killed_at(desk, nursery, when, number, wrong, **arguments):
                    ended.set()
                    assert number > 2 * STEPS, "each step commits twice"

    with ThreadPoolExecutor(LANES) as lanes:
        for done in [lanes.submit(walk, lane) for lane in range(LANES)]:
            done.result()
    return wrong


def killed_at(
    desk: Desk, nursery: Nursery, when: str, number: int, wrong: list[str], **arguments: Any
) -> bool:
    """Kill a process at one commit, and let another one go on; whether there was such a commit."""
    careless = arguments.pop("careless", False)
    operation_id = desk.begin(**arguments)
    first = desk.orders(
        f"first-{number}", operation=operation_id, crash_at=number, when=when, careless=careless, **FIRST
    )
    status = nursery.wait(nursery.start(first))
    if status == 0:
        return False
    assert status == -signal.SIGKILL
    second = desk.orders(f"second-{number}", operation=operation_id, careless=careless, **SECOND)
    assert nursery.wait(nursery.start(second)) == 0, "it ends when the operation has ended"
    seen = (desk.world.things, desk.world.log, desk.operation(operation_id).state)
    if seen != expected(fails=bool(arguments.get("fails"))):
        wrong.append(f"{when} commit {number}: {seen}")
    return True


@pytest.fixture
def desk_of(
    database_kind: str, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[DeskOf]:
    """Makes a desk with a world of its own; each has a database of its own, on PostgreSQL each lane."""
    server: Server | None = request.getfixturevalue("postgresql") if database_kind == "postgresql" else None
    urls = [database_url, *(server.upgraded() for _ in range(1, LANES) if server)]

    def make(lane: int, number: int) -> Desk:
        folder = tmp_path / f"world-{number}"
        if server:
            return Desk(urls[lane], folder)
        folder.mkdir()
        copy = folder / "multisite.sqlite"
        copy.write_bytes(Path(database_url.removeprefix("sqlite:///")).read_bytes())
        return Desk(f"sqlite:///{copy}", folder)

    yield make
    for url in urls[1:]:
        assert server
        server.drop(url)


@pytest.mark.parametrize("share", SHARES, ids=lambda share: "from {} by {}".format(*share))
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fails", [False, True], ids=["succeeds", "is undone"])
def test_a_saga_that_is_killed_anywhere_ends_the_same(
    desk_of: DeskOf, nursery: Nursery, when: str, share: Share, *, fails: bool
) -> None:
    assert killed_at_each_commit(desk_of, nursery, when, share, fails=fails) == []


def test_without_looking_for_its_own_result_it_would_not(desk_of: DeskOf, nursery: Nursery) -> None:
    assert killed_at_each_commit(desk_of, nursery, "before", careless=True) != []
