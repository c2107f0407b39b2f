"""What the box makes of the other real clips: each visit one incident, and no vehicle that only drives through."""

from pathlib import Path
from typing import Any

import pytest

from edge.watch import Post
from edge.zones import Zone
from tests.edge.parts import WHOLE, Bench, post
from tests.edge.replay import Clip, box_for

VISITS_S = ((7, 19), (23, 44.5), (51, 69.5), (75, 86.5), (93, 119.5), (124, 136))
"""When somebody stood in the room, by eye."""

DOORWAY = Zone("doorway", [(0.4, 0.0), (0.85, 0.0), (0.85, 1.0), (0.4, 1.0)])
FLOOR = Zone("floor", [(0.0, 0.6), (1.0, 0.6), (1.0, 1.0), (0.0, 1.0)])


def told(bench: Bench, phase: str) -> list[Any]:
    return [alert for alert in bench.alerts() if alert.phase == phase]


@pytest.mark.parametrize("looks_per_s", [1, 0.5])
@pytest.mark.parametrize(
    "guard",
    [
        post("presence", zone=DOORWAY, close_after_s=3),
        post("intrusion", zone=FLOOR, close_after_s=3),
    ],
    ids=["in the doorway", "on the floor"],
)
def test_each_of_six_people_who_come_one_by_one_is_one_incident(
    indoor_clip: Clip, tmp_path: Path, guard: Post, looks_per_s: float
) -> None:
    bench = box_for(indoor_clip, tmp_path, guard)
    indoor_clip.play(bench, looks_per_s)
    opened_s = [alert.stream_ms / 1000 for alert in told(bench, "opened")]
    assert len(opened_s) == len(VISITS_S)
    assert all(came_s <= at_s <= left_s for at_s, (came_s, left_s) in zip(opened_s, VISITS_S, strict=True))
    assert len(told(bench, "closed")) == len(VISITS_S) - (1 if bench.recorder.open_incidents("cam-1") else 0)
    assert {len(alert.objects) for alert in bench.alerts()} == {1}
    bench.stop()


@pytest.mark.parametrize("looks_per_s", [2, 1])
def test_cars_that_drive_through_are_no_parking_whatever_the_network_takes_them_for(
    traffic_clip: Clip, tmp_path: Path, looks_per_s: float
) -> None:
    """From straight above it takes them for telephones, bottles and buses."""
    seen = {name for look in traffic_clip.looks for name in look.detections.classes.tolist()}
    assert seen, "a clip in which nothing is seen proves nothing"
    bench = box_for(traffic_clip, tmp_path, post("stationary", zone=WHOLE, dwell_s=3, classes=traffic_clip.class_names))
    traffic_clip.play(bench, looks_per_s)
    assert bench.alerts() == []
    bench.stop()
