"""Working time: half-open days, lunch, weekends, holidays and the days worked in exchange."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcement.deadlines import (
    Calendar,
    Deadline,
    Holidays,
    OfficeHours,
    add_working_days,
    add_working_time,
)
from enforcement.errors import NoWorkingTime
from enforcement.holidays import public_holidays

SHANGHAI = ZoneInfo("Asia/Shanghai")
SESSIONS = ((time(8, 30), time(12)), (time(13, 30), time(17, 30)))
WEEK = frozenset({1, 2, 3, 4, 5})
OFFICE = Calendar(SHANGHAI, (OfficeHours(date(2020, 1, 1), None, WEEK, SESSIONS),), public_holidays())
DAY = timedelta(hours=7, minutes=30)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def after(start: str, minutes: int) -> str:
    at = add_working_time(local(start), timedelta(minutes=minutes), OFFICE).at
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-11-19 10:00", 60, "2026-11-19 11:00"),
        ("2026-11-19 11:30", 60, "2026-11-19 14:00"),  # over lunch
        ("2026-11-19 11:30", 30, "2026-11-19 12:00"),  # ends with the session, not after lunch
        ("2026-11-19 12:30", 60, "2026-11-19 14:30"),  # told at lunch
        ("2026-11-19 17:00", 60, "2026-11-20 09:00"),  # over night
        ("2026-11-19 03:00", 60, "2026-11-19 09:30"),  # told at night
        ("2026-11-20 17:00", 60, "2026-11-23 09:00"),  # Friday to Monday
        ("2026-11-21 10:00", 60, "2026-11-23 09:30"),  # told on a Saturday
        ("2026-09-30 17:00", 60, "2026-10-08 09:00"),  # over National Day
        ("2026-10-09 17:00", 60, "2026-10-10 09:00"),  # to a Saturday worked in exchange
        ("2026-09-19 10:00", 60, "2026-09-20 09:30"),  # to a Sunday worked in exchange
        ("2026-02-13 17:00", 60, "2026-02-14 09:00"),  # the Saturday before Spring Festival
        ("2026-02-14 17:00", 60, "2026-02-24 09:00"),  # over Spring Festival
        ("2026-11-19 10:00", 450, "2026-11-20 10:00"),  # one working day
        ("2026-11-19 10:00", 0, "2026-11-19 10:00"),
    ],
)
def test_working_minutes_run_only_in_office_hours(start: str, minutes: int, due: str) -> None:
    assert after(start, minutes) == due


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-19 10:00", 3, "2026-11-25 00:00"),  # Friday, Monday, Tuesday to its end
        ("2026-11-21 10:00", 1, "2026-11-24 00:00"),
        ("2026-09-29 10:00", 3, "2026-10-10 00:00"),  # 30 September, 8 and 9 October
        ("2026-02-12 23:59", 2, "2026-02-15 00:00"),  # Friday, and the Saturday worked in exchange
    ],
)
def test_working_days_begin_with_the_day_after_and_end_with_their_last(start: str, days: int, due: str) -> None:
    assert add_working_days(local(start), days, OFFICE).at == local(due)


def test_a_year_whose_holidays_are_unknown_counts_weekends_only_and_says_so() -> None:
    known = add_working_time(local("2026-12-30 10:00"), timedelta(hours=2), OFFICE)
    unknown = add_working_time(local("2026-12-31 17:00"), timedelta(hours=1), OFFICE)
    assert known.complete
    assert unknown == Deadline(local("2027-01-01 09:00").astimezone(UTC), (2027,))
    assert not unknown.complete


def test_office_hours_change_on_their_day_of_effect() -> None:
    summer = OfficeHours(date(2026, 6, 1), date(2026, 10, 1), WEEK, ((time(8), time(12)),))
    winter = OfficeHours(date(2026, 10, 1), None, WEEK, ((time(9), time(12)),))
    calendar = Calendar(SHANGHAI, (summer, winter), public_holidays())
    due = add_working_time(local("2026-09-30 11:00"), timedelta(hours=2), calendar).at
    assert due == local("2026-10-08 10:00")


def test_a_calendar_that_never_works_is_an_error_and_no_endless_search() -> None:
    past = OfficeHours(date(2020, 1, 1), date(2021, 1, 1), WEEK, SESSIONS)
    for calendar in (Calendar(SHANGHAI, (past,), public_holidays()), Calendar(SHANGHAI, (), public_holidays())):
        with pytest.raises(NoWorkingTime):
            add_working_time(local("2026-11-19 10:00"), timedelta(minutes=1), calendar)
        with pytest.raises(NoWorkingTime):
            add_working_days(local("2026-11-19 10:00"), 1, calendar)


def test_an_hour_is_an_hour_also_where_clocks_are_put_forward() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    nights = OfficeHours(date(2026, 1, 1), None, frozenset({7}), ((time(1), time(5)),))
    calendar = Calendar(berlin, (nights,), Holidays(frozenset(), frozenset(), frozenset({2026}), {}))
    start = datetime(2026, 3, 29, 1, tzinfo=berlin)
    due = add_working_time(start, timedelta(hours=2), calendar).at
    assert due.astimezone(berlin).time() == time(4)  # from 01:00, and 02:00 to 03:00 never was


def working_time_between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """How much working time lies between two instants; zero when they are the other way round."""
    total = timedelta()
    day, last = calendar.local_day(start), calendar.local_day(end)
    while day <= last:
        for opens, closes in calendar.sessions_on(day):
            total += max(min(closes, end) - max(opens, start), timedelta())
        day += timedelta(days=1)
    return total


STARTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(SHANGHAI))  # noqa: DTZ001 - given a zone
SPANS = st.integers(1, 60 * 24 * 10).map(lambda minutes: timedelta(minutes=minutes))


@given(STARTS, SPANS, SPANS)
def test_times_add_up(start: datetime, first: timedelta, second: timedelta) -> None:
    once = add_working_time(start, first + second, OFFICE).at
    twice = add_working_time(add_working_time(start, first, OFFICE).at, second, OFFICE).at
    assert once == twice


@given(STARTS, SPANS)
def test_the_working_time_up_to_a_deadline_is_what_was_given(start: datetime, span: timedelta) -> None:
    due = add_working_time(start, span, OFFICE).at
    assert working_time_between(start, due, OFFICE) == span
    assert working_time_between(due, start, OFFICE) == timedelta()


@given(STARTS, SPANS)
def test_a_deadline_falls_into_office_hours_of_a_working_day(start: datetime, span: timedelta) -> None:
    due = add_working_time(start, span, OFFICE).at.astimezone(SHANGHAI)
    assert OFFICE.is_working_day(due.date())
    assert any(opens < due.time() <= closes for opens, closes in SESSIONS)


@given(STARTS, STARTS, SPANS)
def test_who_is_told_later_is_never_due_earlier(one: datetime, other: datetime, span: timedelta) -> None:
    early, late = sorted((one, other))
    assert add_working_time(early, span, OFFICE).at <= add_working_time(late, span, OFFICE).at


@given(STARTS, st.integers(1, 30))
def test_working_days_are_as_many_days_as_asked_for(start: datetime, days: int) -> None:
    due = add_working_days(start, days, OFFICE).at.astimezone(SHANGHAI)
    first = start.date() + timedelta(days=1)
    passed = [first + timedelta(days=number) for number in range((due.date() - first).days)]
    assert sum(OFFICE.is_working_day(day) for day in passed) == days
    assert OFFICE.is_working_day(passed[-1])


def test_the_holidays_of_2026_are_those_of_the_notice() -> None:
    known = public_holidays()
    assert known.years == {2026}
    assert len(known.off) == 33
    assert sorted(known.make_up) == [
        date(2026, 1, 4),
        date(2026, 2, 14),
        date(2026, 2, 28),
        date(2026, 5, 9),
        date(2026, 9, 20),
        date(2026, 10, 10),
    ]
    assert all(day.isoweekday() in {6, 7} for day in known.make_up)
    assert "国办发明电〔2025〕7号" in known.sources[2026]
    assert not known.off & known.make_up


def test_a_full_working_year_has_the_hours_its_days_give_it() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    working = sum(OFFICE.is_working_day(day) for day in days)
    span = working_time_between(local("2026-01-01 00:00"), local("2026-12-31 23:59"), OFFICE)
    assert span == working * DAY
    assert working == 248
