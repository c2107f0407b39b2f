"""The last of many values: told by one thread, read by another at any time."""

import threading
from collections import deque


class Recent:
    """The newest `most` values. A deque alone would not do: read while another thread adds to it, it may raise."""

    def __init__(self, most: int) -> None:
        self._values: deque[float] = deque(maxlen=most)
        self._lock = threading.Lock()

    def add(self, value: float) -> None:
        """One more; the oldest goes where there are too many."""
        with self._lock:
            self._values.append(value)

    @property
    def values(self) -> tuple[float, ...]:
        """All of them, newest last."""
        with self._lock:
            return tuple(self._values)
