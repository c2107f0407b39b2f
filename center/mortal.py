"""A centre that can be told to die at a write: `python -m center.mortal FILE center serve …`.

The same program as `teawatch center serve …`, for `teawatch bench delivery`. On SIGUSR1 it reads a number out of FILE
and counts from then on: before each statement that writes, before each commit and after it, before a file is opened for
writing, gets its name or is removed. At that number it is killed from inside by SIGKILL: for its files, kill -9 at that
boundary.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

import teawatch

WRITES = ("INSERT", "UPDATE", "DELETE")
FILE_EVENTS = frozenset({"os.rename", "os.remove", "os.link", "os.truncate"})
WRITING = os.O_WRONLY | os.O_RDWR
"""What the interpreter tells its audit hooks before it is done (PEP 578)."""


class Fate:
    """Counts boundaries down once it is armed."""

    def __init__(self) -> None:
        self._left: int | None = None

    def arm(self, boundaries: int) -> None:
        """Let so many boundaries be the last."""
        self._left = boundaries

    def passes(self) -> None:
        """One more boundary."""
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def heed(self, event: str, args: tuple[Any, ...]) -> None:
        """An audit hook: files count too."""
        if self._left is None:
            return
        if event in FILE_EVENTS or (event == "open" and isinstance(args[2], int) and args[2] & WRITING):
            self.passes()

    def watch(self) -> None:
        """Have every database and every file of this process count."""
        sys.addaudithook(self.heed)

        def before_statement(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401 - SQLAlchemy's signature
            if statement.lstrip().startswith(WRITES):
                self.passes()

        event.listen(Engine, "before_cursor_execute", before_statement)
        event.listen(Engine, "commit", lambda _connection: self.passes())
        event.listen(Session, "after_commit", lambda _session: self.passes())


def main() -> None:
    """Be the centre."""
    file, fate = Path(sys.argv[1]), Fate()
    fate.watch()
    signal.signal(signal.SIGUSR1, lambda *_: fate.arm(int(file.read_text(encoding="ascii"))))
    teawatch.app(sys.argv[2:])


if __name__ == "__main__":
    main()
