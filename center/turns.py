"""First come, first served: a lock for threads that keeps their order.

SQLite lets one connection write. Another that wants to asks again after pauses that grow to a tenth of a second, and
whoever asks in the right moment gets in: the longer somebody has waited, the seldomer he asks. A picture's small copy
was seen to wait 0.8 s so while the database was free a dozen times, and the pages' connections with it.
"""

import threading
from collections import deque


class Turn:
    """A place in the line. `leave()` when done, from any thread; once more is harmless."""

    def __init__(self, line: "Turns") -> None:
        self._line = line
        self.has_come = threading.Event()

    def leave(self) -> None:
        """Let the next one in."""
        self._line.remove(self)


class Turns:
    """The line of those who want the same thing; the first in it has it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: deque[Turn] = deque()

    def __len__(self) -> int:
        """How many have it or wait for it."""
        with self._lock:
            return len(self._line)

    def take(self, patience_s: float) -> Turn:
        """Wait until all who came before have left, but not for ever; the place is kept even then."""
        turn = Turn(self)
        with self._lock:
            self._line.append(turn)
            self._line[0].has_come.set()
        turn.has_come.wait(patience_s)
        return turn

    def remove(self, turn: Turn) -> None:
        """This one needs it no more."""
        with self._lock:
            if turn in self._line:
                self._line.remove(turn)
            if self._line:
                self._line[0].has_come.set()
