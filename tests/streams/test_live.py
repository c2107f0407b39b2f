"""A camera on the network: it comes, goes and comes back, and it may refuse; nobody ever reads its password."""

import queue
import socket
import subprocess
import threading
import traceback
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from streams.clock import SystemClock
from streams.errors import AccessDenied, SourceMissing, SourceUnreachable
from streams.frames import Camera
from streams.live import LiveReel, State
from streams.source import Source, open_source
from tests.alerts.brokers import free_port

SERVER = Path(__file__).parents[2] / "edge" / "bench" / "rtsp_server.py"
USER, PASSWORD = "viewer", "lo:ng@s3cret"
QUOTED = "lo%3Ang%40s3cret"

rtsp = pytest.mark.system("gst-rtsp-server")


class CameraServer:
    """A real RTSP server on a port of its own, which can be killed and started again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self, *credentials: str) -> None:
        self.process = subprocess.Popen(
            ["/usr/bin/python3", str(SERVER), str(self.port), *credentials], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def camera(self, login: str = "", path: str = "main") -> Camera:
        return Camera(id="cam-1", url=f"rtsp://{login}127.0.0.1:{self.port}/{path}")


@pytest.fixture
def server() -> Iterator[CameraServer]:
    server = CameraServer()
    yield server
    server.kill()


class States(queue.Queue[str]):
    """What `on_state` said, in order; `reasons` are the latest for each state."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: dict[str, str] = {}

    def hear(self, state: str, reason: str) -> None:
        self.reasons[state] = reason
        self.put(state)

    def wait_for(self, state: State) -> None:
        while self.get(timeout=30) != state:
            pass


@rtsp
def test_a_live_stream_gives_pictures_with_growing_time_and_numbers(server: CameraServer) -> None:
    server.start()
    states = States()
    with open_source(server.camera(), on_state=states.hear) as source:
        frames = list(islice(source, 8))
    assert {frame.picture.shape for frame in frames} == {(240, 320, 3)}
    assert any(frame.picture.max() > 200 for frame in frames)
    indexes = [frame.index for frame in frames]
    assert indexes == sorted(set(indexes))
    times_s = [frame.stream_s for frame in frames]
    assert times_s == sorted(set(times_s))
    assert list(states.queue) == [State.CONNECTING, State.PLAYING]


@rtsp
def test_frames_nobody_fetched_are_dropped_and_counted(server: CameraServer) -> None:
    server.start()
    with open_source(server.camera()) as source:
        frames = list(islice(source, 6))
    missing = frames[-1].index - frames[0].index + 1 - len(frames)
    assert source.dropped >= missing


@rtsp
def test_a_camera_that_dies_and_comes_back_is_seen_again_and_its_time_goes_on(server: CameraServer) -> None:
    server.start()
    states = States()
    with open_source(server.camera(), on_state=states.hear) as source:
        before = next(source)
        server.kill()
        states.wait_for(State.UNREACHABLE)
        server.start()
        states.wait_for(State.PLAYING)
        after = list(islice(source, 5))
    assert after[-1].index > before.index
    times_s = [before.stream_s, *(frame.stream_s for frame in after)]
    assert times_s == sorted(times_s)
    gap_s = after[-1].monotonic_s - before.monotonic_s
    assert after[-1].stream_s - before.stream_s == pytest.approx(gap_s, abs=2.5)


@rtsp
def test_a_patient_source_waits_for_a_camera_that_starts_later(server: CameraServer) -> None:
    states = States()
    with open_source(server.camera(), on_state=states.hear, patient=True) as source:
        states.wait_for(State.UNREACHABLE)
        server.start()
        assert next(source).picture.shape == (240, 320, 3)


@rtsp
@pytest.mark.parametrize("login", ["", "viewer:wrong-s3cret@", f"other:{QUOTED}@"], ids=["none", "password", "user"])
def test_wrong_credentials_are_told_apart_and_never_repeated(
    server: CameraServer, login: str, capfd: pytest.CaptureFixture[str]
) -> None:
    server.start(USER, PASSWORD)
    with pytest.raises(AccessDenied) as caught:
        open_source(server.camera(login))
    told = str(caught.value)
    assert told == (
        f"camera cam-1: rtsp://127.0.0.1:{server.port}/main refused the user name or password; "
        "correct them in the camera's address"
    )
    everything = "".join(traceback.format_exception(caught.value)) + "".join(capfd.readouterr())
    assert "s3cret" not in everything


@rtsp
def test_right_credentials_open_even_with_odd_letters_in_the_password(server: CameraServer) -> None:
    server.start(USER, PASSWORD)
    with open_source(server.camera(f"{USER}:{QUOTED}@")) as source:
        assert next(source).picture.shape == (240, 320, 3)


@rtsp
def test_a_patient_source_says_that_it_is_refused_and_is_let_in_later(server: CameraServer) -> None:
    server.start(USER, PASSWORD)
    states = States()
    with open_source(server.camera("viewer:wrong@"), on_state=states.hear, patient=True) as source:
        states.wait_for(State.REFUSED)
        server.kill()
        server.start()
        assert next(source).camera == "cam-1"
    assert "refused the user name or password" in states.reasons[State.REFUSED]
    assert "wrong" not in states.reasons[State.REFUSED]


@rtsp
def test_a_path_the_camera_does_not_have_is_named(server: CameraServer) -> None:
    server.start()
    with pytest.raises(SourceMissing, match=r"rtsp://127\.0\.0\.1:\d+/side does not exist on the camera"):
        open_source(server.camera(path="side"))


def test_nobody_at_the_address_is_one_line_with_what_to_check(server: CameraServer) -> None:
    with pytest.raises(SourceUnreachable) as caught:
        open_source(server.camera(f"{USER}:{QUOTED}@"))
    assert str(caught.value) == (
        f"camera cam-1: rtsp://127.0.0.1:{server.port}/main cannot be reached (connection refused); "
        "check cable, address and port"
    )
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_a_camera_that_cannot_be_reached_says_why_without_its_password(server: CameraServer) -> None:
    states = States()
    with open_source(server.camera(f"{USER}:{QUOTED}@"), on_state=states.hear, patient=True):
        states.wait_for(State.UNREACHABLE)
    assert states.reasons == {
        State.CONNECTING: "",
        State.UNREACHABLE: f"camera cam-1: rtsp://127.0.0.1:{server.port}/main cannot be reached (connection refused);"
        " check cable, address and port",
    }


@pytest.fixture
def silent_camera() -> Iterator[Camera]:
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Camera(id="cam-1", url=f"rtsp://127.0.0.1:{listener.getsockname()[1]}/main")


def test_a_camera_that_never_answers_is_given_up_after_the_time_out(silent_camera: Camera) -> None:
    with pytest.raises(SourceUnreachable, match="does not answer as an RTSP camera"):
        LiveReel(silent_camera, SystemClock(), States().hear, patient=False, timeout_s=0.3)


def test_stop_ends_the_wait_for_a_silent_camera(silent_camera: Camera) -> None:
    states = States()
    reel = LiveReel(silent_camera, SystemClock(), states.hear, patient=True, timeout_s=0.5)
    ended = threading.Event()

    def watch(source: Source) -> None:
        for _frame in source:
            pytest.fail("a silent camera has no frames")
        ended.set()

    with Source(silent_camera, reel, newest_only=True) as source:
        threading.Thread(target=watch, args=(source,)).start()
        states.wait_for(State.CONNECTING)
        source.stop()
        assert ended.wait(30)
    assert "camera cam-1" not in [thread.name for thread in threading.enumerate()]
