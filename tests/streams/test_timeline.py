"""Stream time is what dwell is measured in: it starts at 0, follows the camera where it can, never runs backwards."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.timeline import Timeline

SECONDS = st.none() | st.floats(-1e9, 1e9, allow_nan=False)
STEP = st.floats(0, 1e6, allow_nan=False)


@given(st.lists(st.tuples(SECONDS, STEP, st.none() | STEP, st.booleans()), min_size=1))
def test_stream_time_starts_at_zero_and_never_runs_backwards(
    steps: list[tuple[float | None, float, float | None, bool]],
) -> None:
    timeline = Timeline()
    times_s = []
    for pts_s, otherwise_s, at_most_s, splice in steps:
        if splice:
            timeline.splice()
        times_s.append(timeline.advance(pts_s, otherwise_s=otherwise_s, at_most_s=at_most_s))
    assert times_s[0] == 0.0
    assert times_s == sorted(times_s)
    assert all(math.isfinite(time_s) for time_s in times_s)


@pytest.mark.parametrize(
    ("pts_s", "at_most_s", "expected_s"),
    [
        ((10.0, 10.5, 12.0), None, (0.0, 0.5, 2.0)),
        ((10.0, 9.0, 9.5), None, (0.0, 0.04, 0.54)),
        ((10.0, None, 11.0), None, (0.0, 0.04, 0.08)),
        ((10.0, 3610.0, 3610.5), 2.0, (0.0, 0.04, 0.54)),
        ((10.0, 10.0, 10.2), None, (0.0, 0.0, 0.2)),
    ],
    ids=["steady", "counter restarts", "one unknown", "counter jumps", "two frames at one time"],
)
def test_an_implausible_step_is_replaced_and_the_next_plausible_one_counts(
    pts_s: tuple[float | None, ...], at_most_s: float | None, expected_s: tuple[float, ...]
) -> None:
    timeline = Timeline()
    assert [timeline.advance(pts, otherwise_s=0.04, at_most_s=at_most_s) for pts in pts_s] == pytest.approx(expected_s)


def test_after_a_splice_the_first_step_is_the_time_that_really_passed() -> None:
    timeline = Timeline()
    timeline.advance(100.0, otherwise_s=0)
    timeline.splice()
    assert timeline.advance(100.5, otherwise_s=7.25) == pytest.approx(7.25)
    assert timeline.advance(101.0, otherwise_s=0.1) == pytest.approx(7.75)
