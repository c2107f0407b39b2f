"""A camera on duty: what it says of itself, when, and whether it counts as watched."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerts.messages import Hindrance
from edge.coverage import Sight
from edge.gate.gate import GateSettings
from edge.snapshot import CameraSnapshot
from edge.station import Duty, Station
from streams.frames import Camera, Pace
from tests.edge.parts import make_detections, post
from tests.edge.test_box import Rig
from tests.streams.reels import make_packet


class Post:
    """A station and what it told; nothing plays unless `start` is called."""

    def __init__(self, folder: Path, url: str, **plan: Any) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.news = threading.Condition()
        rig = Rig(folder / "state", until_end=False)
        duty: Duty = rig.duty(Camera(id="a", url=url, pace=Pace.FAST), is_fast=False, **plan)
        duty = replace(duty, posts=(post("stationary", "a", dwell_s=5),))
        self.station = Station(duty, duty.make_watch(()), prod=lambda: None, others_wait=lambda: False, tell=self.hear)

    def hear(self, event: str, /, **fields: Any) -> None:
        with self.news:
            self.said.append((event, fields))
            self.news.notify_all()

    def wait_for_state(self, state: str) -> None:
        with self.news:
            assert self.news.wait_for(lambda: self.station.state == state, 20), self.said

    def play(self, state: str) -> None:
        """Until it says so."""
        self.station.start()
        self.wait_for_state(state)
        self.station.stop()
        self.station.join()


def test_a_station_that_has_not_begun_sees_nothing(tmp_path: Path) -> None:
    station = Post(tmp_path, "nowhere.avi").station
    assert station.sight(now_s=0.0) == Sight(Hindrance.NO_STREAM)
    assert station.snapshot(now_s=0.0) == CameraSnapshot(camera="a", state="starting", depth="always")


def test_a_camera_that_plays_is_watched_until_packets_fail_or_looks_are_late(tmp_path: Path) -> None:
    station = Post(tmp_path, "nowhere.avi").station
    station._change_state("playing")
    station.eye.take(make_packet(0, is_key=True))
    arrived_s = 1000.0
    station.eye._wanted_s = station.eye._due_s = float("inf")
    assert station.sight(arrived_s + 1) == Sight()
    assert station.sight(arrived_s + 11) == Sight(Hindrance.NO_STREAM, arrived_s)
    station.eye._due_s = arrived_s + 1
    assert station.sight(arrived_s + 7) == Sight(Hindrance.OVERLOADED, arrived_s + 1)
    station.mishaps.fail("the detector failed", arrived_s)
    assert station.sight(arrived_s + 7).hindrance is Hindrance.GATE_ERROR


def test_every_change_of_state_is_said_once(tmp_path: Path) -> None:
    stand = Post(tmp_path, "nowhere.avi")
    for state, reason in [("connecting", ""), ("connecting", ""), ("failed", "x"), ("failed", "y"), ("failed", "y")]:
        stand.station._change_state(state, reason)
    assert [(fields["state"], fields["reason"]) for _, fields in stand.said] == [
        ("connecting", ""),
        ("failed", "x"),
        ("failed", "y"),
    ]


def test_a_camera_that_cannot_be_played_says_why(tmp_path: Path) -> None:
    stand = Post(tmp_path, str(tmp_path / "nowhere.avi"))
    stand.play("failed")
    assert "nowhere.avi" in stand.station.failure
    assert not stand.station.has_ended or stand.station.eye.has_ended


def test_a_file_that_ended_is_looked_at_to_its_end_and_then_all_has_ended(short_clip: Path, tmp_path: Path) -> None:
    stand = Post(tmp_path, str(short_clip), gate=GateSettings(is_off=True), until_end=True)
    station = stand.station
    station.start()
    stand.wait_for_state("ended")
    station.join()
    ended = [station.has_ended]  # nobody has looked yet
    station.tend(0.0)
    while not station.eye.has_ended:
        station.eye.step(lambda frame, *, vouched: station.eye.watch.look(frame, make_detections(), vouched=vouched))
    assert [*ended, station.has_ended] == [False, True]
    station.tend(0.0)
    (seen,) = [fields for event, fields in stand.said if event == "seen"]
    assert seen["frames"] == station.eye.counts.looks > 0


def test_what_is_seen_is_said_once_a_second_and_only_if_somebody_looked(tmp_path: Path) -> None:
    stand = Post(tmp_path, "nowhere.avi")
    for at_s, looks in [(10.0, 0), (11.0, 3), (11.5, 5), (12.1, 6), (13.5, 6)]:
        stand.station.eye.counts.looks = looks
        stand.station.tend(at_s)
    assert [fields["frames"] for event, fields in stand.said if event == "seen"] == [3, 6]


@pytest.mark.parametrize("has_main", [False, True])
def test_the_main_stream_has_a_ring_of_its_own(tmp_path: Path, *, has_main: bool) -> None:
    main = Camera(id="a", url="rtsp://192.0.2.1/main") if has_main else None
    station = Post(tmp_path, "nowhere.avi", main=main).station
    assert (station.main_ring is not None) == has_main
    assert station.main_ring is not station.eye.ring


def test_trouble_with_the_main_stream_is_no_trouble_of_the_camera(tmp_path: Path) -> None:
    stand = Post(tmp_path, "nowhere.avi", main=Camera(id="a", url="rtsp://192.0.2.1/main"))
    states = []
    for state, reason in [("playing", ""), ("unreachable", "no answer"), ("unreachable", "no answer"), ("playing", "")]:
        stand.station._change_main_state(state, reason)
        snapshot = stand.station.snapshot(0.0)
        states.append((snapshot.main_state, snapshot.main_reason))
    what = "main stream of camera a"
    assert stand.said == [("trouble", {"what": what, "reason": "no answer"}), ("trouble_over", {"what": what})]
    assert states == [("playing", ""), *[("unreachable", "no answer")] * 2, ("playing", "")]
    assert stand.station.state == "starting"


def test_a_ring_too_small_for_the_pre_roll_is_said_with_what_to_set(tmp_path: Path) -> None:
    stand = Post(tmp_path, "nowhere.avi", ring_s=10.0, ring_bytes=2**20)
    for rate_per_s, size, begin in [(10, 40_000, 0), (10, 40_000, 60), (10, 1000, 120), (10, 1000, 180)]:
        for index in range(begin, begin + 60):
            stand.station.eye.ring.append(make_packet(index, is_key=True, at_s=index / rate_per_s, size=size))
        stand.station.tend(0.0)
    (_, trouble), over = stand.said
    assert trouble["what"] == "clips of camera a"
    assert trouble["reason"].startswith("clips begin less than 5 s before the event: its ring holds only 2.")
    assert "set clip: ring_mb to 5, or a lower" in trouble["reason"]
    assert over == ("trouble_over", {"what": "clips of camera a"})
