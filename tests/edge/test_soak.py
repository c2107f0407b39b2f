"""The soak: what its straight line calls growth, and that a real box under dropping cameras is really measured."""

import random
import threading
from collections.abc import Callable
from math import inf, sin
from pathlib import Path

import av
import pytest

from edge.bench.clips import NothingToMeasure
from edge.bench.soak import judge, soak
from edge.bench.trend import Trend, trend_of
from edge.memory import give_back, resident_mib

MINUTE_S, SAMPLE_S, HOUR_S = 60.0, 5.0, 3600.0


def series(value_at: Callable[[float], float], *, noise_mib: float, seconds: float = HOUR_S, seed: int = 1) -> list:
    """Samples of a box whose memory is `value_at` of minutes and wanders about it, slowly: neighbours are alike."""
    dice, wandering, samples = random.Random(seed), 0.0, []
    for number in range(int(seconds / SAMPLE_S)):
        wandering = 0.9 * wandering + dice.gauss(0, noise_mib)
        at_s = number * SAMPLE_S
        samples.append({"at_s": at_s, "resident_mib": 400 + wandering + value_at(at_s / MINUTE_S)})
    return samples


def trend(samples: list) -> Trend:
    return trend_of([each["at_s"] for each in samples], [each["resident_mib"] for each in samples], block_s=MINUTE_S)


def test_a_flat_noisy_series_grows_no_oftener_than_chance_allows() -> None:
    verdicts = [trend(series(lambda _: 0.0, noise_mib=2.0, seed=seed)).grows for seed in range(200)]
    assert sum(verdicts) <= 0.06 * len(verdicts)


@pytest.mark.parametrize(("mib_per_minute", "noise_mib"), [(1.0, 2.0), (0.2, 0.5)])
def test_a_leak_grows_and_its_slope_is_inside_the_interval(mib_per_minute: float, noise_mib: float) -> None:
    found = trend(series(lambda minute: mib_per_minute * minute, noise_mib=noise_mib))
    assert found.grows
    assert found.low < mib_per_minute * 60 < found.high
    assert found.slope == pytest.approx(mib_per_minute * 60, rel=0.2)


def test_memory_that_is_given_back_does_not_grow() -> None:
    assert not trend(series(lambda minute: -minute, noise_mib=1.0)).grows


def test_what_never_changes_has_no_slope_at_all() -> None:
    found = trend(series(lambda _: 0.1, noise_mib=0.0))
    assert (found.slope, found.low, found.high, found.likeness) == (0, 0, 0, 0)


def test_the_same_values_in_waves_say_less_than_in_disorder() -> None:
    values = [5 * sin(minute / 4) for minute in range(60)]
    waves, mixed = (
        trend_of([minute * MINUTE_S for minute in range(60)], each, block_s=MINUTE_S)
        for each in (values, random.Random(1).sample(values, 60))
    )
    assert waves.likeness > 0.8
    assert mixed.likeness < 0.3
    assert waves.high - waves.low > 2 * (mixed.high - mixed.low)
    assert not waves.grows


def test_one_single_wave_says_nothing_about_a_slope() -> None:
    minutes = range(60)
    found = trend_of([each * MINUTE_S for each in minutes], [sin(each / 5) for each in minutes], block_s=MINUTE_S)
    assert (found.low, found.high) == (-inf, inf)
    assert not found.grows


def test_two_blocks_are_no_line() -> None:
    with pytest.raises(ValueError, match="2 blocks of 60 s are too few"):
        trend_of([0, 30, 70], [1, 2, 3], block_s=MINUTE_S)


def test_what_a_thread_left_in_pieces_is_given_back() -> None:
    kept: list[bytes] = []

    def receive() -> None:
        packets = [bytes(4000) for _ in range(20_000)]
        kept.extend(packets[::100])

    thread = threading.Thread(target=receive)
    thread.start()
    thread.join()
    before_mib = resident_mib()
    give_back()
    assert len(kept) == 200
    assert resident_mib() < before_mib - 40


REST = {"threads": 30, "files": 20, "reconnects": 3, "failed": 0, "looks": 9, "cpu_s": 90.0, "told": {}, "troubles": []}


def test_the_warm_up_does_not_count_and_both_halves_after_it_are_told_apart() -> None:
    samples = [
        {**REST, **each, "threads": 30 + (each["at_s"] > 2000)}
        for each in series(lambda minute: min(minute, 9.0) * 50, noise_mib=1.0)
    ]
    figures = judge(samples, HOUR_S)
    assert figures["soak_grows"] is False
    assert figures["soak_blocks"] == 50
    assert figures["soak_threads"] == [31, 31]
    assert figures["soak_files"] == [20, 20]
    assert figures["soak_core_share"] == pytest.approx(90 / 3595, abs=0.01)


def test_a_box_that_died_early_is_no_measurement() -> None:
    with pytest.raises(NothingToMeasure, match="let it last longer"):
        judge([{**REST, "at_s": 0.0, "resident_mib": 300.0}], HOUR_S)
    samples = [{**REST, **each} for each in series(lambda _: 0.0, noise_mib=1.0, seconds=700)]
    with pytest.raises(NothingToMeasure, match="2 blocks"):
        judge(samples, HOUR_S)


@pytest.fixture
def film(vtest: Path, tmp_path: Path) -> Path:
    """Three seconds of the street, small."""
    path = tmp_path / "film.mp4"
    with av.open(str(vtest)) as video, av.open(str(path), "w") as clip:
        stream = clip.add_stream("libx264", rate=10, options={"preset": "ultrafast", "bf": "0", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _, frame in zip(range(30), video.decode(video=0), strict=False):
            clip.mux(stream.encode(frame.reformat(320, 240, "yuv420p")))
        clip.mux(stream.encode(None))
    return path


@pytest.mark.system("gst-rtsp-server")
def test_a_real_box_over_cameras_that_drop_is_sampled_to_the_end(film: Path) -> None:
    samples: list = []
    figures = soak([film, film], 0.1, soonest_drop_s=1.0, latest_drop_s=2.0, on_sample=samples.append)
    assert len(samples) > 20
    assert max(each["playing"] for each in samples) >= 1
    assert figures["soak_drops"] >= 2
    assert all(each.startswith("watching: ") for each in figures["soak_troubles"])
    assert figures["soak_failed_cameras"] == 0
    assert figures["soak_looks"] > 0
    assert min(figures["soak_resident_mib"]) > 50
    low, high = figures["soak_mib_per_hour_95"]
    assert low <= figures["soak_mib_per_hour"] <= high


def test_a_box_that_cannot_start_is_said(film: Path) -> None:
    with pytest.raises(NothingToMeasure, match="exit code 1"):
        soak([film], 0.1, card="/nowhere/card.yaml")
