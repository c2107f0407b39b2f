"""Cameras that speak HTTP: pictures one by one, lists of segments, and pages that are no camera at all."""

import base64
import io
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streams.errors import AccessDenied, NotAVideo, SourceError, SourceMissing
from streams.frames import Camera
from streams.player import LONGEST_PAUSE_S, State
from tests.streams.clocks import QuickClock
from tests.streams.damaged_films import RATE, Lab
from tests.streams.films import FilmMaker
from tests.streams.servers import Answer, pictures, text, web_server
from tests.streams.watching import Watcher, decode, watch_to_the_end


def jpeg(width: int = 64, height: int = 48, light: int = 128) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), light, np.uint8))[1].tobytes()


def camera(url: str, **options: object) -> Camera:
    return Camera(id="cam-1", url=url, **options)  # type: ignore[arg-type]


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    stop = threading.Event()
    yield stop
    stop.set()


@pytest.mark.parametrize("multipart", [True, False])
def test_motion_jpeg_plays(stop: threading.Event, multipart: bool) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    answer = pictures([cv2.imencode(".jpg", noise)[1].tobytes()], stop, multipart=multipart)
    with web_server({"/video": answer}) as address, Watcher(camera(f"{address}/video")) as watcher:
        watcher.wait_for_packets(5)
        stop.set()
    assert watcher.states[:2] == [State.CONNECTING, State.PLAYING]
    packets = watcher.packets
    assert all(packet.is_key and packet.coding.codec == "mjpeg" for packet in packets)
    assert decode(packets)[0].frame().picture.shape == (48, 64, 3)
    passed_s = [packet.stream_s - packet.monotonic_s for packet in packets]
    assert max(passed_s) - min(passed_s) < 0.02, "time is that of arrival, not what is made up"


def test_motion_jpeg_of_another_size_is_a_new_coding(stop: threading.Event) -> None:
    answer = pictures([jpeg()] * 20 + [jpeg(96, 80)] * 20, stop)
    with web_server({"/video": answer}) as address, Watcher(camera(f"{address}/video")) as watcher:
        watcher.wait_until(lambda: watcher.packets and watcher.packets[-1].coding.width == 96)
        watcher.wait_until(lambda: watcher.packets[-1].coding.width == 64)
        stop.set()
    shapes = {
        (image.packet.coding.height, image.packet.coding.width, 3): image.frame().picture.shape
        for image in decode(watcher.packets)
    }
    assert shapes == {(48, 64, 3): (48, 64, 3), (80, 96, 3): (80, 96, 3)}


def test_a_camera_that_breaks_off_is_connected_again(stop: threading.Event) -> None:
    calls = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        calls.append(1)
        if len(calls) == 1:
            text("multipart/x-mixed-replace; boundary=b", b"--b\r\n\r\n" + jpeg() + b"\r\n--b\r\n\r\n" + jpeg())(
                request
            )
        else:
            pictures([jpeg()], stop)(request)

    with web_server({"/video": answer}) as address, Watcher(camera(f"{address}/video")) as watcher:
        watcher.wait_for(State.UNREACHABLE)
        watcher.wait_until(lambda: watcher.packets and watcher.packets[-1].take == 1)
        stop.set()
    assert watcher.player.reconnects == 1


def test_a_camera_that_breaks_off_again_and_again_is_waited_for_longer_and_longer(quick_clock: QuickClock) -> None:
    part = b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg() + b"\r\n"
    answer = text("multipart/x-mixed-replace; boundary=b", part * 3)
    with web_server({"/video": answer}) as address, Watcher(camera(f"{address}/video"), quick_clock) as watcher:
        watcher.wait_for(State.UNREACHABLE, times=8)
    assert quick_clock.waited_s[6] > LONGEST_PAUSE_S / 2


def segments(folder: Path, film: Path) -> dict[str, Answer]:
    with (
        av.open(str(film)) as source,
        av.open(
            str(folder / "list.m3u8"), "w", format="hls", options={"hls_time": "1", "hls_list_size": "0"}
        ) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return {
        f"/{path.name}": text(
            "application/vnd.apple.mpegurl" if path.suffix == ".m3u8" else "video/mp2t", path.read_bytes()
        )
        for path in folder.iterdir()
    }


def test_a_list_of_segments_plays(film: FilmMaker, tmp_path: Path) -> None:
    path = film([k / 10 for k in range(30)], name="film.mp4", codec="libx264", options={"g": "10"})
    folder = tmp_path / "hls"
    folder.mkdir()
    with web_server(segments(folder, path)) as address, Watcher(camera(f"{address}/list.m3u8")) as watcher:
        watcher.wait_for_packets(30)
    images = decode(watcher.packets[:30])
    assert [image.packet.stream_s for image in images] == pytest.approx([k / 10 for k in range(30)], abs=0.01)


def test_between_segments_there_may_be_silence_whatever_the_list_is_called(film: FilmMaker, tmp_path: Path) -> None:
    folder = tmp_path / "hls"
    folder.mkdir()
    answers = segments(folder, film([k / 10 for k in range(28)], "film.mp4", codec="libx264", options={"g": "10"}))
    lines = (folder / "list.m3u8").read_text().replace("#EXT-X-ENDLIST\n", "").splitlines(keepends=True)
    began_s = time.monotonic()
    over = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        """All segments but one; all of them after more than the silence that a camera may keep."""
        shown = lines if time.monotonic() > began_s + 2.5 else lines[:-2]
        end = "#EXT-X-ENDLIST\n" if over.is_set() else ""
        text("application/vnd.apple.mpegurl", ("".join(shown) + end).encode())(request)

    answers["/live"] = answer
    with web_server(answers) as address, Watcher(camera(f"{address}/live", silence_s=1.0)) as watcher:
        watcher.wait_for_packets(24)
        over.set()
    assert {packet.take for packet in watcher.packets} == {0}


@pytest.mark.parametrize(
    "line", ["file:///etc/hostname", "/etc/hostname", "concat:/etc/hostname", "gopher://127.0.0.1/"]
)
def test_a_list_of_segments_cannot_make_the_box_read_its_own_files(line: str, film: FilmMaker) -> None:
    body = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{line}\n#EXT-X-ENDLIST\n".encode()
    with web_server({"/list.m3u8": text("application/vnd.apple.mpegurl", body)}) as address:
        watcher = watch_to_the_end(camera(f"{address}/list.m3u8"))
    assert watcher.packets == []
    assert isinstance(watcher.player.failure, SourceError)


PAGE = b"<!DOCTYPE html>\n<html><head><title>Camera</title></head><body>" + b"<p>Log in</p>" * 500 + b"</body></html>"


def text_of_unknown_length(content_type: str, body: bytes) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", content_type)
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.write(body)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        text("text/html; charset=utf-8", PAGE),
        text("text/html", b""),
        text("text/plain", b"  <html><body>hello</body></html>"),
        text_of_unknown_length("text/html", b"<html><body>hello</body></html>"),
    ],
    ids=["a page", "an empty page", "a page that says it is text", "a page that ends with its connection"],
)
def test_a_web_page_is_called_one(answer: Answer) -> None:
    with web_server({"/": answer}) as address:
        watcher = watch_to_the_end(camera(f"{address.replace('//', '//u:s3cret@')}/?token=s3cret"))
    assert isinstance(watcher.player.failure, NotAVideo)
    assert str(watcher.player.failure) == (
        f"camera cam-1: {address}/ is a web page, not a video; look up the address of the camera's stream, often rtsp://…"
    )
    assert watcher.states[-1] == State.FAILED


def test_what_is_neither_video_nor_page_is_not_a_video() -> None:
    with web_server({"/": text("application/json", b'{"error": "x"}' * 100)}) as address:
        failure = watch_to_the_end(camera(f"{address}/")).player.failure
    assert isinstance(failure, NotAVideo)
    assert "is not a video" in str(failure)


def test_a_single_picture_is_not_a_video() -> None:
    with web_server({"/snapshot.jpg": text("image/jpeg", jpeg(320, 240))}) as address:
        failure = watch_to_the_end(camera(f"{address}/snapshot.jpg")).player.failure
    assert isinstance(failure, NotAVideo)
    assert "is a single picture, not a video; look up the address of the camera's stream" in str(failure)


def test_the_rate_that_the_camera_states_is_known_though_little_is_waited_for(tmp_path: Path) -> None:
    path = Lab(tmp_path).film("ts", pictures=60)
    with web_server({"/video": text("video/mp2t", path.read_bytes())}) as address:
        watcher = watch_to_the_end(camera(f"{address}/video"))
    assert watcher.packets[-1].coding.rate == RATE


def film_with_long_sound() -> bytes:
    """Two seconds of pictures, twenty of sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        video, audio = container.add_stream("mpeg2video", rate=25), container.add_stream("mp2", rate=48_000)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for number in range(50):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number, np.uint8), "rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for number in range(850):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 2304), np.int16), "s16", "stereo")
            sound.rate, sound.pts, sound.time_base = 48_000, number * 1152, Fraction(1, 48_000)
            container.mux(audio.encode(sound))
    return file.getvalue()


def test_a_camera_whose_pictures_stop_while_its_sound_goes_on_is_connected_again(stop: threading.Event) -> None:
    film = film_with_long_sound()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for at in range(0, len(film), 2000):
            request.wfile.write(film[at : at + 2000])
            if stop.wait(0.04):
                return

    with web_server({"/video": answer}) as address, Watcher(camera(f"{address}/video", silence_s=1.0)) as watcher:
        watcher.wait_for(State.UNREACHABLE)
        assert "sent nothing for 1 s" in watcher.reasons[State.UNREACHABLE]
        stop.set()
    assert len(watcher.packets) >= 40


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AccessDenied), (403, AccessDenied), (404, SourceMissing)], ids=["401", "403", "404"]
)
def test_a_refusal_is_told_from_a_wrong_path(status: int, kind: type[SourceError]) -> None:
    with web_server({"/video": text("text/html", PAGE, status)}) as address:
        failure = watch_to_the_end(camera(f"{address.replace('//', '//u:s3cret@')}/video")).player.failure
    assert isinstance(failure, kind)
    assert "s3cret" not in str(failure)


def test_user_and_password_of_the_address_are_sent(stop: threading.Event) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        given = request.headers.get("Authorization", "")
        if given == "Basic " + base64.b64encode(b"u:p@ss").decode():
            pictures([jpeg()], stop)(request)
        else:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="camera"')
            request.end_headers()

    with web_server({"/video": answer}) as address:
        url = f"{address.replace('//', '//u:p%40ss@')}/video"
        with Watcher(camera(url)) as watcher:
            watcher.wait_for_packets(1)
        stop.set()
