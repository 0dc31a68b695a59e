"""Kinds of operations: what `engine/` runs without knowing what it is."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.engine.model import Json

if TYPE_CHECKING:
    from multisite.engine.saga import Saga

Run = Callable[["Saga"], Awaitable[Json]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of operation.

    `run` does one part of it, by steps of the saga that it is given, and returns the part's result. It must
    do the same steps in the same order when it is run again: whatever it decides, it decides by results of
    steps. `steps` is how many there are (for the percentage). `operators_only`: what it finds is not for
    tenants, not even for those in the project of the operator who began it.
    """

    name: str
    run: Run
    steps: int = 1
    operators_only: bool = False


class Kinds:
    """All kinds that this process can run."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._kinds: dict[str, Kind] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Kind) -> None:
        """Have one more kind. Raises `ValueError` for a second one of a name."""
        if kind.name in self._kinds:
            raise ValueError(f"there are two kinds of operations called {kind.name}")
        self._kinds[kind.name] = kind

    def get(self, name: str) -> Kind | None:
        """The kind of a name."""
        return self._kinds.get(name)

    def for_tenants(self, name: str) -> bool:
        """Whether tenants may see operations of this kind."""
        kind = self._kinds.get(name)
        return kind is None or not kind.operators_only

    @property
    def names(self) -> Mapping[str, Kind]:
        """All kinds by name."""
        return dict(self._kinds)
