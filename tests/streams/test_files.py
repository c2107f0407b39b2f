"""A file plays as a camera would: at its own pace, with honest times, to a clean end."""

import os
import threading
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streams.errors import NotAVideo, SourceError, SourceMissing, SourceUnreachable
from streams.frames import Camera, Pace
from streams.packets import Packet
from streams.player import Player, State
from streams.source import open_source
from tests.streams.clocks import FrozenClock, QuickClock
from tests.streams.films import FilmMaker, brightness
from tests.streams.watching import Watcher, decode, watch_to_the_end

KNOWN = "http, https, rtsp, rtsps, v4l2"
STEADY = tuple(k / 10 for k in range(20))


def camera(path: object, pace: Pace = Pace.FAST) -> Camera:
    return Camera(id="cam-1", url=str(path), pace=pace)


def open_files() -> set[str]:
    folder = Path("/proc/self/fd")
    return {str(link.readlink()) for link in folder.iterdir() if link.is_symlink()}


def times_s(packets: list[Packet]) -> list[float]:
    return [packet.stream_s for packet in packets]


def test_fast_delivers_every_packet_in_order_with_its_own_picture(film: FilmMaker) -> None:
    watcher = watch_to_the_end(camera(film(STEADY)))
    assert [packet.index for packet in watcher.packets] == list(range(20))
    assert times_s(watcher.packets) == pytest.approx(STEADY)
    pictures = [image.frame().picture for image in decode(watcher.packets)]
    assert [round(float(picture[24:].mean())) for picture in pictures] == pytest.approx(
        [brightness(k) for k in range(20)], abs=1
    )
    assert watcher.states == [State.CONNECTING, State.PLAYING, State.ENDED]
    assert watcher.player.failure is None


def test_a_fast_file_waits_for_whoever_takes_its_packets(film: FilmMaker) -> None:
    taken, go_on = threading.Semaphore(0), threading.Semaphore(0)
    seen = []

    def take(packet: Packet) -> None:
        seen.append(packet.index)
        taken.release()
        go_on.acquire()

    player = Player(camera(film(STEADY[:3])), on_packet=take, on_state=lambda _state, _reason: None)
    player.start()
    for index in range(3):
        assert taken.acquire(timeout=20)
        assert seen[-1] == index
        go_on.release()
    player.join(20)
    assert seen == [0, 1, 2]


def test_a_frame_is_a_blue_green_red_picture_with_camera_and_aware_utc(film: FilmMaker) -> None:
    with open_source(camera(film(STEADY))) as source:
        frame = next(source)
    assert (frame.picture.shape, frame.picture.dtype) == ((48, 64, 3), np.uint8)
    assert frame.picture.flags.c_contiguous
    assert frame.camera == "cam-1"
    assert frame.utc.tzinfo is UTC


def test_the_real_footage_has_795_frames_in_79_4_seconds_and_four_key_frames(vtest: Path) -> None:
    packets = watch_to_the_end(camera(vtest)).packets
    assert (packets[-1].index, packets[-1].stream_s) == (794, pytest.approx(79.4))
    assert [packet.index for packet in packets if packet.is_key] == [0, 250, 500, 750]


def test_a_source_gives_every_frame_of_a_file(film: FilmMaker) -> None:
    with open_source(camera(film(STEADY))) as source:
        assert [frame.index for frame in source] == list(range(20))


def test_colours_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "blue.avi"
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[..., 0] = 200
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    with open_source(camera(path)) as source:
        blue, green, red = next(source).picture.mean(axis=(0, 1))
    assert blue > 180
    assert max(green, red) < 20


@pytest.mark.parametrize(
    ("given_s", "expected_s"),
    [
        ((0.0, 0.1, 0.5, 0.55, 2.0), (0.0, 0.1, 0.5, 0.55, 2.0)),
        ((3.0, 3.1, 3.3), (0.0, 0.1, 0.3)),
        ((0.0, 0.1, 7200.1, 7200.2), (0.0, 0.1, 0.2, 0.3)),
    ],
    ids=["variable frame rate", "a first frame later than zero", "a jump of two hours"],
)
def test_stream_time_follows_presentation_times_from_zero(
    film: FilmMaker, given_s: tuple[float, ...], expected_s: tuple[float, ...]
) -> None:
    assert times_s(watch_to_the_end(camera(film(given_s))).packets) == pytest.approx(expected_s)


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts"])
def test_pictures_that_are_sent_out_of_order_carry_the_time_at_which_they_are_shown(film: FilmMaker, name: str) -> None:
    path = film(STEADY, name=name, codec="libx264", options={"bf": "2", "x264-params": "b-adapt=0:scenecut=0"})
    packets = watch_to_the_end(camera(path)).packets
    assert times_s(packets) != sorted(times_s(packets))
    images = decode(packets)
    assert [image.packet.stream_s for image in images] == pytest.approx(STEADY)
    lights = [round(float(image.luma(8, 8)[4:].mean())) for image in images]
    assert lights == pytest.approx([16 + 8 * k for k in range(20)], abs=3)


def test_frames_without_presentation_times_are_spaced_by_the_frame_rate(film: FilmMaker) -> None:
    raw = film(STEADY, name="film.m4v", codec="mpeg4")
    steps = np.diff(times_s(watch_to_the_end(camera(raw)).packets))
    assert len(steps) == 19
    assert steps == pytest.approx(np.full(19, steps[0]))
    assert steps[0] > 0


def test_a_film_made_lying_down_is_shown_upright(film: FilmMaker) -> None:
    path = film(STEADY[:9], name="film.mov", rotation=90, codec="mpeg4")
    last = decode(watch_to_the_end(camera(path)).packets)[-1]
    picture = last.frame().picture
    assert picture.shape == (64, 48, 3)
    assert picture[:, :4].mean() < 10 < picture[:, 20:].mean()
    luma = last.luma(24, 32)
    assert luma.shape == (32, 24)
    assert luma[:, :2].mean() < 30 < luma[:, 10:].mean()


def test_realtime_hands_each_packet_over_when_it_is_due(film: FilmMaker, quick_clock: QuickClock) -> None:
    given_s = (0.0, 0.1, 0.5, 2.0)
    packets = watch_to_the_end(camera(film(given_s), Pace.REALTIME), quick_clock).packets
    assert [packet.monotonic_s - 1000 for packet in packets] == pytest.approx(given_s)
    assert [(packet.utc - packets[0].utc).total_seconds() for packet in packets] == pytest.approx(given_s)


def test_realtime_does_not_wait_for_what_is_already_late(film: FilmMaker, quick_clock: QuickClock) -> None:
    def dawdle(packet: Packet) -> None:
        if packet.index == 0:
            quick_clock.now_s += 0.25

    player = Player(
        camera(film(STEADY[:4]), Pace.REALTIME), on_packet=dawdle, on_state=lambda *_: None, clock=quick_clock
    )
    player.start()
    player.join(20)
    assert quick_clock.waited_s[1:] == pytest.approx([-0.15, -0.05, 0.05])


def test_a_loop_goes_on_counting_packets_and_time_and_each_round_is_a_take(
    film: FilmMaker, quick_clock: QuickClock
) -> None:
    with Watcher(camera(film(STEADY[:5]), Pace.LOOP), quick_clock) as watcher:
        watcher.wait_for_packets(13)
    packets = watcher.packets[:13]
    assert [packet.index for packet in packets] == list(range(13))
    assert [packet.take for packet in packets] == [0] * 5 + [1] * 5 + [2] * 3
    assert times_s(packets) == pytest.approx([k / 10 for k in range(13)])
    assert [packet.monotonic_s - 1000 for packet in packets] == pytest.approx([k / 10 for k in range(13)])


@pytest.mark.parametrize("pace", [Pace.FAST, Pace.REALTIME])
def test_a_folder_plays_its_files_by_name_one_after_the_other(
    film: FilmMaker, tmp_path: Path, quick_clock: QuickClock, pace: Pace
) -> None:
    film(STEADY[:3], name="2.mkv")
    film(STEADY[:4], name="1.avi", codec="mpeg4")
    (tmp_path / ".hidden").write_text("not looked at")
    packets = watch_to_the_end(camera(tmp_path, pace), quick_clock).packets
    assert [(packet.take, packet.coding.codec) for packet in packets] == [(0, "mpeg4")] * 4 + [(1, "ffv1")] * 3
    assert times_s(packets) == pytest.approx([k / 10 for k in range(7)])


def test_what_is_no_video_in_a_folder_is_said_and_stepped_over(film: FilmMaker, tmp_path: Path) -> None:
    film(STEADY[:3], name="b.mkv")
    (tmp_path / "a.txt").write_text("notes")
    watcher = watch_to_the_end(camera(tmp_path))
    assert watcher.states == [State.CONNECTING, State.DEGRADED, State.PLAYING, State.ENDED]
    assert "a.txt is not a video" in watcher.reasons[State.DEGRADED]
    assert len(watcher.packets) == 3


def test_a_folder_with_no_video_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("notes")
    watcher = watch_to_the_end(camera(tmp_path, Pace.LOOP))
    assert isinstance(watcher.player.failure, NotAVideo)
    assert watcher.states[-1] == State.FAILED


def test_whoever_takes_packets_may_fail_and_it_is_said(film: FilmMaker) -> None:
    told: list[tuple[str, str]] = []

    def fall_over(_packet: Packet) -> None:
        raise ValueError("no room for rtsp://u:s3cret@host/x")

    player = Player(
        camera(film(STEADY)), on_packet=fall_over, on_state=lambda *state: told.append(state), persistent=False
    )
    player.start()
    player.join(20)
    state, reason = told[-1]
    assert state == State.FAILED
    assert reason.endswith("film.mkv failed (ValueError: no room for rtsp://host/x); it is tried again")
    assert player.has_ended


def test_a_missing_device_is_one_line_about_its_plug() -> None:
    failure = watch_to_the_end(camera("v4l2:///dev/video99")).player.failure
    assert isinstance(failure, SourceUnreachable)
    assert str(failure) == (
        "camera cam-1: v4l2:///dev/video99: there is no such device; plug the camera in. "
        "Which are there: ls -l /dev/v4l/by-id"
    )


def test_a_file_that_vanishes_while_looping_is_said_and_played_again_when_it_is_back(
    film: FilmMaker, quick_clock: QuickClock
) -> None:
    path = film(STEADY[:5])
    with Watcher(camera(path, Pace.LOOP), quick_clock) as watcher:
        watcher.wait_for(State.PLAYING)
        path.rename(path.with_suffix(".away"))
        watcher.wait_for(State.FAILED)
        assert isinstance(watcher.player.failure, SourceMissing)
        path.with_suffix(".away").rename(path)
        watcher.wait_for(State.PLAYING, times=2)
    assert watcher.player.failure is None
    assert min(quick_clock.waited_s) > -0.001, "it hurried to catch up with the time it was away"


def test_stop_ends_a_wait(film: FilmMaker, frozen_clock: FrozenClock) -> None:
    with Watcher(camera(film(STEADY), Pace.REALTIME), frozen_clock) as watcher:
        assert frozen_clock.waiting.wait(20)
        watcher.player.stop()
        watcher.player.join(20)
        assert watcher.player.has_ended
    assert State.ENDED not in watcher.states


def test_a_stopped_source_ends_a_step_that_waits(film: FilmMaker, frozen_clock: FrozenClock) -> None:
    seen: list[int] = []
    with open_source(camera(film(STEADY), Pace.REALTIME), clock=frozen_clock) as source:
        watcher = threading.Thread(target=lambda: seen.extend(frame.index for frame in source))
        watcher.start()
        assert frozen_clock.waiting.wait(20)
        source.stop()
        watcher.join(20)
        assert not watcher.is_alive()
    assert seen in ([0], [])


@pytest.mark.parametrize("pace", list(Pace))
def test_leaving_the_context_gives_the_file_and_the_thread_back(
    film: FilmMaker, pace: Pace, quick_clock: QuickClock
) -> None:
    path = film(STEADY)
    with open_source(camera(path, pace), clock=quick_clock) as source:
        next(source)
    assert str(path) not in open_files()
    assert "camera cam-1" not in [thread.name for thread in threading.enumerate()]
    assert list(source) == []


def test_nothing_plays_before_somebody_watches(film: FilmMaker, quick_clock: QuickClock) -> None:
    open_source(camera(film(STEADY), Pace.REALTIME), clock=quick_clock)
    assert "camera cam-1" not in [thread.name for thread in threading.enumerate()]
    assert quick_clock.waited_s == []


def a_text(path: Path) -> None:
    path.write_text("Tieguanyin is oolong.\n" * 400)


def nothing(path: Path) -> None:
    path.touch()


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_photograph(path: Path) -> None:
    path.with_suffix(".jpg").write_bytes(cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes())
    path.with_suffix(".jpg").rename(path)


def a_sound(path: Path) -> None:
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame(format="s16", layout="mono", samples=800)
        frame.rate = 8000
        container.mux(stream.encode(frame))


def a_film_without_pictures(path: Path) -> None:
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()


def a_list_of_other_files(path: Path) -> None:
    path.write_text("ffconcat version 1.0\nfile /etc/hostname\n")


def a_list_of_segments(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n/etc/hostname\n#EXT-X-ENDLIST\n")


@pytest.mark.parametrize("name", ["film.avi", "film.txt", "film.jpg", "film.mp4"])
@pytest.mark.parametrize(
    "make",
    [
        a_text,
        nothing,
        a_folder,
        a_pipe,
        a_photograph,
        a_sound,
        a_film_without_pictures,
        a_list_of_other_files,
        a_list_of_segments,
    ],
    ids=lambda make: make.__name__,
)
def test_what_is_no_video_is_refused_in_one_line_that_names_camera_and_file(
    make: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    make(path)
    with open_source(camera(path)) as source, pytest.raises(NotAVideo) as caught:
        next(source)
    assert str(caught.value) == f"camera cam-1: {path} is not a video; give a video file or an rtsp:// address"
    assert str(path) not in open_files()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/nowhere/film.avi", "camera cam-1: /nowhere/film.avi: no such file; check the path"),
        (
            "ftp://user:secret@host/film.mp4",
            f"camera cam-1: ftp:// addresses cannot be played; give a path of a file or one of {KNOWN}",
        ),
        (
            "concat:/etc/hostname|/etc/hosts",
            "camera cam-1: concat:/etc/hostname|/etc/hosts: no such file; check the path",
        ),
        ("/dev/null/film.avi", "camera cam-1: /dev/null/film.avi: cannot be read (not a directory)"),
        ("", "camera cam-1: no address; give a path of a file or an rtsp:// address"),
    ],
)
def test_what_cannot_be_opened_is_named_in_one_line(url: str, message: str) -> None:
    watcher = watch_to_the_end(camera(url))
    assert isinstance(watcher.player.failure, SourceMissing)
    assert isinstance(watcher.player.failure, SourceError)
    assert str(watcher.player.failure) == message == watcher.reasons[State.FAILED]
