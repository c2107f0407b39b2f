"""Events as JSON lines for another program; whether it reads them late, stops reading or goes away, nobody waits."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from io import RawIOBase
from typing import Any

from edge.background import Background

MOST_WAITING = 10_000
"""Lines that a reader may be behind; it misses what comes then, and is told how many."""

DRAIN_S = 5.0
"""At the end a reader has so long for what it has not read yet."""


class EventLines(Background):
    """A sink of events that writes in a thread of its own between `with` and its end.

    The stream is a raw one: a buffer would be locked for as long as nobody reads, also against the interpreter's end.
    """

    def __init__(self, stream: RawIOBase) -> None:
        self._stream = stream
        self._lines: deque[str] = deque()
        self._missed = 0
        self._is_gone = False
        self._changed = threading.Condition()
        super().__init__("events", patience_s=DRAIN_S)

    def __call__(self, event: str, fields: Mapping[str, Any]) -> None:
        """Take one event."""
        if self._is_gone:
            return
        with self._changed:
            if len(self._lines) >= MOST_WAITING:
                self._missed += 1
                return
            if self._missed:
                self._lines.append(_line("missed", {"count": self._missed}))
                self._missed = 0
            self._lines.append(_line(event, fields))
            self._changed.notify()

    def _stop(self) -> None:
        with self._changed:
            super()._stop()
            self._changed.notify()

    def _run(self) -> None:
        while lines := self._next():
            try:
                self._write(lines.encode())
            except (BrokenPipeError, ValueError):
                self._is_gone = True
                return
            except OSError:  # no room on the disk, say: what was to be written then is missed
                continue

    def _next(self) -> str:
        """What waits, at once; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._stopping.is_set())
            lines = "".join(self._lines)
            self._lines.clear()
        return lines

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._stream.write(left) or 0 :]


def _line(event: str, fields: Mapping[str, Any]) -> str:
    return json.dumps({"event": event, "at": datetime.now(UTC).isoformat(), **fields}) + "\n"
