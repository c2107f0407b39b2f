from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from edge.schedule import ALWAYS, Day, Schedule, Span

SHANGHAI = ZoneInfo("Asia/Shanghai")
WORKDAYS = frozenset(list(Day)[:5])
# Wednesday 2026-04-01 and Sunday 2026-04-05; Shanghai is 8 hours ahead of UTC all year.
NIGHT = Schedule((Span(frozenset({Day.FRI}), 22 * 60, 6 * 60),), SHANGHAI)
SHIFTS = Schedule((Span(WORKDAYS, 8 * 60, 12 * 60), Span(WORKDAYS, 14 * 60, 24 * 60)), SHANGHAI)


def shanghai(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 4, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(
    ("schedule", "at", "guards"),
    [
        (NIGHT, shanghai(3, 21, 59), False),
        (NIGHT, shanghai(3, 22), True),
        (NIGHT, shanghai(4, 5, 59), True),  # Saturday morning belongs to Friday night
        (NIGHT, shanghai(4, 6), False),
        (NIGHT, shanghai(4, 23), False),
        (NIGHT, shanghai(3, 5), False),  # Friday morning belongs to Thursday night
        (SHIFTS, shanghai(1, 7, 59), False),
        (SHIFTS, shanghai(1, 8), True),
        (SHIFTS, shanghai(1, 13), False),
        (SHIFTS, shanghai(1, 14), True),
        (SHIFTS, shanghai(1, 23, 59), True),
        (SHIFTS, shanghai(4, 9), False),
        (ALWAYS, shanghai(4, 9), True),
    ],
)
def test_a_schedule_guards_by_the_clock_on_the_wall(schedule: Schedule, at: datetime, guards: bool) -> None:
    assert schedule.guards(at) is guards


def test_a_box_whose_clock_was_never_set_always_guards() -> None:
    assert NIGHT.guards(None)


def test_guarded_hours_follow_summer_time() -> None:
    morning = Schedule((Span(frozenset(Day), 8 * 60, 9 * 60),), ZoneInfo("Europe/Berlin"))
    assert morning.guards(datetime(2026, 1, 10, 7, 30, tzinfo=UTC))
    assert not morning.guards(datetime(2026, 7, 10, 7, 30, tzinfo=UTC))
    assert morning.guards(datetime(2026, 7, 10, 6, 30, tzinfo=UTC))
