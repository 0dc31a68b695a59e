"""`--wait`: look at an item until what was asked for has come about, and say on stderr what changes."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from osc_lib import exceptions

from osc_multisite import errors

#: Seconds between two looks, and after which `--wait` gives up.
PAUSE = 2.0
LONGEST = 1800.0

sleep: Callable[[float], None] = time.sleep


class Goal(NamedTuple):
    """The status to wait for, in lower case; `gone` is that the item is no more."""

    status: str

    def reached(self, item: dict[str, Any] | None) -> bool:
        """Whether the item is as wanted, and nothing is under way with it."""
        if item is None:
            return self.status == "gone"
        busy = item["attributes"].get("task_state")
        return not busy and str(item["status"]).lower() == self.status


def add_wait(parser: argparse.ArgumentParser) -> None:
    """`--wait`."""
    parser.add_argument("--wait", action="store_true", help="Wait until it is done")


def wait(multisite: Any, kind: str, region: str, item_id: str, goal: Goal) -> dict[str, Any] | None:
    """The item when it is as wanted; `None` where it is gone, as wanted.

    Raises:
        CommandError: it came to an error, is gone, or is not as wanted after half an hour.
    """
    began, told = time.monotonic(), ""
    while True:
        try:
            item = multisite.inventory_item(kind, region, item_id, fresh=True)
        except errors.NotFound:
            item = None
        now = _words(item)
        if now != told:
            sys.stderr.write(f"{item_id}: {now}\n")
            told = now
        if goal.reached(item):
            return item  # type: ignore[no-any-return] # JSON
        if item is None or str(item["status"]).lower().startswith("error"):
            raise exceptions.CommandError(f"{item_id} in region '{region}' is {now}, not {goal.status}.")
        if time.monotonic() - began > LONGEST:
            raise exceptions.CommandError(
                f"{item_id} in region '{region}' is still {now} after {LONGEST:g} s, not {goal.status}."
            )
        sleep(PAUSE)


def _words(item: dict[str, Any] | None) -> str:
    if item is None:
        return "gone"
    attributes = item["attributes"]
    doing = f" ({attributes['task_state']})" if attributes.get("task_state") else ""
    why = f": {attributes['fault']}" if attributes.get("fault") else ""
    return f"{str(item['status']).lower()}{doing}{why}"
