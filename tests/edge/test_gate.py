"""The gate's three depths: what leads from each to each, and what never does."""

import numpy as np
import pytest

from edge.boxes import Box
from edge.gate.gate import NOTICED_S, Depth, Gate, GateSettings
from edge.gate.scene import LUMA_HEIGHT, LUMA_WIDTH, Luma

ASLEEP, ALERT, AWAKE = Depth.ASLEEP, Depth.ALERT, Depth.AWAKE
STEP_S = 0.2
SETTINGS = GateSettings(calm_s=2.0, fruitless_s=20.0)
NOWHERE: tuple[Box, ...] = ()


def picture(x: int | None = None, *, light: int = 0) -> Luma:
    """A grey wall, with a bright square before it from column `x` on."""
    luma = np.full((LUMA_HEIGHT, LUMA_WIDTH), 90 + light, np.uint8)
    luma[::8, ::8] += 20
    if x is not None:
        luma[100:140, x : x + 40] = 200
    return luma


def stripes() -> Luma:
    luma = picture()
    luma[:, ::16] = 255
    luma[:, 1::16] = 255
    luma[:, 2::16] = 255
    return luma


def around(x: int) -> Box:
    return Box(x / LUMA_WIDTH, 100 / LUMA_HEIGHT, (x + 40) / LUMA_WIDTH, 140 / LUMA_HEIGHT)


class Guard:
    """Drives a gate as an eye does, one picture and five packets each fifth of a second."""

    def __init__(self, settings: GateSettings = SETTINGS) -> None:
        self.gate = Gate(settings)
        self.now_s = 0.0
        self._sizes = np.random.default_rng(3)
        self._steps = self._sent = 0

    def send(self, octaves: float = 0.0, packets: int = 5) -> bool:
        """Whether the gate has to be woken."""
        alarms = []
        if self._sent % 50 == 0:
            self.gate.packet(400_000, is_key=True, stream_s=self.now_s)
        self._sent += packets
        for number in range(packets):
            size = round(4000 * 2 ** (octaves + self._sizes.normal(0, 0.1)))
            at_s = self.now_s + number * STEP_S / packets
            alarms.append(self.gate.packet(size, is_key=False, stream_s=at_s))
        return any(alarms)

    def still(self, seconds: float) -> Depth:
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            self.send()
            self.gate.see(picture(), self.now_s)
        return self.gate.depth

    def moving(self, seconds: float, *, octaves: float = 0.0) -> Depth:
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            self.send(octaves)
            self.gate.see(picture(self.where), self.now_s)
        return self.gate.depth

    @property
    def where(self) -> int:
        """A place where nothing was a moment ago."""
        self._steps += 1
        return 60 * (self._steps % 7)

    def asleep(self) -> "Guard":
        while self.still(1) is not ASLEEP:
            assert self.now_s < 60
        return self

    def awake(self, *, octaves: float = 0.0) -> "Guard":
        assert self.moving(0.4, octaves=octaves) is AWAKE
        return self


def test_a_gate_begins_alert_and_falls_asleep_once_sizes_are_learnt_and_nothing_moves() -> None:
    guard = Guard()
    assert guard.gate.depth is ALERT
    assert guard.still(3.6) is ALERT
    assert guard.still(3) is ASLEEP
    assert guard.gate.wakes == {}


def test_without_sizes_that_can_be_trusted_it_stays_alert() -> None:
    gate = Gate(SETTINGS)
    for number in range(300):
        gate.packet(90_000, is_key=True, stream_s=number * STEP_S)
        gate.see(picture(), number * STEP_S)
    assert gate.depth is ALERT


def test_motion_in_a_key_frame_wakes_a_sleeper() -> None:
    guard = Guard().asleep()
    assert guard.gate.see(picture(100), guard.now_s + 1) is AWAKE
    assert guard.gate.wakes == {"motion": 1}


def test_a_still_key_frame_leaves_it_asleep() -> None:
    guard = Guard().asleep()
    assert guard.gate.see(picture(), guard.now_s + 1) is ASLEEP


def test_packet_sizes_make_a_sleeper_alert_and_say_so_only_while_it_sleeps() -> None:
    guard = Guard().asleep()
    assert guard.send(octaves=2.0, packets=10)
    guard.gate.rouse(guard.now_s)
    assert guard.gate.depth is ALERT
    assert guard.gate.wakes == {"sizes": 1}
    assert not guard.send(octaves=2.0, packets=10)
    guard.gate.rouse(guard.now_s)
    assert guard.gate.wakes == {"sizes": 1}


def test_a_sleeper_roused_for_nothing_sleeps_again_as_soon_as_the_pictures_have_shown_that() -> None:
    guard = Guard().asleep()
    assert guard.send(octaves=2.0, packets=10)
    roused_s = guard.now_s + 4.0
    guard.gate.rouse(roused_s)
    for number in range(20):
        assert guard.gate.see(picture(), guard.now_s + number * STEP_S) is ALERT
    assert guard.gate.see(picture(), roused_s) is ASLEEP
    assert not guard.gate.sizes.alarmed


def test_a_sleeper_roused_for_something_wakes_and_stays_awake_while_it_moves() -> None:
    guard = Guard().asleep()
    guard.send(octaves=2.0, packets=10)
    guard.gate.rouse(guard.now_s)
    assert guard.moving(5, octaves=2.0) is AWAKE
    assert guard.gate.wakes == {"sizes": 1, "motion": 1}


def test_while_the_past_is_gone_through_calm_does_not_count() -> None:
    """The key frame showed something; what led to it may lie many calm seconds after the key frame before."""
    guard = Guard().asleep()
    guard.gate.see(picture(100), guard.now_s + 10)
    guard.gate.revisit(guard.now_s + 10)
    depths = [guard.gate.see(picture(), guard.now_s + number * STEP_S) for number in range(49)]
    assert set(depths) == {AWAKE}


def test_alert_becomes_awake_by_motion_and_nothing_else() -> None:
    guard = Guard()
    guard.still(1)
    guard.send(octaves=3.0, packets=20)
    assert guard.gate.depth is ALERT
    assert guard.moving(0.2) is AWAKE


def test_it_is_awake_until_nothing_moved_for_the_calm_seconds() -> None:
    guard = Guard().asleep().awake()
    guard.moving(3)
    assert guard.still(SETTINGS.calm_s - 0.2) is AWAKE
    guard.moving(0.4)
    guard.still(1.6)
    assert guard.gate.depth is AWAKE
    assert guard.still(3) in (ALERT, ASLEEP)


def test_it_rests_alert_while_the_sizes_still_say_that_something_moves() -> None:
    guard = Guard().asleep().awake(octaves=2.0)
    for _ in range(15):
        guard.now_s += STEP_S
        guard.send(octaves=2.0)
        guard.gate.see(picture(), guard.now_s)
    assert guard.gate.depth is ALERT


def test_light_that_changes_wakes_nobody() -> None:
    guard = Guard().asleep()
    assert guard.gate.see(stripes(), guard.now_s + 1) is ASLEEP
    assert guard.gate.motion.is_whole
    assert guard.gate.see(picture(light=60), guard.now_s + 2) is ASLEEP


def test_what_moves_and_is_nothing_that_matters_does_not_keep_it_awake() -> None:
    guard = Guard().asleep().awake()
    began_s = guard.now_s
    while guard.gate.depth is AWAKE:
        guard.moving(0.2)
        guard.gate.looked(NOWHERE, guard.now_s, matters=False)
        assert guard.now_s - began_s <= SETTINGS.fruitless_s + 1
    assert guard.gate.depth is ALERT
    assert guard.now_s - began_s >= SETTINGS.fruitless_s - 1


def rain(number: int) -> Luma:
    """The wall behind a few bright streaks, elsewhere in every picture."""
    luma, dice = picture(), np.random.default_rng(number)
    for y, x in zip(dice.integers(0, LUMA_HEIGHT - 12, 8), dice.integers(0, LUMA_WIDTH - 2, 8), strict=True):
        luma[y : y + 12, x : x + 2] = 220
    return luma


def watch_rain(gate: Gate, seconds: float, *, from_s: float = 0.0, boxes: tuple[Box, ...] = ()) -> float:
    """The share of the time for which it was awake; looked at three times a second then, else every other second."""
    awake, looked_s = 0, from_s
    count = round(seconds / STEP_S)
    for number in range(1, count + 1):
        now_s = from_s + number * STEP_S
        awake += gate.see(rain(round(now_s / STEP_S)), now_s) is AWAKE
        if now_s - looked_s >= (1 / 3 if gate.depth is AWAKE else 2.0):
            looked_s = now_s
            gate.looked(boxes, now_s, matters=False)
    return awake / count


def test_rain_everywhere_is_given_less_and_less_attention() -> None:
    gate = Gate(SETTINGS)
    shares = [watch_rain(gate, 120, from_s=120 * number) for number in range(5)]
    assert 0.2 < shares[0] < 0.6
    assert sum(shares[2:]) / 3 < 0.2


def test_rain_before_a_parked_car_is_no_reason_either() -> None:
    gate, car = Gate(SETTINGS), Box(0.2, 0.3, 0.6, 0.7)
    shares = [watch_rain(gate, 120, from_s=120 * number, boxes=(car,)) for number in range(5)]
    assert sum(shares[2:]) / 3 < 0.3


def test_a_look_that_finds_something_moving_ends_the_rest() -> None:
    gate = Gate(SETTINGS)
    watch_rain(gate, 35)
    gate.see(rain(1), 36.0)
    assert gate.depth is ALERT
    assert gate.is_ignoring(36.0)
    streak = Box(0.0, 0.0, 1.0, 1.0)
    gate.looked([streak], 36.1, matters=False)
    assert gate.depth is AWAKE
    assert not gate.is_ignoring(36.1)


@pytest.mark.parametrize("matters", [False, True])
def test_what_matters_keeps_it_awake(*, matters: bool) -> None:
    guard = Guard().asleep().awake()
    for _ in range(200):
        guard.now_s += STEP_S
        x = guard.where
        guard.gate.see(picture(x), guard.now_s)
        guard.gate.looked(NOWHERE if matters else [around(x)], guard.now_s, matters=matters)
    assert guard.gate.depth is AWAKE


def test_what_the_detector_sees_elsewhere_does_not_justify_the_motion() -> None:
    guard = Guard().asleep().awake()
    for _ in range(200):
        guard.now_s += STEP_S
        guard.gate.see(picture(guard.where), guard.now_s)
        guard.gate.looked([Box(0.8, 0.8, 0.9, 0.95)], guard.now_s, matters=False)
        if guard.gate.depth is not AWAKE:
            break
    else:
        pytest.fail("a parked car kept it awake for leaves")


@pytest.mark.parametrize(("noticed", "trusted"), [(True, True), (False, False)])
def test_each_thing_that_matters_bears_witness_for_or_against_the_sizes(*, noticed: bool, trusted: bool) -> None:
    guard = Guard()
    for _ in range(4):
        guard.asleep() if guard.gate.sizes.trusted else guard.still(10)
        for _ in range(3):
            guard.now_s += STEP_S
            guard.send(octaves=2.0 if noticed else 0.0)
        x = guard.where
        guard.gate.see(picture(x), guard.now_s)
        assert guard.gate.depth is AWAKE
        guard.gate.looked([around(x)], guard.now_s, matters=False)
        guard.still(6)
    assert guard.gate.sizes.trusted is trusted
    assert guard.still(10) is (ASLEEP if trusted else ALERT)


def test_what_turned_out_to_be_nothing_bears_no_witness() -> None:
    guard = Guard()
    for _ in range(5):
        guard.asleep().awake()
        guard.gate.looked(NOWHERE, guard.now_s, matters=False)
        guard.still(6)
    assert guard.gate.sizes.trusted


def test_sizes_that_were_alarmed_long_before_did_not_notice() -> None:
    guard = Guard().asleep()
    guard.send(octaves=2.0, packets=8)
    guard.still(NOTICED_S + 10)
    x = guard.where
    guard.gate.see(picture(x), guard.now_s)
    guard.gate.looked([around(x)], guard.now_s, matters=True)
    guard.still(5)
    assert (guard.gate.sizes._witnessed, guard.gate.sizes._noticed) == (1, 0)


@pytest.mark.parametrize("depth", list(Depth))
def test_another_connection_begins_alert_and_has_to_learn_again(depth: Depth) -> None:
    guard = Guard()
    if depth is not ALERT:
        guard.asleep()
    if depth is AWAKE:
        guard.awake()
    assert guard.gate.depth is depth
    guard.gate.begin()
    guard.gate.doubt()
    assert guard.gate.depth is ALERT
    assert not guard.gate.sizes.trusted
    assert guard.still(3.6) is ALERT
    assert guard.still(4) is ASLEEP


def test_a_gate_that_is_off_is_always_awake() -> None:
    guard = Guard(GateSettings(is_off=True))
    assert guard.still(30) is AWAKE
    guard.gate.begin()
    guard.gate.doubt()
    guard.gate.rouse(guard.now_s)
    guard.gate.looked(NOWHERE, guard.now_s + 100, matters=False)
    assert guard.gate.depth is AWAKE
    assert guard.gate.wakes == {}
