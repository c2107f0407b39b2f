"""The two clocks a source reads, as a value, so that a test can play an hour of footage without waiting for it."""

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

SHORT_S = 0.1
"""So short a wait is not interrupted: a stop is felt this much later at most."""


class Clock(Protocol):
    """Monotonic time for pacing, wall time for stamping frames, and waiting that a stop interrupts."""

    def monotonic_s(self) -> float:
        """Seconds of a clock that never runs backwards; only differences mean something."""
        ...

    def utc(self) -> datetime:
        """Aware UTC as this machine believes it."""
        ...

    def wait(self, stopped: threading.Event, seconds: float) -> bool:
        """Wait `seconds`, or until `stopped` is set (a short wait may end first); True if it is set."""
        ...


class SystemClock:
    """This machine's clocks."""

    def monotonic_s(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    def utc(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    def wait(self, stopped: threading.Event, seconds: float) -> bool:
        """Sleep on the event itself, so that a stop is felt at once; a short time without it, which is cheaper."""
        if seconds <= SHORT_S:
            time.sleep(max(0.0, seconds))
            return stopped.is_set()
        return stopped.wait(seconds)
