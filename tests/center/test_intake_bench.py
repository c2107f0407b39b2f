"""The bench of intake says what it promises to say, and counts only alerts that have a task and links."""

import os
from collections.abc import Iterator

import pytest

from center.intake.bench.command import measure

PROMISED = {"ratio_sqlite", "ratio_postgres", "alerts_per_s"}


@pytest.fixture
def own_cores() -> Iterator[None]:
    """The bench keeps off the core it measures on; the next test has them all again."""
    before = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.system("mosquitto", "postgresql")
def test_every_figure_is_above_nothing_and_each_alert_was_checked(own_cores: None) -> None:
    figures = measure(700, 4)

    assert set(figures) >= PROMISED
    assert all(figures[name] > 0 for name in PROMISED)
    assert figures["alerts"] == 700
