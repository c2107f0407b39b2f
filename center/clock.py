"""The clock that a centre stamps, judges and deletes by, also where the machine's own clock leaps.

An empty battery, a time server that lost its mind, a hand that slipped: a machine's clock can be years off from one
second to the next. What was stamped then is stamped for good, and deadlines, registers and terms of deletion go by it.
So a leap of a day or more is followed only where a time server keeps the clock. Else the centre reckons on from the
time it had, by the clock that only counts, until the machine's is back or somebody says that it is right
(`timekeeping`). Smaller leaps are followed: a machine that was paused, a clock put right by hand.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from alerts.clocks import clock_quality
from alerts.messages import ClockQuality

LEAP: Final = timedelta(days=1)

log = structlog.get_logger()


class Machine:
    """What this machine says: the time, the seconds it has run (also asleep), and whether a time server keeps it."""

    ahead: timedelta = timedelta(0)
    """How wrong the clock is made to be, by `center.mortal` for the bench of faults and by nothing else."""

    def utc(self) -> datetime:
        """The wall clock, aware UTC."""
        return datetime.now(UTC) + self.ahead

    def running_s(self) -> float:
        """A clock that nobody sets."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def is_kept(self) -> bool:
        """Whether a time server keeps the wall clock."""
        return clock_quality(self.utc()) is ClockQuality.SYNCHRONISED


class SetMachine(Machine):
    """A machine whose every clock is somebody's function: it never leaps."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def utc(self) -> datetime:
        """What the function says."""
        return self._now()

    def running_s(self) -> float:
        """The same, counted."""
        return self._now().timestamp()


@dataclass(frozen=True, slots=True)
class Leap:
    """The machine's clock went from one time to another in no time."""

    before: datetime
    after: datetime
    is_followed: bool


MACHINE: Final = Machine()


class OfficeClock:
    """Call it for the time; usable from any thread."""

    def __init__(self, machine: Machine = MACHINE) -> None:
        self.machine = machine
        self._lock = threading.Lock()
        self._at, self._at_s = machine.utc(), machine.running_s()
        self._leap: Leap | None = None

    def __call__(self) -> datetime:
        """The time now, aware UTC."""
        with self._lock:
            machine_at, running_s = self.machine.utc(), self.machine.running_s()
            reckoned = self._at + timedelta(seconds=running_s - self._at_s)
            if abs(machine_at - reckoned) >= LEAP:
                self._note(reckoned, machine_at)
            elif self._leap is not None and not self._leap.is_followed:
                log.info("clock_is_back", at=machine_at.isoformat())
                self._leap = None
            at = reckoned if self._leap is not None and not self._leap.is_followed else machine_at
            self._at, self._at_s = at, running_s
            return at

    @property
    def leap(self) -> Leap | None:
        """The last leap: one that is not followed is over when the machine's clock is back, and is forgotten then."""
        self()
        return self._leap

    def follow(self) -> None:
        """Believe the machine from now on: somebody has said that its clock is right."""
        with self._lock:
            self._at, self._at_s = self.machine.utc(), self.machine.running_s()
            self._leap = None

    def _note(self, reckoned: datetime, machine_at: datetime) -> None:
        is_followed = self.machine.is_kept()
        if self._leap is None or self._leap.is_followed or is_followed:
            self._leap = Leap(reckoned, machine_at, is_followed)
            log.warning("clock_leapt", before=reckoned.isoformat(), after=machine_at.isoformat(), followed=is_followed)
