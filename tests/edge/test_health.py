"""A camera's health: real footage is healthy whatever the weather, and a lost view is told whatever took it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge.health
from alerts.messages import Hindrance
from edge.health import ENTER_S, HealthWatch
from edge.references import ReferenceShelf
from edge.stillness import STILL_FOR_EVER_S
from edge.views import Comparison, Reference, Sample
from tests.edge.pictures import (
    FILMS,
    GONE,
    HARMLESS,
    SIZE,
    Change,
    Luma,
    behind,
    film,
    h264,
    moved,
    noise,
    same,
    while_,
)

NOON = datetime(2026, 4, 5, 12, tzinfo=UTC)
STEP_S = 4.0


def watch_film(
    frames: tuple[Luma, ...],
    *,
    reference: Reference | None = None,
    change: Change = same,
    seconds: float = 132,
    watch: HealthWatch | None = None,
) -> tuple[HealthWatch, dict[str, list[float]]]:
    """The film over and over for so long: the watch, and when each trouble was told."""
    watch = watch or HealthWatch(reference)
    told: dict[str, list[float]] = {}
    for number in range(round(seconds / STEP_S)):
        at_s = number * STEP_S
        luma = change(frames[number % len(frames)], number)
        for trouble in watch.look(luma, at_s=at_s, utc=NOON + timedelta(seconds=at_s)):
            told.setdefault(trouble.value, []).append(at_s)
    return watch, told


@cache
def reference_of(path: Path) -> Reference:
    watch, told = watch_film(film(path), seconds=140)
    assert told == {}
    assert watch.reference is not None
    return watch.reference


@pytest.fixture(params=FILMS, scope="module")
def path(request: pytest.FixtureRequest, shared: Path) -> Path:
    return shared / "footage" / str(request.param)


def test_every_sampled_frame_of_real_footage_is_healthy_while_the_reference_is_made_and_after(path: Path) -> None:
    frames = film(path)
    watch, told = watch_film(frames, seconds=2 * STEP_S * len(frames))
    assert told == {}
    assert watch.reference is not None


@pytest.mark.parametrize("what", HARMLESS)
def test_light_weather_and_passers_by_are_no_trouble(path: Path, what: str) -> None:
    _, told = watch_film(film(path), reference=reference_of(path), change=HARMLESS[what])
    assert told == {}


@pytest.mark.parametrize("what", GONE)
def test_a_view_that_is_gone_is_told_and_called_by_its_name(path: Path, what: str) -> None:
    change, names = GONE[what]
    watch, told = watch_film(film(path), reference=reference_of(path), change=change)
    assert set(told) & names, told
    assert set(told) <= names | {"frozen"}
    assert min(at for times in told.values() for at in times) <= 128
    for trouble, since_s in watch.troubles.items():
        assert since_s <= told[trouble.value][0] - ENTER_S[trouble] + 10, "since it began, not since it was believed"


def test_another_place_is_another_view(path: Path) -> None:
    others = [path.parent / name for name in FILMS if name != path.name]
    for other in others:
        _, told = watch_film(film(other), reference=reference_of(path), seconds=130)
        assert set(told) & {"turned", "covered"}, other.name


def test_a_trouble_is_over_soon_after_it_ended_and_does_not_flap(path: Path) -> None:
    change = while_(moved(right=0.4), 15, 45)
    _, told = watch_film(film(path), reference=reference_of(path), change=change, seconds=280)
    times = sorted({at for each in told.values() for at in each})
    assert 60 + ENTER_S[Hindrance.TURNED] <= times[0] + STEP_S
    assert 178 <= times[-1] <= 180 + 40
    assert {later - sooner for sooner, later in pairwise(times)} == {STEP_S}, "told once, without a break"


def test_a_view_that_comes_and_goes_by_the_second_is_not_told_by_the_second(path: Path) -> None:
    board = behind(1.0, 90)
    _, told = watch_film(
        film(path), reference=reference_of(path), change=lambda luma, n: board(luma, n) if n % 4 < 1 else luma
    )
    assert told == {}


def test_a_stream_that_repeats_one_picture_is_frozen_until_it_moves(path: Path) -> None:
    frames = film(path)
    stuck = lambda luma, n: frames[10] if 10 <= n < 30 else luma  # noqa: E731 - a table's entry
    watch, told = watch_film(frames, reference=reference_of(path), change=stuck, seconds=160)
    assert list(told) == ["frozen"]
    assert told["frozen"][0] == 40 + 32
    assert told["frozen"][-1] == 116
    assert watch.troubles == {}


def test_a_scene_at_rest_with_a_sensors_noise_is_not_frozen(path: Path) -> None:
    frames = film(path)
    still = lambda _, n: noise(1.5)(frames[20], n)  # noqa: E731 - a table's entry
    _, told = watch_film(frames, reference=reference_of(path), change=still, seconds=200)
    assert told == {}


def looks(watch: HealthWatch, picture: Callable[[int], Luma], seconds: int) -> Iterator[tuple[int, set[str]]]:
    for at_s in range(seconds):
        yield at_s, {each.value for each in watch.look(picture(at_s), at_s=at_s, utc=NOON)}


@cache
def scene(level: int = 0) -> Luma:
    """A drawn scene without noise."""
    rows, columns = np.indices((135, 240))
    return (80 + 60 * ((rows // 15 + columns // 20) % 2) + level).astype(np.uint8)


def test_a_drawn_scene_that_never_moved_is_given_ten_minutes() -> None:
    first = next(at for at, told in looks(HealthWatch(), lambda _: scene(), 700) if told)
    assert first == STILL_FOR_EVER_S


def test_a_camera_whose_encoder_repeats_itself_for_long_is_given_three_times_as_long() -> None:
    told = [found for _, found in looks(HealthWatch(), lambda at: scene(at // 25 % 2), 600)]
    assert set().union(*told) == set()
    stuck = [at for at, found in looks(HealthWatch(), lambda at: scene(at // 25 % 2 if at < 300 else 0), 600) if found]
    assert stuck[0] in range(300 + 45, 300 + 105)


def test_one_picture_that_is_encoded_anew_is_frozen_and_a_sensor_at_rest_is_not(path: Path) -> None:
    """Real H.264 between: in both nothing moves, but one of them is looked at by a sensor."""
    frame, sensor = film(path)[20], noise(1.0)
    alive = [sensor(frame, n) for n in range(90)]
    watch, reference = HealthWatch(reference_of(path)), list(h264(alive + [frame] * 34))
    told: dict[int, set[str]] = {}
    for number, (luma, is_key) in enumerate(reference):
        at_s = number * 4.0
        told[number] = {each.value for each in watch.look(luma, at_s=at_s, utc=NOON, is_key=is_key)}
    assert set().union(*(told[number] for number in range(92))) == set()
    assert told[len(reference) - 1] == {"frozen"}


@pytest.mark.parametrize(
    ("changes", "off"),
    [
        ({}, False),
        ({"utc": datetime(1970, 1, 1, 0, 5, tzinfo=UTC)}, True),
        ({"speed": 1.02}, False),
        ({"speed": 1.5}, True),
        ({"speed": 0.5}, True),
        ({"ahead": 20.0}, False),
        ({"ahead": -200.0}, True),
        ({"ahead": 8 * 3600 + 20.0}, False),
        ({"ahead": 8 * 3600 + 90.0}, True),
        ({"ahead": -24 * 3600.0}, True),
    ],
)
def test_a_clock_that_cannot_be_right_is_told(changes: dict[str, object], off: bool) -> None:
    watch, speed = HealthWatch(), float(str(changes.get("speed", 1.0)))
    watch.camera_ahead_s = float(str(changes["ahead"])) if "ahead" in changes else None
    told: set[Hindrance] = set()
    for at in range(300):
        utc = changes.get("utc", NOON + timedelta(seconds=at))
        assert isinstance(utc, datetime)
        told |= set(watch.look(scene(at % 7), at_s=at, utc=utc, stream_s=at * speed))
    assert told == ({Hindrance.CLOCK_OFF} if off else set())


def test_a_reconnect_is_no_trouble_of_the_clock() -> None:
    watch = HealthWatch()
    for at in range(400):
        stream_s = at if at < 150 else at - 150
        assert not watch.look(scene(at % 7), at_s=at, utc=NOON, stream_s=stream_s)


def test_a_reference_is_kept_and_read_back_and_made_anew_on_demand(path: Path, tmp_path: Path) -> None:
    shelf = ReferenceShelf(tmp_path / "references")
    assert shelf.load("cam-1") is None
    shelf.save("cam-1", reference_of(path))
    stored = shelf.load("cam-1")
    assert stored is not None
    _, told = watch_film(film(path), reference=stored, change=moved(right=0.4), seconds=100)
    assert told

    watch = HealthWatch(stored)
    watch_film(film(path), change=moved(right=0.4), seconds=100, watch=watch)
    assert (shelf.remove("cam-1"), shelf.has("cam-1"), shelf.remove("cam-1")) == (True, False, False)
    watch.renew()
    assert watch.troubles == {}
    assert watch.reference is None


def test_a_reference_that_is_taken_away_while_a_picture_is_judged_does_no_harm(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, frames = HealthWatch(reference_of(path)), film(path)
    measure, renewed = edge.health.sample, 0

    def renew_meanwhile(luma: Luma, small: Luma) -> Sample:
        nonlocal renewed
        renewed += 1
        watch.renew(reference_of(path) if renewed % 2 == 0 else None)
        return measure(luma, small)

    def lose_meanwhile(comparison: Comparison, given: Sample) -> float:
        watch.renew()
        return lost(comparison, given)

    lost = Comparison.lost
    monkeypatch.setattr("edge.health.sample", renew_meanwhile)
    monkeypatch.setattr(Comparison, "lost", lose_meanwhile)
    _, told = watch_film(frames, watch=watch, seconds=100)
    assert (told, renewed > 5) == ({}, True)


def test_while_the_view_is_lost_no_reference_is_made() -> None:
    dark = HealthWatch()
    for at in range(400):
        dark.look(np.full(SIZE[::-1], 5 + at % 2, np.uint8), at_s=at, utc=NOON)
    assert dark.reference is None


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_reference_is_no_reference(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "cam-1.npz").write_bytes(data)
    assert ReferenceShelf(tmp_path).load("cam-1") is None


@given(
    shape=st.tuples(st.integers(60, 300), st.integers(80, 500)),
    seed=st.integers(0, 99),
    times=st.lists(st.floats(-10, 1e6), min_size=2, max_size=12),
)
def test_any_picture_at_any_time_can_be_looked_at(shape: tuple[int, int], seed: int, times: list[float]) -> None:
    watch = HealthWatch()
    picture = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    for at_s in times:
        assert set(watch.look(picture, at_s=at_s, utc=NOON)) <= set(ENTER_S)
