"""A camera on the network: it comes, goes and comes back, and it may refuse; nobody ever reads its password."""

import socket
import subprocess
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from edge.bench.cameras import CameraServer
from streams.errors import AccessDenied, SourceMissing, SourceUnreachable
from streams.frames import Camera, Transport
from streams.player import LONGEST_PAUSE_S, LONGEST_REFUSED_PAUSE_S, State
from streams.source import open_source
from tests.streams.clocks import QuickClock
from tests.streams.watching import Watcher, decode, watch_to_the_end

USER, PASSWORD = "viewer", "lo:ng@s3cret"
QUOTED = "lo%3Ang%40s3cret"

rtsp = pytest.mark.system("gst-rtsp-server")


@pytest.fixture
def server() -> Iterator[CameraServer]:
    server = CameraServer()
    yield server
    server.kill()


def camera(server: CameraServer, login: str = "", path: str = "main", **options: object) -> Camera:
    return Camera(id="cam-1", url=server.url(path, login), **options)  # type: ignore[arg-type]


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@rtsp
@pytest.mark.parametrize("transport", list(Transport))
def test_a_live_stream_gives_packets_that_decode_with_growing_time_and_numbers(
    server: CameraServer, transport: Transport
) -> None:
    server.start()
    with Watcher(camera(server, transport=transport)) as watcher:
        watcher.wait_for_packets(12)
    packets = watcher.packets
    assert watcher.states == [State.CONNECTING, State.PLAYING]
    assert [packet.index for packet in packets] == list(range(len(packets)))
    times_s = [packet.stream_s for packet in packets]
    assert times_s == sorted(set(times_s))
    pictures = [image.frame().picture for image in decode(packets)]
    assert {picture.shape for picture in pictures} == {(240, 320, 3)}
    assert any(picture.max() > 200 for picture in pictures)


@rtsp
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_every_key_frame_can_be_decoded_alone(server: CameraServer, codec: str) -> None:
    server.start("--codec", codec)
    with Watcher(camera(server)) as watcher:
        watcher.wait_until(lambda: sum(packet.is_key for packet in watcher.packets) >= 3)
    keys = [packet for packet in watcher.packets if packet.is_key]
    assert {image.frame().picture.shape for key in keys for image in decode([key])} == {(240, 320, 3)}
    assert len(decode(keys)) == len(keys)


@rtsp
def test_a_camera_that_dies_and_comes_back_is_a_new_take_and_its_time_goes_on(server: CameraServer) -> None:
    server.start()
    with Watcher(camera(server)) as watcher:
        watcher.wait_for_packets(5)
        server.kill()
        watcher.wait_for(State.UNREACHABLE)
        server.start()
        watcher.wait_for(State.PLAYING, times=2)
        watcher.wait_until(lambda: watcher.packets[-1].stream_s > 0 and watcher.packets[-1].take == 1)
    before = [packet for packet in watcher.packets if packet.take == 0][-1]
    after = next(packet for packet in watcher.packets if packet.take == 1)
    assert after.index == before.index + 1
    assert after.stream_s - before.stream_s == pytest.approx(after.monotonic_s - before.monotonic_s, abs=0.01)
    assert watcher.player.reconnects == 1
    assert watcher.player.failure is None


@rtsp
def test_a_camera_that_stays_connected_and_sends_nothing_is_connected_again(server: CameraServer) -> None:
    server.start()
    with Watcher(camera(server, silence_s=1.0)) as watcher:
        watcher.wait_for_packets(5)
        server.tell("stall")
        watcher.wait_for(State.UNREACHABLE)
        assert "sent nothing for 1 s" in watcher.reasons[State.UNREACHABLE]
        server.tell("go")
        watcher.wait_for(State.PLAYING, times=2)


@rtsp
def test_pictures_of_another_size_in_mid_stream_are_a_new_coding_and_decode(server: CameraServer) -> None:
    server.start()
    with Watcher(camera(server)) as watcher:
        watcher.wait_for_packets(5)
        server.tell("size 192x144")
        watcher.wait_until(lambda: [packet.coding.width for packet in watcher.packets].count(192) >= 3)
    changed = [packet for packet in watcher.packets if packet.coding.width == 192]
    assert changed[0].is_key
    assert changed[0].coding.height == 144
    assert {image.frame().picture.shape for image in decode(changed)} == {(144, 192, 3)}


@rtsp
def test_a_camera_that_starts_later_is_waited_for(server: CameraServer) -> None:
    with Watcher(camera(server)) as watcher:
        watcher.wait_for(State.UNREACHABLE)
        server.start()
        watcher.wait_for_packets(1)


@rtsp
@pytest.mark.parametrize("login", ["", "viewer:wrong-s3cret@", f"other:{QUOTED}@"], ids=["none", "password", "user"])
def test_wrong_credentials_are_told_apart_and_never_repeated(
    server: CameraServer, login: str, capfd: pytest.CaptureFixture[str]
) -> None:
    server.start(USER, PASSWORD)
    watcher = watch_to_the_end(camera(server, login))
    failure = watcher.player.failure
    assert isinstance(failure, AccessDenied)
    assert watcher.states == [State.CONNECTING, State.REFUSED]
    assert str(failure) == watcher.reasons[State.REFUSED]
    assert str(failure) == (
        f"camera cam-1: rtsp://127.0.0.1:{server.port}/main refused the user name or password; "
        "correct them in the camera's address"
    )
    everything = "".join(traceback.format_exception(failure)) + "".join(capfd.readouterr())
    assert "s3cret" not in everything


@rtsp
@pytest.mark.parametrize("scheme", [[], ["--digest"]], ids=["basic", "digest"])
def test_right_credentials_open_even_with_odd_letters_in_the_password(server: CameraServer, scheme: list[str]) -> None:
    server.start(USER, PASSWORD, *scheme)
    with open_source(camera(server, f"{USER}:{QUOTED}@")) as source:
        assert next(source).picture.shape == (240, 320, 3)


@rtsp
def test_a_refused_camera_is_asked_less_often_and_let_in_later(server: CameraServer, quick_clock: QuickClock) -> None:
    server.start(USER, PASSWORD)
    with Watcher(camera(server, "viewer:wrong@"), quick_clock) as watcher:
        watcher.wait_until(lambda: len(quick_clock.waited_s) >= 1)
        watcher.wait_for(State.REFUSED)
        server.kill()
        server.options = ()
        server.start()
        watcher.wait_for_packets(1)
    assert LONGEST_PAUSE_S / 2 <= quick_clock.waited_s[0] <= LONGEST_PAUSE_S
    assert max(quick_clock.waited_s) <= LONGEST_REFUSED_PAUSE_S


@rtsp
def test_a_path_the_camera_does_not_have_is_named(server: CameraServer) -> None:
    server.start()
    with open_source(camera(server, path="side")) as source, pytest.raises(SourceMissing) as caught:
        next(source)
    assert str(caught.value) == (
        f"camera cam-1: rtsp://127.0.0.1:{server.port}/side does not exist on the camera; "
        "check the path after the address"
    )


def signed(folder: Path, name: str, host: str = "IP:127.0.0.1") -> tuple[str, str]:
    """A certificate that a camera made for itself, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=camera"
    places = ["-addext", f"subjectAltName={host}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make.split(), *places], check=True, capture_output=True)
    return str(certificate), str(key)


@rtsp
@pytest.mark.system("glib-networking")
@pytest.mark.parametrize("is_checked", [False, True], ids=["taken as it is", "checked"])
@pytest.mark.parametrize("transport", list(Transport))
def test_an_encrypted_stream_plays_though_the_camera_signed_its_certificate_itself(
    server: CameraServer, tmp_path: Path, transport: Transport, is_checked: bool
) -> None:
    certificate, key = signed(tmp_path, "camera")
    server.start("--tls", certificate, key)
    url = server.url(scheme="rtsps")
    with Watcher(
        Camera(id="cam-1", url=url, transport=transport, certificate=certificate if is_checked else "")
    ) as watcher:
        watcher.wait_for_packets(6)
    assert decode(watcher.packets)[0].frame().picture.shape == (240, 320, 3)


@rtsp
@pytest.mark.system("glib-networking")
@pytest.mark.parametrize("shown", ["impostor", "elsewhere"])
def test_who_does_not_prove_to_be_the_camera_is_not_watched(server: CameraServer, tmp_path: Path, shown: str) -> None:
    """An impostor shows a certificate of its own; one from elsewhere is genuine and names another host."""
    known = {"impostor": signed(tmp_path, "camera"), "elsewhere": signed(tmp_path, "elsewhere", "IP:10.0.0.7")}[shown]
    server.start("--tls", *(signed(tmp_path, "impostor") if shown == "impostor" else known))
    url = server.url(scheme="rtsps", login="viewer:s3cret@")
    watcher = watch_to_the_end(Camera(id="cam-1", url=url, certificate=known[0]))
    assert watcher.packets == []
    assert f"did not prove itself by {known[0]}" in watcher.reasons[State.UNREACHABLE]
    assert "s3cret" not in watcher.reasons[State.UNREACHABLE]


@pytest.mark.parametrize(
    ("url", "certificate", "problem"),
    [
        ("rtsp://10.0.0.7/main", __file__, "a certificate is checked for rtsps:// only"),
        ("https://10.0.0.7/live.m3u8", __file__, "a certificate is checked for rtsps:// only"),
        (
            "rtsps://10.0.0.7/main",
            "/nowhere.pem",
            "certificate /nowhere.pem cannot be read (no such file or directory)",
        ),
    ],
)
def test_a_certificate_that_cannot_be_checked_is_never_passed_over(url: str, certificate: str, problem: str) -> None:
    watcher = watch_to_the_end(Camera(id="cam-1", url=url, certificate=certificate))
    assert isinstance(watcher.player.failure, SourceMissing)
    assert problem in watcher.reasons[State.FAILED]


def test_nobody_at_the_address_is_one_line_with_what_to_check(server: CameraServer) -> None:
    watcher = watch_to_the_end(camera(server, f"{USER}:{QUOTED}@"))
    failure = watcher.player.failure
    assert isinstance(failure, SourceUnreachable)
    assert str(failure) == (
        f"camera cam-1: rtsp://127.0.0.1:{server.port}/main cannot be reached (connection refused); "
        "check cable, address and port"
    )
    assert watcher.reasons == {State.CONNECTING: "", State.UNREACHABLE: str(failure)}
    assert "s3cret" not in "".join(traceback.format_exception(failure))


def test_pauses_grow_to_four_seconds_and_are_never_all_the_same(server: CameraServer, quick_clock: QuickClock) -> None:
    with Watcher(camera(server), quick_clock) as watcher:
        enough = threading.Event()
        while len(quick_clock.waited_s) < 40:
            enough.wait(0.01)
    pauses_s = np.array(quick_clock.waited_s[:40])
    assert pauses_s[0] <= 0.25
    assert pauses_s.max() <= LONGEST_PAUSE_S == 4.0
    assert pauses_s[10:].min() >= LONGEST_PAUSE_S / 2
    assert len(set(pauses_s[10:])) > 20
    assert watcher.states == [State.CONNECTING, State.UNREACHABLE]


@pytest.fixture
def silent_camera() -> Iterator[Camera]:
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Camera(id="cam-1", url=f"rtsp://127.0.0.1:{listener.getsockname()[1]}/main")


def test_a_camera_that_never_answers_is_given_up_after_the_time_out(
    silent_camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.opening.TIMEOUT_S", 0.3)
    watcher = watch_to_the_end(silent_camera)
    assert "does not answer as an RTSP camera" in watcher.reasons[State.UNREACHABLE]


def test_nothing_is_heard_of_a_silent_camera_once_it_was_stopped(
    silent_camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.opening.TIMEOUT_S", 0.5)
    with Watcher(silent_camera) as watcher:
        watcher.wait_for(State.CONNECTING)
        watcher.player.stop()
    assert watcher.player.has_ended
    assert watcher.states == [State.CONNECTING]


@pytest.fixture
def rude_camera() -> Iterator[Camera]:
    """Answers each connection with rubbish and hangs up."""
    answers = [
        b"",
        b"RTSP/1.0 200 OK\r\n\r\n",
        b"\xff\x00" * 500,
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"RTSP/1.0 500 x\r\n\r\n",
    ]
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:

        def serve() -> None:
            for number in range(1_000_000):
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(answers[number % len(answers)])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Camera(id="cam-1", url=f"rtsp://127.0.0.1:{listener.getsockname()[1]}/main")
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(20)


DESCRIPTION = "v=0\r\ns=x\r\nt=0 0\r\nm={} 0 RTP/AVP 96\r\na=rtpmap:96 {}\r\na=control:t\r\n"
VIDEO, SOUND = DESCRIPTION.format("video", "H264/90000"), DESCRIPTION.format("audio", "L16/8000/1")


def answer_once(listener: socket.socket, answers: dict[str, tuple[str, str]]) -> None:
    """One conversation of a camera that answers each method with (status, description)."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as requests, suppress(ConnectionError):
        while method := requests.readline().partition(b" ")[0].decode():
            fields = dict(line.split(b":", 1) for line in iter(requests.readline, b"\r\n") if line)
            status, body = answers.get(method, ("200 OK", ""))
            head = f"RTSP/1.0 {status}\r\nCSeq: {int(fields[b'CSeq'])}\r\nContent-Length: {len(body)}\r\n"
            kind = "Content-Type: application/sdp\r\n" if body else ""
            connection.sendall(f"{head}{kind}\r\n{body}".encode())


@pytest.mark.parametrize(
    ("answers", "state", "told"),
    [
        (
            {"DESCRIBE": ("200 OK", VIDEO), "SETUP": ("453 Not Enough Bandwidth", "")},
            State.UNREACHABLE,
            "answers that it cannot (server returned 4xx",
        ),
        ({"DESCRIBE": ("503 Service Unavailable", "")}, State.UNREACHABLE, "it may have too many viewers already"),
        (
            {"DESCRIBE": ("200 OK", VIDEO), "SETUP": ("461 Unsupported Transport", "")},
            State.UNREACHABLE,
            "does not send over tcp; set its transport to the other one",
        ),
        ({"DESCRIBE": ("403 Forbidden", "")}, State.REFUSED, "refused the user name or password"),
        ({"DESCRIBE": ("200 OK", SOUND)}, State.FAILED, "is not a video; look up the address of the camera's stream"),
    ],
    ids=["no bandwidth", "too many viewers", "another transport", "forbidden", "only sound"],
)
def test_what_a_camera_answers_is_told_in_words_that_help(
    answers: dict[str, tuple[str, str]], state: State, told: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_once, args=(listener, answers), daemon=True)
        thread.start()
        watcher = watch_to_the_end(Camera(id="cam-1", url=f"rtsp://127.0.0.1:{listener.getsockname()[1]}/main"))
        thread.join(20)
    assert told in watcher.reasons[state]


def test_a_thousand_connections_leave_no_file_and_no_thread_behind(
    rude_camera: Camera, quick_clock: QuickClock
) -> None:
    pause = threading.Event()
    with Watcher(rude_camera, quick_clock) as watcher:
        while len(quick_clock.waited_s) < 20:
            pause.wait(0.01)
        descriptors, threads = open_descriptors(), threading.active_count()
        while len(quick_clock.waited_s) < 1020:
            pause.wait(0.05)
        assert threading.active_count() <= threads
        # One connection may be open at either moment of counting.
        assert open_descriptors() <= descriptors + 3
    assert set(watcher.states) == {State.CONNECTING, State.UNREACHABLE}
