"""The cameras' clocks while a box runs: who is asked, when, and that nobody waits for those who do not answer."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from edge import camera_clock, clock_round
from edge.clock_round import ASK_AGAIN_S, ASK_EVERY_S, RECONNECTED_S, ClockRound, Face
from edge.health import HealthWatch


class Camera:
    """A server that gives its time to whoever asks."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.heard: list[str] = []
        self.news = threading.Condition()
        self.health = HealthWatch()
        self.reconnects = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def face(self) -> Face:
        return Face("cam-1", f"rtsp://viewer:hunter2@127.0.0.1:{self.port}/main", self.reconnects, self.health)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return
            with visitor:
                asked = visitor.recv(4096).decode()
                with self.news:
                    self.heard.append(asked)
                    self.news.notify_all()
                said = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
                visitor.sendall(f"RTSP/1.0 200 OK\r\nCSeq: 1\r\nDate: {said}\r\n\r\n".encode())


@pytest.fixture
def camera() -> Iterator[Camera]:
    made = Camera()
    yield made
    made.close()


def test_a_camera_is_asked_when_it_plays_and_every_hour_and_its_answer_reaches_who_judges_it(camera: Camera) -> None:
    camera.ahead = timedelta(seconds=40)
    faces: list[Face] = []
    clocks = ClockRound(lambda: faces)
    clocks.go(0.0)
    assert (camera.heard, camera.health.camera_ahead_s) == ([], None)
    faces.append(camera.face)
    for now_s in (5.0, 10.0, ASK_EVERY_S, ASK_EVERY_S + 4, ASK_EVERY_S + 5):
        clocks.go(now_s)
    assert len(camera.heard) == 2
    assert camera.health.camera_ahead_s == pytest.approx(40, abs=20)


def test_one_that_is_wrong_is_asked_again_sooner_until_it_is_right(camera: Camera) -> None:
    camera.ahead = timedelta(days=-9000)
    clocks = ClockRound(lambda: [camera.face])
    clocks.go(0.0)
    clocks.go(ASK_AGAIN_S - 1)
    assert len(camera.heard) == 1
    camera.ahead = timedelta()
    clocks.go(ASK_AGAIN_S)
    clocks.go(2 * ASK_AGAIN_S)
    assert len(camera.heard) == 2
    assert camera.health.camera_ahead_s == pytest.approx(0, abs=20)


def test_one_that_was_connected_again_or_is_watched_anew_is_asked_again(camera: Camera) -> None:
    clocks = ClockRound(lambda: [camera.face])
    clocks.go(0.0)
    camera.reconnects = 1
    clocks.go(RECONNECTED_S - 1)
    assert len(camera.heard) == 1
    clocks.go(RECONNECTED_S)
    clocks.go(2 * RECONNECTED_S)
    assert len(camera.heard) == 2
    camera.health = HealthWatch()
    clocks.go(2 * RECONNECTED_S + 1)
    assert len(camera.heard) == 3


def test_no_user_and_password_are_sent_or_written_down(camera: Camera, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ClockRound(lambda: [camera.face]).go(0.0)
    assert camera.heard
    assert not [text for text in (*camera.heard, caplog.text) if "hunter2" in text or "viewer" in text]


@contextmanager
def dripping() -> Iterator[int]:
    """A server that says one letter of its answer after the other and never comes to an end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hung_up = threading.Event()

        def drip() -> None:
            visitor, _ = listener.accept()
            with visitor:
                try:
                    while not hung_up.wait(0.01):
                        visitor.sendall(b"x")
                except OSError:
                    hung_up.set()

        thread = threading.Thread(target=drip)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(20)
        assert hung_up.is_set()


def test_a_camera_that_never_comes_to_an_end_is_given_up_and_the_next_one_asked(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_clock, "TIMEOUT_S", 0.2)
    with dripping() as port:
        slow = Face("slow", f"rtsp://127.0.0.1:{port}/main", 0, HealthWatch())
        ClockRound(lambda: [slow, camera.face]).go(0.0)
    assert (slow.health.camera_ahead_s, len(camera.heard)) == (None, 1)


@pytest.mark.parametrize("host", ["a" * 70, "a..b", "\udc80", "127.0.0.1"])
def test_an_address_that_cannot_be_asked_is_unknown_and_the_next_camera_is_asked(host: str, camera: Camera) -> None:
    odd = Face("odd", f"rtsp://{host}:1/main", 0, HealthWatch())
    ClockRound(lambda: [odd, camera.face]).go(0.0)
    assert (odd.health.camera_ahead_s, len(camera.heard)) == (None, 1)


def test_it_asks_in_a_thread_of_its_own_while_the_box_runs(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_round, "ROUND_EVERY_S", 0.01)
    with ClockRound(lambda: [camera.face]) as clocks, camera.news:
        assert camera.news.wait_for(lambda: camera.heard, 20)
    assert not clocks._thread.is_alive()
