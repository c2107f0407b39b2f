"""When the detector has to look at one camera again, and whether it has missed nothing since it last did."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from edge.gate.gate import GateSettings

KNOWN_TIMES = 15
"""What is reported already is checked so much more rarely than what may become worth reporting."""

LONGEST_KEY_WAIT_S = 2.5
"""A check waits for the next key frame of a camera that sends them no further apart."""

HASTE = (0.6, 0.9)
"""A look that is due now and then may come this share of its time after the last one, if nobody else needs the
detector just then: cameras that began together drift apart."""

ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class Span:
    """How long after a look the next one may come although nothing happens, and how long after it must."""

    may_s: float
    must_s: float


class Agenda:
    """All times are stream time, in seconds."""

    def __init__(self, period_s: float) -> None:
        """`period_s` between looks while something happens."""
        self.period_s = period_s
        self.looked_s = -math.inf
        self.looked_take = -1
        self._next_s = -math.inf
        self._has_missed = True
        self._haste = 1.0
        self._key_wait_s = 0.0

    def expect_key(self, after_s: float) -> None:
        """Key frames come so far apart."""
        self._key_wait_s = after_s if 0 < after_s <= LONGEST_KEY_WAIT_S else 0.0

    def span(self, settings: GateSettings, *, is_undecided: bool, has_pending: bool) -> Span:
        """For a camera that is not awake; `is_undecided`: something may be happening that must not be missed."""
        if is_undecided:
            return Span(settings.recheck_s, settings.recheck_s)
        known_s = KNOWN_TIMES * settings.recheck_s if has_pending else math.inf
        must_s = min(known_s, settings.check_every_s)
        return Span(must_s * self._haste, must_s)

    def is_due(self, at_s: float) -> bool:
        """Whether a picture of this time is to be looked at while something happens. Never goes back in time."""
        return at_s + ROUNDING_S >= self._next_s and at_s > self.looked_s

    def is_check_due(self, at_s: float, span: Span, others_wait: Callable[[], bool]) -> bool:
        """Whether a picture of this time is to be looked at although nothing happens; late where `others_wait`."""
        since_s = at_s - self.looked_s
        return since_s >= span.may_s and (since_s >= span.must_s or not others_wait())

    def check_by_s(self, span: Span) -> float:
        """When a sleeping camera is looked at even if no key frame comes."""
        return self.looked_s + span.must_s + self._key_wait_s

    def hurry(self) -> None:
        """The next picture is due."""
        self._next_s = -math.inf

    def miss(self) -> None:
        """Something may have happened that nobody saw."""
        self._has_missed = True

    def until_next_s(self, newest_s: float) -> float:
        """Seconds from now until a picture that is due will be there, if the newest one is of `newest_s`."""
        return min(self.period_s, max(0.01, self._next_s - newest_s))

    def look(self, at_s: float, take: int) -> bool:
        """Note that a picture is looked at; whether everything between the last look and this one was watched."""
        vouched = not self._has_missed and take == self.looked_take
        self._has_missed, self.looked_take, self.looked_s = False, take, at_s
        self._next_s = max(self._next_s + self.period_s, at_s)
        if self._next_s <= at_s:
            self._next_s = at_s + self.period_s
        self._haste = random.uniform(*HASTE)  # noqa: S311 - spreads load, no secret
        return vouched
