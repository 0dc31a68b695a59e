"""A world outside of the database, in which steps do things: files of a folder.

Each thing is made at most once: making one that is there is an error, and so leaves a trace. A line of the
log says what was done, in order.
"""

import os
from pathlib import Path


class World:
    """The folder; it outlives every process."""

    def __init__(self, folder: Path) -> None:
        self._things = folder / "things"
        self._log = folder / "log"
        self._things.mkdir(parents=True, exist_ok=True)

    def has(self, name: str) -> bool:
        """Whether there is a thing of this name."""
        return (self._things / name).exists()

    def make(self, name: str) -> None:
        """Make a thing. Raises `FileExistsError` where there is one, which the log tells as `!name`."""
        try:
            os.close(os.open(self._things / name, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            self._note(f"!{name}")
            raise
        self._note(f"+{name}")

    def remove(self, name: str) -> None:
        """Remove a thing. Raises `FileNotFoundError` where there is none."""
        (self._things / name).unlink()
        self._note(f"-{name}")

    def enter(self, room: str) -> None:
        """Be one more in a room."""
        self._note(f"({room}")

    def leave(self, room: str) -> None:
        """Leave a room."""
        self._note(f"){room}")

    @property
    def things(self) -> list[str]:
        """What there is."""
        return sorted(path.name for path in self._things.iterdir())

    @property
    def log(self) -> list[str]:
        """What was done."""
        return self._log.read_text().split() if self._log.exists() else []

    def _note(self, line: str) -> None:
        with self._log.open("a") as log:
            log.write(f"{line}\n")
