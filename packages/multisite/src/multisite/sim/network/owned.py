"""Collections of Neutron's items that know how many each project has."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from multisite.sim.network.model import Item

T = TypeVar("T", bound=Item)


class Owned(dict[str, T]):
    """Items by id. Whatever comes or goes is counted for its project, and `changed` is called."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self.per_project: Counter[str] = Counter()
        self._changed = changed

    def __setitem__(self, item_id: str, item: T) -> None:
        if item_id in self:
            self.per_project[self[item_id].project_id] -= 1
        super().__setitem__(item_id, item)
        self.per_project[item.project_id] += 1
        self._changed()

    def __delitem__(self, item_id: str) -> None:
        self.per_project[self[item_id].project_id] -= 1
        super().__delitem__(item_id)
        self._changed()
