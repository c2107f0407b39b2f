"""When the detector has to look at one camera again, and whether it has missed nothing since it last did."""

import math
import random

HASTE = (0.75, 1.0)
"""A look that is due now and then comes this share of its time after the last one: cameras that began together drift
apart."""

ROUNDING_S = 1e-6


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

    def is_due(self, at_s: float) -> bool:
        """Whether a picture of this time is to be looked at while something happens. Never goes back in time."""
        return at_s + ROUNDING_S >= self._next_s and at_s > self.looked_s

    def is_check_due(self, at_s: float, every_s: float) -> bool:
        """Whether a picture of this time is to be looked at although nothing happens."""
        return at_s - self.looked_s >= every_s

    def check_s(self, every_s: float) -> float:
        """`every_s`, or a little less."""
        return every_s * self._haste

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
