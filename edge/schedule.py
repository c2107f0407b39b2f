"""Guarded hours: when a rule is in force, by the clock on the wall where the camera hangs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import IntEnum

DAY_MINUTES = 24 * 60


class Day(IntEnum):
    """Days of the week as `datetime.weekday` counts them."""

    MON = 0
    TUE = 1
    WED = 2
    THU = 3
    FRI = 4
    SAT = 5
    SUN = 6


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_min` to `end_min`, minutes after midnight, on each of `days`; into the next day if it ends earlier.

    A span that begins on Friday evening and ends on Saturday morning is a span of Friday.
    """

    days: frozenset[Day]
    start_min: int
    end_min: int

    def holds(self, local: datetime) -> bool:
        """Whether local wall time is inside; the end itself is outside."""
        minute = local.hour * 60 + local.minute
        today, yesterday = Day(local.weekday()), Day((local - timedelta(days=1)).weekday())
        if self.start_min < self.end_min:
            return today in self.days and self.start_min <= minute < self.end_min
        return (today in self.days and minute >= self.start_min) or (yesterday in self.days and minute < self.end_min)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Weekly spans in one time zone; without spans it always guards."""

    spans: Sequence[Span] = ()
    time_zone: tzinfo = UTC

    @property
    def is_always(self) -> bool:
        """Whether it guards at every hour."""
        return not self.spans

    def guards(self, utc: datetime | None) -> bool:
        """Whether the rule is in force at `utc`.

        None means that the box's clock was never set: then it guards, because a false lead costs an officer a look
        and a missed night costs the garden.
        """
        if self.is_always or utc is None:
            return True
        local = utc.astimezone(self.time_zone)
        return any(span.holds(local) for span in self.spans)


ALWAYS = Schedule()
