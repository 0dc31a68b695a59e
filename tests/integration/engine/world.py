"""A world outside of the database, in which steps do things: a log, one line per thing that was done.

What there is follows from the log, so who is killed did a thing and wrote it down, or neither. Each thing is
made at most once: making one that is there leaves a trace, the line `!name`.
"""

import os
from pathlib import Path


class World:
    """The log in a folder; it outlives every process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "log"

    def has(self, name: str) -> bool:
        """Whether there is a thing of this name."""
        return name in self.things

    def make(self, name: str) -> None:
        """Make a thing. Raises `FileExistsError` where there is one."""
        there = self.has(name)
        self._note(f"+{name}")
        if there:
            raise FileExistsError(name)

    def remove(self, name: str) -> None:
        """Remove a thing. Raises `FileNotFoundError` where there is none."""
        if not self.has(name):
            raise FileNotFoundError(name)
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
        return sorted(self._replayed()[0])

    @property
    def log(self) -> list[str]:
        """What was done; of a thing that was there already, that somebody made it again."""
        return self._replayed()[1]

    def _replayed(self) -> tuple[set[str], list[str]]:
        things, log = set[str](), list[str]()
        for line in self._log.read_text().split() if self._log.exists() else ():
            sign, name = line[0], line[1:]
            log.append(f"!{name}" if sign == "+" and name in things else line)
            if sign == "+":
                things.add(name)
            elif sign == "-":
                things.discard(name)
        return things, log

    def _note(self, line: str) -> None:
        """Append a line in one piece, whoever else does."""
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(log, f"{line}\n".encode())
        finally:
            os.close(log)
