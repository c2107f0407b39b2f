"""Deadlines in working hours and working days: pure functions over a calendar that is passed in.

Working time runs only within the sessions of a working day. A deadline that is used up exactly at the end of a
session falls on that end, not on the start of the next one; so times add up: first a, then b, is a + b at once.
A year whose public holidays are not known counts its weekends only, and the result says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from enforcement.errors import NoWorkingTime

HORIZON_DAYS: Final = 3660


@dataclass(frozen=True, slots=True)
class Holidays:
    """Public holidays and make-up working days of the years that are known."""

    off: frozenset[date]
    make_up: frozenset[date]
    years: frozenset[int]
    sources: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Working sessions, in local time, on ISO weekdays; in effect from `first_day` until before `end_day`."""

    first_day: date
    end_day: date | None
    weekdays: frozenset[int]
    sessions: tuple[tuple[time, time], ...]

    def in_effect(self, day: date) -> bool:
        """Whether these hours hold on that day."""
        return self.first_day <= day and (self.end_day is None or day < self.end_day)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the office works: dated office hours in one zone, and the public holidays."""

    zone: ZoneInfo
    hours: tuple[OfficeHours, ...]
    holidays: Holidays

    def is_working_day(self, day: date) -> bool:
        """Whether people work on that day, as far as is known."""
        hours = self._hours_on(day)
        if hours is None or day in self.holidays.off:
            return False
        return day in self.holidays.make_up or day.isoweekday() in hours.weekdays

    def sessions_on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The working sessions of a day, in UTC, in order."""
        hours = self._hours_on(day)
        if hours is None or not self.is_working_day(day):
            return
        for start, end in hours.sessions:
            yield self._instant(day, start), self._instant(day, end)

    def local_day(self, at: datetime) -> date:
        """The day it is in the calendar's zone."""
        return at.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """The last instant of a day: the first of the next."""
        return self._instant(day + timedelta(days=1), time())

    def unknown_years(self, first: date, last: date) -> tuple[int, ...]:
        """The years of a span of days whose holidays are not known."""
        return tuple(year for year in range(first.year, last.year + 1) if year not in self.holidays.years)

    def _hours_on(self, day: date) -> OfficeHours | None:
        return next((hours for hours in self.hours if hours.in_effect(day)), None)

    def _instant(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant, and the years on the way whose public holidays were not known (then it may be too early)."""

    at: datetime
    unknown_years: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every holiday on the way was known."""
        return not self.unknown_years


def add_working_time(start: datetime, working: timedelta, calendar: Calendar) -> Deadline:
    """The instant at which so much working time has passed since `start`.

    Raises:
        NoWorkingTime: the calendar has not that much working time in the next ten years.
    """
    first = calendar.local_day(start)
    left = working
    if left <= timedelta():
        return Deadline(start)
    for day in _days_from(first):
        for opens, closes in calendar.sessions_on(day):
            available = closes - max(opens, start)
            if available >= left:
                return Deadline(max(opens, start) + left, calendar.unknown_years(first, day))
            left -= max(available, timedelta())
    raise NoWorkingTime(f"the calendar has no {working} of working time after {start.isoformat()}")


def add_working_days(start: datetime, days: int, calendar: Calendar) -> Deadline:
    """The end of the last of so many working days; the day of `start` does not count (Penalty Law 2021, art. 85).

    Raises:
        NoWorkingTime: the calendar has not that many working days in the next ten years.
    """
    first = calendar.local_day(start)
    left = days
    for day in _days_from(first + timedelta(days=1)):
        left -= calendar.is_working_day(day)
        if left <= 0:
            return Deadline(calendar.end_of(day), calendar.unknown_years(first, day))
    raise NoWorkingTime(f"the calendar has no {days} working days after {start.isoformat()}")


def _days_from(day: date) -> Iterator[date]:
    return (day + timedelta(days=number) for number in range(HORIZON_DAYS))
