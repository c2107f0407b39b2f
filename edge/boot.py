"""The `clock` record: which moment of which boot the box believed to be which UTC.

The centre needs it to date what a box without a battery clock reported before a time server answered.
"""

from datetime import datetime

from alerts.clocks import boot_id, clock_quality
from alerts.messages import Clock
from alerts.outbox import Outbox

JUMP_S = 2.0
CHECK_EVERY_S = 10.0


class ClockKeeper:
    """Writes a clock record at the start, and again when the clock was set or its quality changed."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._boot = boot_id()
        self._offset_s: float | None = None
        self._quality = ""
        self._due_s = 0.0

    def check(self, utc: datetime, monotonic_s: float) -> None:
        """Compare the clocks; costs nothing between checks. Raises OutboxFull."""
        if monotonic_s < self._due_s:
            return
        self._due_s = monotonic_s + CHECK_EVERY_S
        offset_s, quality = utc.timestamp() - monotonic_s, clock_quality(utc)
        known = self._offset_s
        if known is not None and abs(offset_s - known) < JUMP_S and quality == self._quality:
            return
        message = Clock(boot=self._boot, monotonic_ms=round(monotonic_s * 1000), utc=utc, quality=quality)
        with self._outbox.transaction() as transaction:
            transaction.append(message, at=utc)
        self._offset_s, self._quality = offset_s, quality
