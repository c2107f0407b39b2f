"""The loop with real files and a detector that sees nothing: who gets his turn, what ends, what is said."""

import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerts.errors import OutboxFull
from alerts.messages import Phase
from edge.box import Box
from edge.clip_sealer import ClipSealer
from edge.gate.gate import GateSettings
from edge.plan import Plan, rate
from edge.recorder import Recorder, Telling
from edge.station import Duty
from models.detections import Detections
from streams.frames import Camera, Pace
from tests.edge.parts import CLASSES, NOON, WITNESS, Bench, family_of, make_detections, make_frame, make_identity, post
from tests.streams.reels import make_packet


class Blind:
    """Stands where the detector would; keeps which pictures it was shown."""

    def __init__(self, found: Detections | None = None) -> None:
        self.found = found or Detections.none()
        self.shown = 0

    def detect(self, picture: np.ndarray, *, score_threshold: float | None = None) -> Detections:
        self.shown += 1
        return self.found


class Rig:
    """A box over real files, with a detector that sees what it is told to."""

    def __init__(self, folder: Path, *cameras: Camera, looks_per_s: float = 3, until_end: bool = True) -> None:
        self.bench = Bench(folder, make_identity(), [post("stationary", each.id, dwell_s=5) for each in cameras])
        self.bench.start()
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.heard = threading.Condition()
        self.detector = Blind()
        self.looks_per_s = looks_per_s
        self.until_end = until_end
        self.box = Box(
            [self.duty(each) for each in cameras],
            [self.detector],  # type: ignore[list-item] - all the box asks of it
            self.bench.recorder,
            tell=self.tell,
            until_end=until_end,
        )

    def duty(self, camera: Camera, **changes: Any) -> Duty:
        plan: dict[str, Any] = {
            "camera": camera,
            "looks_per_s": self.looks_per_s,
            "is_live": False,
            "until_end": self.until_end,
            "is_fast": camera.pace is Pace.FAST,
            "gate": GateSettings(is_off=True),
        }
        posts = tuple(each for each in self.bench.posts if each.key.camera == camera.id)
        return Duty(plan=Plan(**plan | changes), posts=posts, class_names=CLASSES, family_of=family_of)

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
    rig = Rig(tmp_path / "state", fast("a", short_clip), fast("b", short_clip))
    rig.box.run()
    assert rig.detector.shown == 2 * 24  # eight seconds at three looks a second
    assert rig.states("a") == rig.states("b") == ["connecting", "playing", "ended"]
    seen = Counter(fields["camera"] for event, fields in rig.said if event == "seen")
    assert set(seen) == {"a", "b"}


def test_a_missing_file_is_said_and_the_other_camera_goes_on(short_clip: Path, tmp_path: Path) -> None:
    rig = Rig(tmp_path / "state", fast("broken", tmp_path / "nowhere.avi"), fast("fine", short_clip))
    rig.box.run()
    assert rig.states("broken")[-1:] == ["failed"]
    assert rig.states("fine") == ["connecting", "playing", "ended"]
    (reason,) = [f["reason"] for e, f in rig.said if e == "camera_state" and f["state"] == "failed"]
    assert rig.box.failures == (reason,)
    assert "nowhere.avi" in reason


def test_a_file_that_is_no_video_is_said(tmp_path: Path) -> None:
    text = tmp_path / "notes.avi"
    text.write_text("not a film")
    rig = Rig(tmp_path / "state", fast("broken", text))
    rig.box.run()
    assert rig.states("broken")[-1:] == ["failed"]


def test_what_fails_for_one_camera_is_said_once_and_does_not_end_the_loop(short_clip: Path, tmp_path: Path) -> None:
    rig = Rig(tmp_path / "state", fast("a", short_clip))
    rig.bench.outbox.close()
    rig.detector.found = make_detections(("car", (100, 100, 200, 200)))
    rig.box.run()
    assert rig.detector.shown == 24
    assert [fields["what"] for event, fields in rig.said if event == "trouble"] == ["camera a"]


def test_every_announced_picture_has_its_annotated_copy_when_the_files_have_ended(
    short_clip: Path, tmp_path: Path
) -> None:
    rig = Rig(tmp_path / "state", fast("a", short_clip), fast("b", short_clip))
    rig.detector.found = make_detections(("car", (100, 100, 200, 200)), ("truck", (400, 300, 600, 400)))
    rig.box.run()
    kinds = Counter(record.data.TYPE for record in rig.bench.records())
    assert kinds == {"teawatch.alert.v1": 4, "teawatch.evidence.v1": 4}


def test_a_file_played_as_fast_as_possible_has_no_coverage(short_clip: Path, tmp_path: Path) -> None:
    rig = Rig(tmp_path / "state", fast("a", short_clip), Camera(id="b", url=str(short_clip), pace=Pace.REALTIME))
    assert set(rig.box.sights()) == {"b"}


def test_an_incident_that_opens_in_the_last_turn_of_a_camera_that_was_removed_has_its_clip(
    short_clip: Path, tmp_path: Path
) -> None:
    rig = Rig(tmp_path / "state", fast("a", short_clip))
    (station,) = rig.box._stations.values()
    station.eye.take(make_packet(0, is_key=True))
    rig.box._sealer = ClipSealer(
        rig.bench.outbox, rig.bench.blobs, room=rig.bench.room, tell=rig.tell, now=lambda: NOON
    )
    rig.box.use([], lambda _: None)
    rig.box._take_clips(station.eye, make_frame(0.0, camera="a"), [Telling("i-1", Phase.OPENED)])
    rig.box._clips.give_up()
    (taken,) = rig.box._clips.due(9)
    assert (taken.camera, taken.incidents) == ("a", ("i-1",))


def test_stopping_ends_the_loop_while_a_camera_still_plays(short_clip: Path, tmp_path: Path) -> None:
    camera = Camera(id="a", url=str(short_clip), pace=Pace.LOOP)
    rig = Rig(tmp_path / "state", camera, until_end=False)
    thread = threading.Thread(target=rig.box.run)
    thread.start()
    rig.wait_for("seen")
    rig.box.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_a_box_that_can_play_no_camera_says_so_once_goes_on_and_says_when_one_plays(
    short_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.player.LONGEST_PAUSE_S", 0.02)
    monkeypatch.setattr("edge.box.TICK_S", 0.02)
    late = tmp_path / "late.avi"
    rig = Rig(tmp_path / "state", fast("late", late), fast("never", tmp_path / "never.avi"), until_end=False)
    thread = threading.Thread(target=rig.box.run)
    thread.start()
    rig.wait_for("trouble")
    late.symlink_to(short_clip)
    rig.wait_for("trouble_over")
    rig.box.stop()
    thread.join(20)
    assert [fields["what"] for event, fields in rig.said if event == "trouble"] == ["watching"]
    assert [reason for reason in rig.box.failures if "late.avi" in reason] == []


@pytest.mark.parametrize(("step_s", "per_s"), [(0.2, 5.0), (0.5, 2.0)])
def test_the_rate_is_that_of_the_last_seconds(step_s: float, per_s: float) -> None:
    times_s = [number * step_s for number in range(100)]
    assert rate(times_s, times_s[-1]) == pytest.approx(per_s)
    assert rate(times_s, times_s[-1] + 60) == 0


def test_cameras_come_go_and_change_while_another_loses_no_packet(short_clip: Path, tmp_path: Path) -> None:
    stays, goes, comes = (Camera(id=name, url=str(short_clip), pace=Pace.LOOP) for name in ("stays", "goes", "comes"))
    rig = Rig(tmp_path / "state", stays, goes, comes, until_end=False)
    rig.box.use([rig.duty(stays), rig.duty(goes)], lambda _: None)
    thread = threading.Thread(target=rig.box.run)
    thread.start()
    rig.wait_for("seen")
    rig.box.use([rig.duty(stays), rig.duty(comes)], lambda _: None)
    with rig.heard:
        assert rig.heard.wait_for(lambda: any(f.get("camera") == "comes" for e, f in rig.said if e == "seen"), 20)
    rig.box.use([rig.duty(stays, looks_per_s=5)], lambda _: None)
    before = {each.camera: each for each in rig.box.snapshots()}
    rig.box.stop()
    thread.join(20)
    assert set(before) == {"stays"}
    assert rig.states("goes")[-1] != "failed"


class Mute:
    """A camera that takes every call and says nothing, until it hangs up."""

    def __init__(self) -> None:
        self.news = threading.Condition()
        self.visitors: list[socket.socket] = []
        self.calls = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/main"
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def wait_for_call(self, number: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: self.calls >= number, 20)

    def hang_up(self) -> None:
        with self.news:
            for visitor in self.visitors:
                visitor.close()
            self.visitors.clear()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self.hang_up()

    def _answer(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return
            with self.news:
                self.visitors.append(visitor)
                self.calls += 1
                self.news.notify_all()


@pytest.fixture
def mutes() -> Iterator[tuple[Mute, ...]]:
    made = tuple(Mute() for _ in range(3))
    yield made
    for each in made:
        each.close()


def test_cameras_that_hang_are_not_waited_for_at_a_change_and_called_again_once_they_are_given_back(
    mutes: tuple[Mute, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.box.TICK_S", 0.02)
    monkeypatch.setattr("edge.station.JOIN_S", 60.0)
    cameras = [Camera(id=f"mute-{number}", url=mute.url) for number, mute in enumerate(mutes)]
    rig = Rig(tmp_path / "state", *cameras, until_end=False)
    thread = threading.Thread(target=rig.box.run)
    thread.start()
    for mute in mutes:
        mute.wait_for_call(1)
    before = tuple(rig.box._stations.values())
    for looks_per_s in (2, 4):
        rig.box.use([rig.duty(each, looks_per_s=looks_per_s) for each in cameras[:2]], lambda _: None)
    assert [each.has_given_back for each in before] == [False, False, False]
    assert [each.state for each in rig.box.snapshots()] == ["starting", "starting"]
    for mute in mutes:
        mute.hang_up()
    for mute in mutes[:2]:
        mute.wait_for_call(2)
    assert [each.has_given_back for each in before[:2]] == [True, True]
    rig.box.stop()
    for mute in mutes:
        mute.hang_up()
    thread.join(20)
    assert not thread.is_alive()
    assert [mute.calls for mute in mutes] == [2, 2, 1]


@pytest.mark.parametrize("error", [OutboxFull("full"), sqlite3.OperationalError("locked"), RuntimeError("a mistake")])
def test_a_change_that_fails_leaves_all_cameras_as_they_were(
    error: Exception, short_clip: Path, tmp_path: Path
) -> None:
    cameras = [Camera(id=name, url=str(short_clip), pace=Pace.LOOP) for name in "ab"]
    rig = Rig(tmp_path / "state", *cameras, until_end=False)

    def fail(_: Recorder) -> None:
        raise error

    with pytest.raises(type(error)):
        rig.box.use([rig.duty(cameras[0], looks_per_s=5)], fail)
    assert [each.duty.plan.looks_per_s for each in rig.box._stations.values()] == [3, 3]
    assert [each.camera for each in rig.box.snapshots()] == ["a", "b"]


def test_new_rules_of_a_camera_leave_its_stream_alone(short_clip: Path, tmp_path: Path) -> None:
    camera = Camera(id="a", url=str(short_clip), pace=Pace.LOOP)
    rig = Rig(tmp_path / "state", camera, until_end=False)
    thread = threading.Thread(target=rig.box.run)
    thread.start()
    rig.wait_for("seen")
    (before,) = rig.box.snapshots()
    changed = replace(rig.duty(camera), posts=(post("stationary", "a", dwell_s=50),))
    rig.box.use([changed], lambda recorder: recorder.use(changed.posts, {"a": WITNESS}, WITNESS))
    rig.said.clear()
    rig.wait_for("seen")
    (after,) = rig.box.snapshots()
    rig.box.stop()
    thread.join(20)
    assert after.packets > before.packets > 0
    assert (after.reconnects, rig.states("a")) == (0, [])
