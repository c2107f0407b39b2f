"""What a box does about twice a second beside watching."""

import sqlite3
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

STUCK_S = 120.0
"""No turn of a camera takes so long, whatever the machine: a session that does hangs in foreign code."""

WELL_AFTER_S = 30.0
"""A duty that failed is tried again sooner than this; if none has failed for so long, all is well again."""


class Pulse:
    """Call it: it feeds the watchdog while no session hangs, looks at the clock, tidies memory and does its `duties`.

    A duty that fails ends nothing: why is said once, and again if it comes back after all was well.
    """

    def __init__(self, outbox: Outbox, tell: Tell, *, now: Callable[[], datetime]) -> None:
        self.duties: tuple[Callable[[], None], ...] = ()
        self.turn_s: Callable[[], float] = lambda: 0.0
        """How long the longest turn of a session lasts by now; to be set."""

        self._is_stuck = False
        self._watchdog = Watchdog()
        self._clock = ClockKeeper(outbox)
        self._outbox = outbox
        self._tell = tell
        self._now = now
        self._has_begun = False
        self._told: set[str] = set()
        self._failed_s = 0.0
        self._tidy_s = 0.0

    def __call__(self) -> None:
        """One beat; with the first the service manager hears that the box has started."""
        if not self._has_begun:
            self._has_begun = True
            self._watchdog.ready()
        self._feed()
        for duty in (self._look_at_the_clock, self._tidy, *self.duties):
            try:
                duty()
            except (AlertsError, OSError, sqlite3.Error) as error:
                self._say_failed(str(error))
        self._say_well()

    def _feed(self) -> None:
        """The service manager starts the box again if it hears nothing, so a session that hangs ends this too."""
        is_stuck = (turn_s := self.turn_s()) >= STUCK_S
        if is_stuck and not self._is_stuck:
            reason = f"a session has not come back for {turn_s:.0f} s; the service manager starts the box again"
            self._tell("trouble", what="sessions", reason=reason)
        elif self._is_stuck and not is_stuck:
            self._tell("trouble_over", what="sessions")
        self._is_stuck = is_stuck
        if not is_stuck:
            self._watchdog.alive(self._outbox.trouble or "watching")

    def _look_at_the_clock(self) -> None:
        self._clock.check(self._now(), time.monotonic())

    def _tidy(self) -> None:
        if (now_s := time.monotonic()) >= self._tidy_s:
            self._tidy_s = now_s + TIDY_EVERY_S
            give_back()

    def _say_failed(self, reason: str) -> None:
        self._failed_s = time.monotonic()
        if reason not in self._told:
            self._told.add(reason)
            self._tell("trouble", what="outbox", reason=reason)

    def _say_well(self) -> None:
        if self._told and time.monotonic() - self._failed_s >= WELL_AFTER_S:
            self._told.clear()
            self._tell("trouble_over", what="outbox")
