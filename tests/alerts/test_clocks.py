"""Clock quality: what the kernel says, and what no box can believe."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts import clocks
from alerts.clocks import clock_quality
from alerts.messages import ClockQuality
from tests.alerts.parts import NOON


@pytest.mark.parametrize("year", [1970, 2000, 2023])
def test_a_year_before_any_box_was_made_means_a_clock_that_was_not_set(year: int) -> None:
    assert clock_quality(datetime(year, 6, 1, tzinfo=UTC)) is ClockQuality.UNSYNCHRONISED


def test_the_kernel_gives_an_answer() -> None:
    assert clock_quality(NOON) in set(ClockQuality)


def test_the_mark_of_timesyncd_is_believed_where_the_kernel_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "synchronized"
    monkeypatch.setattr(clocks, "TIMESYNC_MARK", mark)
    monkeypatch.setattr(clocks, "_kernel_says", lambda: ClockQuality.UNKNOWN)
    assert clock_quality(NOON) is ClockQuality.UNKNOWN
    mark.touch()
    assert clock_quality(NOON) is ClockQuality.SYNCHRONISED
