"""What the box makes of real footage: which incidents, not when exactly."""

from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from edge.boxes import overlap
from edge.config import read_config
from edge.duties import posts_of
from edge.incidents import Key
from edge.watch import Post
from edge.zones import Zone
from tests.edge.parts import CAR, VAN, WHOLE, Bench, in_shares, post
from tests.edge.replay import Clip, box_for

DEMO = Path(__file__).parents[2] / "edge" / "demo-box.yaml"


def demo_posts(camera: str) -> list[Post]:
    (section,) = [each for each in read_config(DEMO).config.cameras if each.id == camera]
    return posts_of(section)


def places(bench: Bench) -> list[str]:
    """Which vehicle each incident is about, `elsewhere` for a place where none stands."""
    names = []
    for alert in bench.alerts():
        if alert.phase == "opened":
            box = alert.objects[0].box
            seen = in_shares((box.x, box.y, box.x + box.width, box.y + box.height))
            fits = {name: overlap(seen, in_shares(pixels)) for name, pixels in (("van", VAN), ("car", CAR))}
            best = max(fits, key=fits.__getitem__)
            names.append(best if fits[best] > 0.5 else "elsewhere")
    return sorted(names)


@pytest.mark.parametrize("looks_per_s", [2, 3, 4, 5])
@pytest.mark.parametrize("zone", ["the drawn one", "the whole picture"])
def test_van_and_car_are_one_parking_incident_each_and_nothing_else_is(
    clip: Clip, tmp_path: Path, looks_per_s: float, zone: str
) -> None:
    drawn = demo_posts("cam-street-01")[0].rule.zone if zone == "the drawn one" else WHOLE
    bench = box_for(clip, tmp_path, post("stationary", zone=drawn, dwell_s=20))
    clip.play(bench, looks_per_s)
    assert places(bench) == ["car", "van"]
    assert not [alert for alert in bench.alerts() if alert.phase == "closed"]
    assert len(bench.recorder.open_incidents("cam-1")) == 2
    bench.stop()


def test_the_clip_watched_over_and_over_keeps_its_two_incidents(clip: Clip, tmp_path: Path) -> None:
    bench = box_for(clip, tmp_path, post("stationary", dwell_s=20))
    for round_ in range(3):
        clip.play(bench, 3, started_s=1000 + 80 * round_)
    assert places(bench) == ["car", "van"]
    assert not [alert for alert in bench.alerts() if alert.phase == "closed"]
    bench.stop()


def test_looks_that_come_in_bursts_and_at_a_slow_pace_find_the_same_van_and_car(clip: Clip, tmp_path: Path) -> None:
    bench = box_for(clip, tmp_path, post("stationary", dwell_s=20))
    rhythm_s = cycle([0.2, 0.2, 0.2, 0.2, 2, 2, 2, 4, 0.6])
    due_s = 0.0
    for look in clip.looks:
        if look.stream_s >= due_s:
            due_s = look.stream_s + next(rhythm_s)
            bench.look(clip.frame(look), look.detections)
    assert places(bench) == ["car", "van"]
    assert not [alert for alert in bench.alerts() if alert.phase == "closed"]
    bench.stop()


@pytest.mark.parametrize("looks_per_s", [2, 3, 4, 5])
def test_the_two_people_on_the_lower_grass_are_one_intrusion_and_nobody_on_the_road_is(
    clip: Clip, tmp_path: Path, looks_per_s: float
) -> None:
    (grass,) = demo_posts("cam-garden-01")
    bench = box_for(clip, tmp_path, Post(Key("cam-1", "grass", "plot", grass.key.kind), grass.rule))
    clip.play(bench, looks_per_s)
    opened = [alert for alert in bench.alerts() if alert.phase == "opened"]
    assert len(opened) == 1
    assert 50 <= opened[0].stream_ms / 1000 <= 54
    assert max(len(alert.objects) for alert in bench.alerts()) == 2
    feet = [(o.box.x + o.box.width / 2, o.box.y + o.box.height) for a in bench.alerts() for o in a.objects]
    assert all(y > 257 for _, y in feet)
    bench.stop()


def intrusions(clip: Clip, tmp_path: Path, zone: Zone) -> list[Any]:
    bench = box_for(clip, tmp_path, post("intrusion", zone=zone))
    clip.play(bench, 3)
    bench.stop()
    return bench.heard("incident_opened")


def test_a_plot_nobody_steps_on_has_no_intrusion(clip: Clip, tmp_path: Path) -> None:
    upper_lawn = Zone("lawn", [(0.02, 0.16), (0.38, 0.16), (0.38, 0.20), (0.02, 0.22)])
    assert intrusions(clip, tmp_path, upper_lawn) == []


def test_the_demo_cameras_carry_the_names_the_county_knows() -> None:
    cameras = {camera.id: posts_of(camera)[0] for camera in read_config(DEMO).config.cameras}
    assert {name: (one.key.zone, one.key.rule, one.key.kind) for name, one in cameras.items()} == {
        "cam-street-01": ("no-parking", "parking", "street.illegal_parking"),
        "cam-garden-01": ("plot", "grass", "garden.intrusion"),
    }
