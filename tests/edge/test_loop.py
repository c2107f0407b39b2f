"""The loop with real files and a detector that sees nothing: who gets his turn, what ends, what is said."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.feed import Feed, Plan
from edge.loop import Loop, Tally
from models.detections import Detections
from streams.frames import Camera, Pace
from tests.edge.parts import Bench, make_detections, make_identity, post


class Blind:
    """Stands where the detector would; keeps which pictures it was shown."""

    def __init__(self, found: Detections | None = None) -> None:
        self.found = found or Detections.none()
        self.shown = 0

    def detect(self, picture: np.ndarray, *, score_threshold: float | None = None) -> Detections:
        self.shown += 1
        return self.found


class Box:
    def __init__(self, folder: Path, *cameras: Camera, looks_per_s: float = 3, until_end: bool = True) -> None:
        self.bench = Bench(folder, make_identity(), [post("stationary", each.id, dwell_s=5) for each in cameras])
        self.bench.start()
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.heard = threading.Condition()
        self.ready = threading.Condition()
        self.detector = Blind()
        feeds = [
            Feed(Plan(each, looks_per_s, is_live=False, until_end=until_end), tell=self.tell, ready=self.ready)
            for each in cameras
        ]
        self.loop = Loop(
            feeds,
            self.bench.watches,
            self.detector,  # type: ignore[arg-type] - all the loop asks of it
            self.bench.recorder,
            ready=self.ready,
            tell=self.tell,
            until_end=until_end,
        )

    def tell(self, event: str, /, **fields: Any) -> None:
        with self.heard:
            self.said.append((event, fields))
            self.heard.notify_all()

    def wait_for(self, event: str) -> None:
        with self.heard:
            assert self.heard.wait_for(lambda: event in [name for name, _ in self.said], 20), self.said[-5:]

    def states(self, camera: str) -> list[str]:
        return [
            fields["state"] for event, fields in self.said if event == "camera_state" and fields["camera"] == camera
        ]


def fast(name: str, path: Path) -> Camera:
    return Camera(id=name, url=str(path), pace=Pace.FAST)


def test_every_camera_is_looked_through_at_its_rate_and_the_loop_ends_with_the_files(
    short_clip: Path, tmp_path: Path
) -> None:
    box = Box(tmp_path / "state", fast("a", short_clip), fast("b", short_clip))
    box.loop.run()
    assert box.detector.shown == 2 * 24  # eight seconds at three looks a second
    assert box.states("a") == box.states("b") == ["playing", "ended"]
    seen = Counter(fields["camera"] for event, fields in box.said if event == "seen")
    assert set(seen) == {"a", "b"}


def test_a_missing_file_is_said_and_the_other_camera_goes_on(short_clip: Path, tmp_path: Path) -> None:
    box = Box(tmp_path / "state", fast("broken", tmp_path / "nowhere.avi"), fast("fine", short_clip))
    box.loop.run()
    assert box.states("broken") == ["failed"]
    assert box.states("fine") == ["playing", "ended"]
    (reason,) = [f["reason"] for e, f in box.said if e == "camera_state" and f["state"] == "failed"]
    assert box.loop.failures == (reason,)
    assert "nowhere.avi" in reason


def test_a_file_that_is_no_video_is_said(tmp_path: Path) -> None:
    text = tmp_path / "notes.avi"
    text.write_text("not a film")
    box = Box(tmp_path / "state", fast("broken", text))
    box.loop.run()
    assert box.states("broken") == ["failed"]


def test_what_fails_for_one_camera_is_said_once_and_does_not_end_the_loop(short_clip: Path, tmp_path: Path) -> None:
    box = Box(tmp_path / "state", fast("a", short_clip))
    box.bench.outbox.close()
    box.detector.found = make_detections(("car", (100, 100, 200, 200)))
    box.loop.run()
    assert box.detector.shown == 24
    assert [fields["what"] for event, fields in box.said if event == "trouble"] == ["camera a"]


def test_stopping_ends_the_loop_while_a_camera_still_plays(short_clip: Path, tmp_path: Path) -> None:
    camera = Camera(id="a", url=str(short_clip), pace=Pace.LOOP)
    box = Box(tmp_path / "state", camera, until_end=False)
    thread = threading.Thread(target=box.loop.run)
    thread.start()
    with box.ready:
        assert box.ready.wait_for(lambda: box.detector.shown > 0, 20)
    box.loop.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_a_box_that_can_play_no_camera_says_so_once_goes_on_and_says_when_one_plays(
    short_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.feed.RETRY_S", 0.01)
    monkeypatch.setattr("edge.loop.TICK_S", 0.02)
    late = tmp_path / "late.avi"
    box = Box(tmp_path / "state", fast("late", late), fast("never", tmp_path / "never.avi"), until_end=False)
    thread = threading.Thread(target=box.loop.run)
    thread.start()
    box.wait_for("trouble")
    late.symlink_to(short_clip)
    box.wait_for("trouble_over")
    box.loop.stop()
    thread.join(20)
    assert [fields["what"] for event, fields in box.said if event == "trouble"] == ["watching"]
    assert [reason for reason in box.loop.failures if "late.avi" in reason] == []


@pytest.mark.parametrize(("step_s", "rate"), [(0.2, 5.0), (0.5, 2.0)])
def test_the_rate_is_that_of_the_last_seconds(step_s: float, rate: float) -> None:
    tally = Tally()
    for number in range(100):
        tally.count(number * step_s)
    assert tally.rate_per_s == pytest.approx(rate)
    assert tally.frames == 100
