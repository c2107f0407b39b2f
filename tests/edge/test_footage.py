"""Films for the gate's bench: what their truth says is what can be seen in them, and nothing else moves."""

from pathlib import Path

import av
import numpy as np
import pytest

from edge.bench.events import Event, FilmTruth, Sighting, missed
from edge.bench.footage import CAMERA, CAMERA_B, Actors, Scene, cached_film, make_film, truth_path
from edge.bench.rotation import rotate
from edge.bench.weather import Weather, changes_of
from edge.boxes import Box

SIZE_PX = (320, 180)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A wall, still for five seconds; then a dark thing with a pattern crosses it."""
    path = tmp_path_factory.mktemp("clip") / "wall.mp4"
    rng = np.random.default_rng(3)
    wall = np.repeat(np.repeat(rng.integers(90, 170, (18, 32, 3), np.uint8), 10, axis=0), 10, axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast", "crf": "18"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(90):
            picture = wall.copy()
            left = 40 + 5 * (number - 50)
            if number >= 50:
                picture[60:140, left : left + 30] = (10, 20, 30)
                picture[70:80, left + 5 : left + 25] = (250, 240, 20)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    return Scene(clip=path, actors=(Actors(path, "thing"),))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def lumas(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def key_pictures(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [number for number, frame in enumerate(container.decode(video=0)) if frame.key_frame]


def test_a_film_shows_each_event_where_and_when_its_truth_says_and_nothing_else(tmp_path: Path, scene: Scene) -> None:
    truth = make_film(tmp_path / "film.mp4", scene=scene, events=4, seconds=16, seed=5, size_px=SIZE_PX)
    pictures = lumas(tmp_path / "film.mp4").astype(np.int16)
    assert len(pictures) == 16 * 25
    assert len(truth.events) == 4
    far = np.abs(pictures - np.median(pictures, axis=0))
    shown = set()
    for event in truth.events:
        for seen in event.shown():
            number = round(seen.time_s * 25)
            left, top, right, bottom = np.round(np.array(seen.box) * np.tile(SIZE_PX, 2)).astype(int)
            inside = far[number, top:bottom, left:right].mean()
            outside = np.delete(far[number].ravel(), _places(seen.box)).mean()
            assert inside > 6 > 3 * outside
        shown |= {round(seen.time_s * 25) for seen in event.track}
    assert far[sorted(set(range(16 * 25)) - shown)].mean() < 2


def _places(box: Box) -> np.ndarray:
    mask = np.zeros(SIZE_PX[::-1], bool)
    left, top, right, bottom = np.round(np.array(box) * np.tile(SIZE_PX, 2)).astype(int)
    mask[max(0, top - 4) : bottom + 4, max(0, left - 4) : right + 4] = True
    return np.flatnonzero(mask)


def test_events_last_half_a_second_to_three_and_stand_alone_and_many_pass_between_two_key_frames(
    tmp_path: Path, scene: Scene
) -> None:
    truth = make_film(tmp_path / "film.mp4", scene=scene, events=12, seconds=40, seed=1, size_px=SIZE_PX)
    lasted_s = [event.end_s - event.start_s + 0.04 for event in truth.events]
    assert all(0.5 <= lasted <= 3.0 for lasted in np.round(lasted_s, 3))
    assert truth.events[0].start_s >= 4
    pauses_s = [after.start_s - before.end_s for before, after in zip(truth.events, truth.events[1:], strict=False)]
    assert min(pauses_s) >= 0.5
    assert len({event.way for event in truth.events}) >= 2
    assert 0.03 <= min(event.height for event in truth.events) < max(event.height for event in truth.events) <= 0.4
    between = [event for event in truth.events if event.between_keys]
    assert between
    for event in between:
        assert int(event.start_s // 2) == int(event.end_s // 2)
        assert event.start_s % 2 > 0


@pytest.mark.parametrize(
    ("codec", "options"),
    [("libx264", CAMERA), ("libx264", CAMERA_B), ("libx265", {"preset": "ultrafast"})],
    ids=["h264", "h264 with B-frames", "h265"],
)
def test_key_frames_come_exactly_as_far_apart_as_asked(
    tmp_path: Path, scene: Scene, codec: str, options: dict[str, str]
) -> None:
    path = tmp_path / "film.mp4"
    make_film(path, scene=scene, events=1, seconds=8, seed=2, gop=40, size_px=SIZE_PX, codec=codec, options=options)
    assert key_pictures(path) == [0, 40, 80, 120, 160]


def test_a_film_is_made_once_and_read_back_with_the_same_truth(scene: Scene) -> None:
    def film(seed: int) -> tuple[Path, FilmTruth]:
        return cached_film(scene=scene, events=1, seconds=6, seed=seed, size_px=SIZE_PX)

    path, truth = film(1)
    made = path.stat().st_mtime_ns, path.read_bytes()
    assert film(1) == (path, truth)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == made
    assert film(2)[0] != path
    path.unlink()
    truth_path(path).unlink()
    assert film(1) == (path, truth)
    assert path.read_bytes() == made[1]


@pytest.mark.parametrize("options", [CAMERA, CAMERA_B])
def test_a_rotated_film_shows_the_same_pictures_from_another_key_frame_on_without_the_first_two_groups(
    tmp_path: Path, scene: Scene, options: dict[str, str]
) -> None:
    film, turned = tmp_path / "film.mp4", tmp_path / "turned.mp4"
    make_film(film, scene=scene, events=0, seconds=6, seed=1, rate=10, gop=10, size_px=SIZE_PX, options=options)
    rotate(film, turned, share=0.5, seconds=7)
    pictures, rotated = lumas(film), lumas(turned)
    assert len(rotated) == 70
    for number, picture in enumerate(rotated):
        assert np.array_equal(picture, pictures[20 + (20 + number) % 40])
    with av.open(str(turned)) as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert np.diff(times) == pytest.approx(np.full(69, 0.1))


def test_more_events_than_fit_are_refused_with_what_they_need(tmp_path: Path, scene: Scene) -> None:
    with pytest.raises(ValueError, match=r"5 s are too short for 3 events; leave at least 1\.1 s for each"):
        make_film(tmp_path / "film.mp4", scene=scene, events=3, seconds=5, seed=1, size_px=SIZE_PX)


@pytest.mark.parametrize("weather", list(Weather))
def test_weather_changes_pictures_from_one_to_the_next_and_keeps_their_light_in_range(weather: Weather) -> None:
    scene = np.random.default_rng(4).integers(60, 180, (270, 320)).astype(np.uint8)
    changes = changes_of(weather, 4.0, SIZE_PX, np.random.default_rng(1))
    pictures = []
    for time_s in (0.0, 1.0, 6.0):
        picture = scene.copy()
        for change in changes:
            picture = change(picture, time_s)
        assert (picture.shape, picture.dtype) == (scene.shape, np.uint8)
        pictures.append(picture.astype(np.int16))
    assert 0.5 < np.abs(pictures[0][:180] - pictures[1][:180]).mean() < 40
    coloured = [bool((picture[180:] != 128).any()) for picture in pictures]
    assert coloured == [True, True, weather is not Weather.INFRARED]


def event(*visible: float) -> Event:
    """From 10 s on, a picture every 0.04 s, in the left half."""
    track = tuple(Sighting(round(10 + 0.04 * k, 2), Box(0, 0, 0.5, 1), share) for k, share in enumerate(visible))
    return Event(number=0, what="car", way="gap", height=0.3, contrast=40, between_keys=True, track=track)


@pytest.mark.parametrize(
    ("looked_s", "is_missed"),
    [
        ([], True),
        ([9.96, 10.2], True),
        ([10.0], True),  # only a sleeve
        ([10.04], False),
        ([10.0796], False),  # rounded time stamp
        ([10.1, 10.06], True),
    ],
)
def test_an_event_is_missed_unless_a_picture_that_shows_it_was_looked_at(
    looked_s: list[float], is_missed: bool
) -> None:
    happened = event(0.2, 1.0, 0.8, 0.1)
    assert missed([happened], looked_s) == ([happened] if is_missed else [])
