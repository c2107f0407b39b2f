"""Clocks that obey the test."""

import threading
from datetime import UTC, datetime, timedelta


class QuickClock:
    """Waiting takes no time: the clock jumps to where the wait would have ended."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.waited_s: list[float] = []

    def monotonic_s(self) -> float:
        return self.now_s

    def utc(self) -> datetime:
        return datetime(2026, 4, 5, tzinfo=UTC) + timedelta(seconds=self.now_s)

    def wait(self, stopped: threading.Event, seconds: float) -> bool:
        self.waited_s.append(seconds)
        self.now_s += max(0.0, seconds)
        return stopped.is_set()


class FrozenClock(QuickClock):
    """Time stands still from the second wait on: only a stop ends it. `waiting` is set once somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.Event()

    def wait(self, stopped: threading.Event, seconds: float) -> bool:
        if seconds <= 0:
            return stopped.is_set()
        self.waiting.set()
        return stopped.wait(30)
