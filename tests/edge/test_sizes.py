"""Packet sizes: what lasts is noticed soon, what does not is not, and an encoder that hides things is not believed."""

import random
from collections.abc import Iterable, Iterator
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.gate.sizes import (
    FALSE_STEP,
    LEARNING_PACKETS,
    MOST_PATIENCE,
    PATIENCE_S,
    TRUSTED_SHARE,
    WITNESSED,
    SizeWatch,
)

LEARNT_S = 20.0
GOP = 50


class Encoder:
    """Predicted pictures of one usual size whose logarithm is noisy; `octaves` is by how much they are larger now.

    Before each fiftieth comes a key frame, `key_times` as large: that much detail the scene has.
    """

    def __init__(
        self, *, deviation: float = 0.2, rate: float = 25.0, size: int = 4000, key_times: float = 100, seed: int = 1
    ) -> None:
        self.watch = SizeWatch()
        self.deviation = deviation
        self.rate = rate
        self.size = size
        self.key_times = key_times
        self.now_s = 0.0
        self.sent = 0
        self._dice = random.Random(seed)

    def send(self, octaves: float = 0.0) -> bool:
        self.now_s += 1 / self.rate
        if self.sent % GOP == 0:
            self.watch.take(round(self.size * self.key_times), is_key=True, stream_s=self.now_s)
        self.sent += 1
        size_bytes = round(self.size * 2 ** (octaves + self._dice.gauss(0, self.deviation)))
        return self.watch.take(size_bytes, is_key=False, stream_s=self.now_s)

    def play(self, seconds: float, octaves: float = 0.0) -> list[bool]:
        return [self.send(octaves) for _ in range(round(seconds * self.rate))]

    def learnt(self) -> "Encoder":
        self.play(max(LEARNT_S, 2 * LEARNING_PACKETS / self.rate))
        self.watch.was_nothing()
        self.watch._patience = 0.0
        return self


def packets_until(alarms: Iterable[bool], at_most: int) -> int:
    """How many packets it took; one more than allowed if it took longer."""
    return next((number for number, alarmed in enumerate(islice(alarms, at_most), start=1) if alarmed), at_most + 1)


def forever(encoder: Encoder, octaves: float) -> Iterator[bool]:
    while True:
        yield encoder.send(octaves)


@settings(max_examples=30, derandomize=True)
@given(
    deviation=st.floats(0.03, 0.6),
    rate=st.sampled_from([5.0, 10.0, 12.5, 25.0, 30.0, 60.0]),
    size=st.integers(150, 200_000),
    rise=st.floats(3.0, 12.0),
    seed=st.integers(0, 10_000),
)
def test_a_lasting_rise_is_noticed_within_a_dozen_packets_whatever_noise_rate_and_size(
    deviation: float, rate: float, size: int, rise: float, seed: int
) -> None:
    encoder = Encoder(deviation=deviation, rate=rate, size=size, seed=seed).learnt()
    rise_octaves = rise * max(deviation, 0.05)
    assert packets_until(forever(encoder, rise_octaves), 12) <= 12


@settings(max_examples=15, derandomize=True)
@given(deviation=st.floats(0.03, 0.6), seed=st.integers(0, 10_000))
def test_noise_alone_is_hardly_ever_taken_for_something(deviation: float, seed: int) -> None:
    encoder = Encoder(deviation=deviation, seed=seed).learnt()
    assert sum(encoder.play(60)) < 0.05 * 60 * encoder.rate


@settings(max_examples=15, derandomize=True)
@given(times=st.floats(2, 1000), deviation=st.floats(0.03, 0.3), seed=st.integers(0, 10_000))
def test_one_huge_packet_does_not_reach_an_alarm_by_itself(times: float, deviation: float, seed: int) -> None:
    encoder = Encoder(deviation=deviation, seed=seed).learnt()
    before = encoder.watch._sum
    encoder.watch.take(round(encoder.size * times), is_key=False, stream_s=encoder.now_s + 0.04)
    assert encoder.watch._sum - before <= 2.0


def test_key_frames_do_not_count_however_large_they_are() -> None:
    small, large = Encoder(key_times=1), Encoder(key_times=10_000)
    for number in range(2000):
        octaves = 1.0 if number > 1500 else 0.0
        assert small.send(octaves) == large.send(octaves)
    assert small.watch.alarmed


def test_a_key_frame_says_what_the_packets_before_it_said() -> None:
    encoder = Encoder().learnt()
    encoder.play(1, octaves=1.0)
    assert encoder.watch.take(10, is_key=True, stream_s=encoder.now_s)


def test_an_alarm_ends_soon_after_what_caused_it() -> None:
    encoder = Encoder().learnt()
    assert encoder.play(3, octaves=1.0)[-1]
    assert not any(encoder.play(10)[3 * 25 :])


@pytest.mark.parametrize("octaves", [0.5, 1.0, 2.0])
def test_rain_that_lasts_becomes_usual(octaves: float) -> None:
    encoder = Encoder().learnt()
    assert encoder.play(2, octaves)[-1]
    encoder.play(300, octaves)
    assert not any(encoder.play(30, octaves))


@pytest.mark.parametrize("octaves", [0.5, 1.0, 2.0])
def test_after_the_rain_a_rise_is_noticed_again_within_seconds(octaves: float) -> None:
    encoder = Encoder().learnt()
    encoder.play(400, octaves)
    encoder.play(6)
    assert packets_until(forever(encoder, 0.8), 15) <= 15


def test_a_sequence_that_moves_for_a_minute_is_not_taken_for_usual_meanwhile() -> None:
    encoder = Encoder().learnt()
    alarms = encoder.play(20, octaves=1.5)
    assert all(alarms[12:])


def test_sizes_mean_nothing_before_they_were_learnt() -> None:
    encoder = Encoder()
    assert not any(encoder.send(octaves=3.0 * (number % 2)) for number in range(LEARNING_PACKETS))
    assert not encoder.watch.trusted
    assert Encoder().learnt().watch.trusted


@pytest.mark.parametrize("wobble", [0, 1, 10])
def test_an_encoder_that_fills_a_constant_rate_is_not_trusted(wobble: int) -> None:
    watch = SizeWatch()
    for number in range(500):
        watch.take(400_000, is_key=True, stream_s=number / 25) if number % GOP == 0 else None
        watch.take(4000 + wobble * (number % 3), is_key=False, stream_s=number / 25)
    assert watch.smallest_rise > 0.3
    assert not watch.trusted


@pytest.mark.parametrize(("key_times", "trusted"), [(100, True), (15, False), (3, False)])
def test_only_sizes_that_the_smallest_thing_would_stand_out_of_are_trusted(key_times: float, *, trusted: bool) -> None:
    assert Encoder(key_times=key_times).learnt().watch.trusted is trusted


def test_what_every_group_of_pictures_begins_with_is_no_rise() -> None:
    """Many encoders spend more on the first pictures after a key frame, which is no motion."""
    watch, dice = SizeWatch(), random.Random(1)
    alarms = []
    for number in range(100 * GOP):
        if number % GOP == 0:
            watch.take(400_000, is_key=True, stream_s=number / 25)
        octaves = 1.5 * 0.7 ** (number % GOP) + dice.gauss(0, 0.1)
        alarms.append(watch.take(round(4000 * 2**octaves), is_key=False, stream_s=number / 25))
    assert not any(alarms[-20 * GOP :])
    assert watch.trusted


def test_empty_packets_are_no_reason_to_stumble() -> None:
    watch = SizeWatch()
    assert not any(watch.take(0, is_key=False, stream_s=number / 25) for number in range(200))
    assert not watch.trusted


@pytest.mark.parametrize(
    ("noticed", "missed", "trusted"),
    [(0, WITNESSED - 1, True), (0, WITNESSED, False), (9, 1, True), (7, 3, False), (40, 11, False), (44, 10, True)],
)
def test_an_encoder_whose_sizes_missed_what_pictures_showed_is_not_trusted(
    noticed: int, missed: int, *, trusted: bool
) -> None:
    encoder = Encoder().learnt()
    for number in range(noticed + missed):
        encoder.watch.witness(noticed=number < noticed)
    assert encoder.watch.trusted is trusted
    assert trusted is (noticed + missed < WITNESSED or noticed / (noticed + missed) >= TRUSTED_SHARE)


def test_false_alarms_make_the_next_one_harder_up_to_a_bound() -> None:
    took = []
    for false_alarms in (0, 2, 5, 50):
        encoder = Encoder(deviation=0.1).learnt()
        for _ in range(false_alarms):
            encoder.watch.was_nothing()
        took.append(packets_until(forever(encoder, 0.3), 60))
    assert took == sorted(took)
    assert took[0] < took[1] < took[2] <= took[3]
    assert took[3] <= took[0] + MOST_PATIENCE, "each packet of a clear rise counts for more than one"


def test_patience_is_forgotten() -> None:
    encoder = Encoder(deviation=0.1).learnt()
    for _ in range(20):
        encoder.watch.was_nothing()
    assert encoder.watch._patience == MOST_PATIENCE
    encoder.play(5 * PATIENCE_S)
    assert encoder.watch._patience < FALSE_STEP / 10


def test_an_alarm_for_nothing_is_over_at_once() -> None:
    encoder = Encoder().learnt()
    assert encoder.play(2, octaves=1.0)[-1]
    encoder.watch.was_nothing()
    assert not encoder.watch.alarmed


def test_another_connection_is_learnt_anew() -> None:
    encoder = Encoder(size=4000).learnt()
    encoder.play(1, octaves=2.0)
    encoder.watch.begin()
    assert (encoder.watch.alarmed, encoder.watch.trusted) == (False, False)
    encoder.size = 40_000
    assert sum(encoder.play(60)) < 0.05 * 60 * encoder.rate
    assert (encoder.watch.alarmed, encoder.watch.trusted) == (False, True)
    assert packets_until(forever(encoder, 1.0), 12) <= 12


@settings(max_examples=15, derandomize=True)
@given(steps=st.lists(st.floats(-3, 100), min_size=60, max_size=200), seed=st.integers(0, 1000))
def test_stamps_that_jump_or_run_backwards_neither_break_nor_blind_it(steps: list[float], seed: int) -> None:
    encoder = Encoder(seed=seed)
    encoder.play(LEARNT_S)
    dice = random.Random(seed)
    for step_s in steps:
        encoder.now_s += step_s
        encoder.watch.take(round(4000 * 2 ** dice.gauss(0, 0.2)), is_key=False, stream_s=encoder.now_s)
    assert packets_until(forever(encoder, 1.5), 15) <= 15
