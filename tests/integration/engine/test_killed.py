"""A saga whose process dies around any commit ends as if nothing had happened."""

from pathlib import Path
from typing import Any

import pytest

from multisite.engine.model import State
from tests.integration.engine.conftest import Desk, Nursery
from tests.integration.engine.executor import STEPS

#: More commits than any of these sagas makes.
ENOUGH = 200


def expected(*, fails: bool) -> tuple[list[str], list[str], State]:
    """Things, what was done, and the state at the end."""
    names = [f"one-{number}" for number in range(1, STEPS + 1)]
    made = [f"+{name}" for name in names]
    if fails:
        return [], made + [f"-{name}" for name in reversed(names)], State.FAILED
    return sorted(names), made, State.SUCCEEDED


def killed_at_each_commit(desk_of: Any, nursery: Nursery, when: str, **arguments: Any) -> list[str]:
    """Kill a process at its commit number 1, 2, 3 …, let another one go on; what was not as it should be."""
    wrong: list[str] = []
    for number in range(1, ENOUGH):
        desk: Desk = desk_of(number)
        careless = arguments.get("careless", False)
        operation_id = desk.begin(**{key: value for key, value in arguments.items() if key != "careless"})
        first = desk.orders(
            f"first-{number}", operation=operation_id, crash_at=number, when=when, careless=careless
        )
        status = nursery.wait(nursery.start(first))
        if status == 0:
            desk.close()
            assert number > 2 * STEPS, "each step commits twice"
            return wrong
        assert status == -9
        second = desk.orders(f"second-{number}", operation=operation_id, careless=careless)
        pid = nursery.start(second)
        operation = desk.wait(operation_id)
        assert nursery.wait(pid) == 0
        seen = (desk.world.things, desk.world.log, operation.state)
        if seen != expected(fails=bool(arguments.get("fails"))):
            wrong.append(f"{when} commit {number}: {seen}")
        desk.close()
    raise AssertionError("the saga did not end")


@pytest.fixture
def desk_of(database_url: str, tmp_path: Path) -> Any:
    """Makes a desk with a world of its own, on SQLite with a database of its own."""

    def make(number: int) -> Desk:
        folder = tmp_path / f"world-{number}"
        url = database_url
        if url.startswith("sqlite"):
            folder.mkdir()
            copy = folder / "multisite.sqlite"
            copy.write_bytes(Path(url.removeprefix("sqlite:///")).read_bytes())
            url = f"sqlite:///{copy}"
        return Desk(url, folder)

    return make


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fails", [False, True], ids=["succeeds", "is undone"])
def test_a_saga_that_is_killed_anywhere_ends_the_same(
    desk_of: Any, nursery: Nursery, when: str, *, fails: bool
) -> None:
    assert killed_at_each_commit(desk_of, nursery, when, fails=fails) == []


def test_without_looking_for_its_own_result_it_would_not(desk_of: Any, nursery: Nursery) -> None:
    assert killed_at_each_commit(desk_of, nursery, "before", careless=True) != []
