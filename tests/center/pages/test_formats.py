"""Numbers, times and measures in both languages."""

from datetime import UTC, datetime, timedelta

import pytest

from center.pages.formats import Formats, reading_unit, short_hash
from center.words import languages

EN = Formats(languages()["en"])
ZH = Formats(languages()["zh-CN"])
NOON = datetime(2026, 4, 5, 4, 30, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "english", "chinese"),
    [
        (0, "0 s", "0 秒"),
        (400, "0.4 s", "0.4 秒"),
        (20_000, "20 s", "20 秒"),
        (119_500, "119.5 s", "119.5 秒"),
        (125_000, "2 min 5 s", "2 分 5 秒"),
        (300_000, "5 min", "5 分钟"),
        (1_530_000, "26 min", "26 分钟"),
        (3_600_000, "1 h", "1 小时"),
        (7_800_000, "2 h 10 min", "2 小时 10 分"),
    ],
)
def test_a_duration_is_said_in_the_units_a_person_would_use(milliseconds: int, english: str, chinese: str) -> None:
    assert EN.duration(milliseconds) == english
    assert ZH.duration(milliseconds) == chinese


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (20_400, "ms", "20.4 s", "20.4 秒"),
        (870, "permille", "87 %", "87 %"),
        (5, "permille", "0.5 %", "0.5 %"),
        (3, "count", "3", "3 个"),
        (7, "lux", "7 lux", "7 lux"),
    ],
)
def test_a_measure_of_the_wire_gets_human_units(value: int, unit: str, english: str, chinese: str) -> None:
    assert EN.measure(value, unit) == english
    assert ZH.measure(value, unit) == chinese


def test_a_small_share_is_never_rounded_to_nothing() -> None:
    assert EN.share(0) == "less than 0.1 %"
    assert EN.share(1) == "0.1 %"


def test_a_moment_is_local_for_the_eye_and_utc_for_machines() -> None:
    assert EN.moment(NOON) == (
        '<time datetime="2026-04-05T04:30:09+00:00" title="5 Apr 2026, 12:30:09">5 Apr, 12:30</time>'
    )
    assert ZH.stamp(NOON, "full") == "2026年4月5日 12:30:09"


@pytest.mark.parametrize(
    ("delta", "english", "chinese"),
    [
        (timedelta(minutes=14), "in 14 minutes", "14分钟后"),
        (timedelta(hours=-3), "3 hours ago", "3小时前"),
        (timedelta(hours=1, minutes=59), "in 1 hour", "1小时后"),
        (timedelta(minutes=-119, seconds=-59), "1 hour ago", "1小时前"),
        (timedelta(days=1, hours=23), "in 1 day", "1天后"),
        (timedelta(days=20), "in 20 days", "20天后"),
        (timedelta(seconds=59), "in 59 seconds", "59秒钟后"),
    ],
)
def test_a_deadline_says_how_far_it_is(delta: timedelta, english: str, chinese: str) -> None:
    assert EN.distance(NOON + delta, NOON) == english
    assert ZH.distance(NOON + delta, NOON) == chinese


@pytest.mark.parametrize(("size", "words"), [(999, "999 B"), (61_200, "61 kB"), (1_440_000, "1.4 MB")])
def test_sizes_are_rounded_to_what_matters(size: int, words: str) -> None:
    assert EN.size(size) == words


def test_land_is_said_in_mu_and_weight_in_kilograms() -> None:
    assert EN.mu(2000) == "3 mu"
    assert ZH.mu(2000) == "3 亩"
    assert ZH.kilograms(21_450) == "21.45 千克"


def test_a_hash_keeps_enough_to_compare_by_eye() -> None:
    assert short_hash("0123456789abcdef" * 4) == "01234567…cdef"
    assert short_hash("short") == "short"


@pytest.mark.parametrize(
    ("value", "unit", "words", "shown_unit"),
    [
        (310, "µg/kg", "0.31", "mg/kg"),
        (5000, "µg/kg", "5.0", "mg/kg"),
        (10, "µg/kg", "0.01", "mg/kg"),
        (58, "‰", "5.8", "%"),
        (70, "‰", "7.0", "%"),
        (7, "CFU/g", "7", "CFU/g"),
    ],
)
def test_a_laboratorys_number_is_said_in_the_unit_people_read(
    value: int, unit: str, words: str, shown_unit: str
) -> None:
    assert (EN.reading(value, unit), reading_unit(unit)) == (words, shown_unit)


def test_the_end_of_a_time_names_its_day_only_where_it_is_another() -> None:
    assert ">12:31:09</time>" in EN.until(NOON + timedelta(minutes=1), NOON)
    assert ">6 Apr 2026, 00:00:09</time>" in EN.until(NOON + timedelta(hours=11.5), NOON)
