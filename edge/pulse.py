"""What a box does about twice a second beside watching."""

import time
from collections.abc import Callable
from datetime import datetime

from alerts.errors import AlertsError
from alerts.outbox import Outbox
from edge.announcements import Tell
from edge.boot import ClockKeeper
from edge.memory import give_back
from edge.watchdog import Watchdog

TIDY_EVERY_S = 60.0


class Pulse:
    """Call it: it feeds the watchdog, looks at the clock, gives memory back and does its further `duties`.

    A full outbox is said once.
    """

    def __init__(self, outbox: Outbox, tell: Tell, *, now: Callable[[], datetime]) -> None:
        self.duties: tuple[Callable[[], None], ...] = ()
        self._watchdog = Watchdog()
        self._watchdog.ready()
        self._clock = ClockKeeper(outbox)
        self._outbox = outbox
        self._tell = tell
        self._now = now
        self._told = ""
        self._tidy_s = 0.0

    def __call__(self) -> None:
        """One beat."""
        self._watchdog.alive(self._outbox.trouble or "watching")
        for duty in (self._look_at_the_clock, self._tidy, *self.duties):
            try:
                duty()
            except AlertsError as error:
                if str(error) != self._told:
                    self._told = str(error)
                    self._tell("trouble", what="outbox", reason=self._told)

    def _look_at_the_clock(self) -> None:
        self._clock.check(self._now(), time.monotonic())

    def _tidy(self) -> None:
        if (now_s := time.monotonic()) >= self._tidy_s:
            self._tidy_s = now_s + TIDY_EVERY_S
            give_back()
