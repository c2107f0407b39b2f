"""A file plays as a camera would: at its own pace, with honest times, to a clean end."""

import os
import threading
from collections.abc import Callable
from datetime import UTC
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streams.clock import SystemClock
from streams.errors import NotAVideo, SourceError, SourceMissing
from streams.files import FileReel
from streams.frames import Camera, Pace
from streams.source import open_source
from tests.streams.clocks import FrozenClock, QuickClock
from tests.streams.films import FilmMaker, brightness

STEADY = tuple(k / 10 for k in range(20))


def camera(path: object, pace: Pace = Pace.FAST) -> Camera:
    return Camera(id="cam-1", url=str(path), pace=pace)


def join_player(name: str = "camera cam-1") -> None:
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(20)
            assert not thread.is_alive()


def open_files() -> set[str]:
    folder = Path("/proc/self/fd")
    return {str(link.readlink()) for link in folder.iterdir() if link.is_symlink()}


def test_fast_delivers_every_frame_in_order_with_its_own_picture(film: FilmMaker) -> None:
    with open_source(camera(film(STEADY))) as source:
        frames = list(source)
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.stream_s for frame in frames] == pytest.approx(STEADY)
    assert [round(float(frame.picture[24:].mean())) for frame in frames] == pytest.approx(
        [brightness(k) for k in range(20)], abs=1
    )
    assert source.dropped == 0


def test_a_frame_is_a_blue_green_red_picture_with_camera_and_aware_utc(film: FilmMaker) -> None:
    with open_source(camera(film(STEADY))) as source:
        frame = next(source)
    assert (frame.picture.shape, frame.picture.dtype) == ((48, 64, 3), np.uint8)
    assert frame.picture.flags.c_contiguous
    assert frame.camera == "cam-1"
    assert frame.utc.tzinfo is UTC


def test_the_real_footage_has_795_frames_in_79_4_seconds(vtest: Path) -> None:
    with open_source(camera(vtest)) as source:
        *_, last = source
    assert (last.index, last.stream_s) == (794, pytest.approx(79.4))
    assert last.picture.shape == (576, 768, 3)


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
    ("times_s", "expected_s"),
    [
        ((0.0, 0.1, 0.5, 0.55, 2.0), (0.0, 0.1, 0.5, 0.55, 2.0)),
        ((3.0, 3.1, 3.3), (0.0, 0.1, 0.3)),
    ],
    ids=["variable frame rate", "a first frame later than zero"],
)
def test_stream_time_follows_presentation_times_from_zero(
    film: FilmMaker, times_s: tuple[float, ...], expected_s: tuple[float, ...]
) -> None:
    with open_source(camera(film(times_s))) as source:
        assert [frame.stream_s for frame in source] == pytest.approx(expected_s)


def test_frames_without_presentation_times_are_spaced_by_the_frame_rate(film: FilmMaker) -> None:
    raw = film(STEADY, name="film.m4v", codec="mpeg4")
    with open_source(camera(raw)) as source:
        steps = np.diff([frame.stream_s for frame in source])
    assert len(steps) == 19
    assert steps == pytest.approx(np.full(19, steps[0]))
    assert steps[0] > 0


def test_a_film_made_lying_down_is_shown_upright(film: FilmMaker) -> None:
    with open_source(camera(film(STEADY[:9], name="film.mov", rotation=90, codec="mpeg4"))) as source:
        *_, last = source
    picture = last.picture
    assert picture.shape == (64, 48, 3)
    assert picture[:, :4].mean() < 10 < picture[:, 20:].mean()


def test_realtime_shows_each_frame_when_it_is_due(film: FilmMaker, quick_clock: QuickClock) -> None:
    times_s = (0.0, 0.1, 0.5, 2.0)
    reel = FileReel(camera(film(times_s), Pace.REALTIME), quick_clock)
    shots = list(reel.play(threading.Event()))
    assert [shot.monotonic_s - 1000 for shot in shots] == pytest.approx(times_s)
    assert [(shot.utc - shots[0].utc).total_seconds() for shot in shots] == pytest.approx(times_s)


def test_realtime_does_not_wait_for_what_is_already_late(film: FilmMaker, quick_clock: QuickClock) -> None:
    reel = FileReel(camera(film(STEADY[:4]), Pace.REALTIME), quick_clock)
    shots = reel.play(threading.Event())
    next(shots)
    quick_clock.now_s += 0.25
    list(shots)
    assert quick_clock.waited_s[1:] == pytest.approx([-0.15, -0.05, 0.05])


def test_realtime_gives_the_newest_frame_and_counts_the_dropped_ones(film: FilmMaker, quick_clock: QuickClock) -> None:
    with open_source(camera(film(STEADY), Pace.REALTIME), clock=quick_clock) as source:
        join_player()
        frames = list(source)
    assert [frame.index for frame in frames] == [19]
    assert round(float(frames[0].picture[24:].mean())) == pytest.approx(brightness(19), abs=1)
    assert source.dropped == 19


def test_a_loop_goes_on_counting_frames_and_time(film: FilmMaker, quick_clock: QuickClock) -> None:
    reel = FileReel(camera(film(STEADY[:5]), Pace.LOOP), quick_clock)
    shots = list(islice(reel.play(threading.Event()), 13))
    assert [shot.index for shot in shots] == list(range(13))
    assert [shot.stream_s for shot in shots] == pytest.approx([k / 10 for k in range(13)])
    assert [shot.monotonic_s - 1000 for shot in shots] == pytest.approx([k / 10 for k in range(13)])


def test_a_file_that_vanishes_while_looping_is_reported_to_whoever_watches(
    film: FilmMaker, quick_clock: QuickClock
) -> None:
    path = film(STEADY[:5])
    reel = FileReel(camera(path, Pace.LOOP), quick_clock)
    shots = reel.play(threading.Event())
    next(shots)
    path.unlink()
    with pytest.raises(SourceMissing, match="cannot be read"):
        list(shots)


def test_stop_ends_a_step_that_waits(film: FilmMaker, frozen_clock: FrozenClock) -> None:
    source = open_source(camera(film(STEADY), Pace.REALTIME), clock=frozen_clock)
    seen = []
    watcher = threading.Thread(target=lambda: seen.extend(source))
    with source:
        watcher.start()
        assert frozen_clock.waiting.wait(20)
        source.stop()
        watcher.join(20)
        assert not watcher.is_alive()
    assert [frame.index for frame in seen] in ([0], [])
    with pytest.raises(StopIteration):
        next(source)


@pytest.mark.parametrize("pace", list(Pace))
def test_leaving_the_context_gives_the_file_and_the_thread_back(
    film: FilmMaker, pace: Pace, quick_clock: QuickClock
) -> None:
    path = film(STEADY)
    with open_source(camera(path, pace), clock=quick_clock) as source:
        next(source)
    assert str(path) not in open_files()
    assert "camera cam-1" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(StopIteration):
        next(source)


def test_nothing_plays_before_somebody_watches(film: FilmMaker, quick_clock: QuickClock) -> None:
    source = open_source(camera(film(STEADY), Pace.REALTIME), clock=quick_clock)
    assert "camera cam-1" not in [thread.name for thread in threading.enumerate()]
    source.close()
    assert quick_clock.waited_s == []


def test_a_film_cut_off_in_the_middle_plays_to_the_cut(film: FilmMaker, tmp_path: Path) -> None:
    whole = film(STEADY).read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole[: len(whole) // 2])
    with open_source(camera(cut)) as source:
        frames = list(source)
    assert 0 < len(frames) < 20
    assert [frame.index for frame in frames] == list(range(len(frames)))


def test_damage_in_the_middle_costs_some_frames_and_not_the_rest(vtest: Path, tmp_path: Path) -> None:
    damaged = bytearray(vtest.read_bytes()[:2_000_000])
    damaged[900_000:900_400] = bytes(400)
    path = tmp_path / "damaged.avi"
    path.write_bytes(damaged)
    with open_source(camera(path)) as source:
        times_s = [frame.stream_s for frame in source]
    assert times_s[-1] > 15
    assert times_s == sorted(times_s)


def a_text(path: Path) -> None:
    path.write_text("there was a camera here once\n" * 50)


def nothing(path: Path) -> None:
    path.write_bytes(b"")


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


@pytest.mark.parametrize("name", ["film.avi", "film.txt", "film.jpg", "film.mp4"])
@pytest.mark.parametrize(
    "make",
    [a_text, nothing, a_folder, a_pipe, a_photograph, a_sound, a_film_without_pictures, a_list_of_other_files],
    ids=lambda make: make.__name__,
)
def test_what_is_no_video_is_refused_in_one_line_that_names_camera_and_file(
    make: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(NotAVideo) as caught:
        open_source(camera(path))
    assert str(caught.value) == f"camera cam-1: {path} is not a video; give a video file or an rtsp:// address"
    assert str(path) not in open_files()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/nowhere/film.avi", "camera cam-1: /nowhere/film.avi: no such file; check the path"),
        (
            "https://user:secret@example.org/film.mp4",
            "camera cam-1: https:// addresses cannot be played; give a path of a file or an rtsp:// address",
        ),
        ("/dev/null/film.avi", "camera cam-1: /dev/null/film.avi: cannot be read (not a directory)"),
        ("", "camera cam-1: no address; give a path of a file or an rtsp:// address"),
    ],
)
def test_what_cannot_be_opened_is_named_in_one_line(url: str, message: str) -> None:
    with pytest.raises(SourceMissing) as caught:
        open_source(camera(url))
    assert str(caught.value) == message


def test_every_error_of_a_source_is_a_source_error() -> None:
    with pytest.raises(SourceError):
        FileReel(camera("/nowhere"), SystemClock())
