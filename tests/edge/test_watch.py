from datetime import UTC, datetime

import pytest

from edge.watch import CameraWatch, WatchClock
from tests.edge.parts import CLASSES, NOON, VAN, family_of, make_detections, make_frame, post


@pytest.mark.parametrize(
    ("stream_times", "monotonic_times", "watched_s", "gaps"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], 3, [0, 0, 0, 0]),
        ([0, 1, 61, 62], [0, 1, 61, 62], 2, [0, 0, 60, 0]),  # the stream was broken for a minute
        ([50, 51, 0, 1], [0, 1, 9, 10], 2, [0, 0, 8, 0]),  # the stream began again
        ([0, 0, 0], [0, 1, 2], 0, [0, 0, 0]),
    ],
)
def test_watched_time_counts_only_while_the_camera_looked(
    stream_times: list[float], monotonic_times: list[float], watched_s: float, gaps: list[float]
) -> None:
    clock = WatchClock()
    found = [clock.advance(*times) for times in zip(stream_times, monotonic_times, strict=True)]
    assert (clock.watched_s, found) == (watched_s, gaps)


def test_boxes_reach_the_rules_in_shares_so_that_a_new_resolution_changes_nothing() -> None:
    watch = CameraWatch([post("stationary", dwell_s=5)], class_names=CLASSES, family_of=family_of)
    look = watch.look(make_frame(0), make_detections(("truck", VAN)))
    (seen,) = look.sightings
    assert tuple(seen.box) == pytest.approx((651 / 768, 42 / 576, 724 / 768, 99 / 576), abs=1e-6)
    assert all(type(value) is float for value in seen.box)
    assert look.frame_px == (768, 576)


def test_a_clock_that_was_never_set_is_not_believed() -> None:
    seen = []

    class Rule:
        def start(self, _standing: object) -> None:
            return None

        def step(self, _state: object, observation: object) -> tuple[None, tuple[()]]:
            seen.append(observation.utc)  # type: ignore[attr-defined]
            return None, ()

    one = post("stationary", dwell_s=5)
    watch = CameraWatch(
        [type(one)(one.key, Rule())],  # type: ignore[arg-type] - all the watch asks of it
        class_names=CLASSES,
        family_of=family_of,
    )
    watch.look(make_frame(0, at=datetime(1970, 1, 1, tzinfo=UTC)), make_detections())
    watch.look(make_frame(1, at=NOON), make_detections())
    assert seen == [None, NOON]
