"""What moves in small grey pictures: small things do, noise, light and what is used to do not."""

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.gate.scene import (
    ABSORB_S,
    CELL_PX,
    COLUMNS,
    LUMA_HEIGHT,
    LUMA_WIDTH,
    NOISE_DECAY_S,
    ROWS,
    STILL,
    Luma,
    Motion,
    Scene,
)

GLANCE_S = 0.2
THING_PX = (4, round(0.03 * LUMA_HEIGHT))
"""Width and height of a person as tall as 3 % of the picture."""

Picture: TypeAlias = NDArray[np.float32]


def street(seed: int = 1) -> Picture:
    """Something with structures of every size, between 60 and 190."""
    dice = np.random.default_rng(seed)
    whole = np.zeros((LUMA_HEIGHT, LUMA_WIDTH), np.float32)
    for cells in (4, 16, 60):
        rough = dice.normal(0, 1, (cells, cells * 2)).astype(np.float32)
        whole += cv2.resize(rough, (LUMA_WIDTH, LUMA_HEIGHT), interpolation=cv2.INTER_CUBIC)
    whole -= whole.min()
    view: Picture = (60 + 130 * whole / whole.max()).astype(np.float32)
    return view


class Place:
    """A camera before a street, five small pictures a second."""

    def __init__(self, *, noise: float = 2.0, seed: int = 1) -> None:
        self.scene = Scene()
        self.view = street(seed)
        self.noise = noise
        self.now_s = 0.0
        self._grain = np.random.default_rng(seed).normal(0, 1, (LUMA_HEIGHT + 64, LUMA_WIDTH + 64)).astype(np.float32)
        self._dice = np.random.default_rng(seed + 1)

    def shot(self, change: Callable[[Picture], None] | None = None, *, light: float = 0.0) -> Luma:
        picture = self.view + np.float32(light)
        if change:
            change(picture)
        down, right = self._dice.integers(0, 64, 2)
        picture += np.float32(self.noise) * self._grain[down : down + LUMA_HEIGHT, right : right + LUMA_WIDTH]
        luma: Luma = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
        return luma

    def look(
        self, change: Callable[[Picture], None] | None = None, *, light: float = 0.0, step_s: float = GLANCE_S
    ) -> Motion:
        self.now_s += step_s
        return self.scene.look(self.shot(change, light=light), self.now_s)

    def watch(self, seconds: float, change: Callable[[Picture], None] | None = None) -> list[Motion]:
        return [self.look(change) for _ in range(round(seconds / GLANCE_S))]

    def used(self) -> "Place":
        self.watch(8)
        return self


def thing(left: float, top: float, levels: float, size: tuple[int, int] = THING_PX) -> Callable[[Picture], None]:
    """Something that much brighter or darker than what is behind it; `left` and `top` in pixels."""

    def put(picture: Picture) -> None:
        picture[round(top) : round(top) + size[1], round(left) : round(left) + size[0]] += levels

    return put


def moved(seen: list[Motion]) -> int:
    return sum(motion.is_there or motion.is_whole for motion in seen)


@pytest.mark.parametrize("noise", [0.0, 1.0, 3.0, 6.0, 12.0])
def test_noise_never_moves(noise: float) -> None:
    place = Place(noise=noise)
    place.watch(4)
    assert moved(place.watch(20)) == 0


def test_grain_that_fills_every_picture_is_learnt_and_forgotten_with_the_night() -> None:
    place = Place(noise=1.0).used()
    place.noise = 16.0
    assert moved(place.watch(10)[10:]) == 0
    assert place.look(thing(200, 100, 120, (20, 40))).is_there
    place.noise = 1.0
    place.watch(40)
    assert place.look(thing(200, 100, 60)).is_there


@settings(max_examples=30, derandomize=True)
@given(
    left=st.integers(0, LUMA_WIDTH - THING_PX[0]),
    top=st.integers(0, LUMA_HEIGHT - THING_PX[1]),
    levels=st.sampled_from([-45.0, -60.0, 45.0, 60.0]),
    noise=st.sampled_from([1.0, 3.0]),
)
def test_a_thing_of_three_hundredths_of_the_height_is_there_wherever_it_is(
    left: int, top: int, levels: float, noise: float
) -> None:
    place = Place(noise=noise)
    place.watch(2)
    motion = place.look(thing(left, top, levels))
    assert motion.is_there
    assert not motion.is_whole
    assert motion.where[(top + THING_PX[1] // 2) // CELL_PX, (left + THING_PX[0] // 2) // CELL_PX]


def test_motion_touches_the_boxes_it_is_in_and_no_others() -> None:
    place = Place().used()
    motion = place.look(thing(240, 136, 90, (30, 60)))
    left, top, right, bottom = 240 / LUMA_WIDTH, 136 / LUMA_HEIGHT, 270 / LUMA_WIDTH, 196 / LUMA_HEIGHT
    assert motion.touches(left, top, right, bottom)
    assert motion.touches(0, 0, 1, 1)
    assert not motion.touches(0, 0, 0.4, 1)
    assert not motion.touches(left, 0.85, right, 1)


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0)])
def test_any_box_of_the_picture_may_be_asked_about(box: tuple[float, float, float, float]) -> None:
    assert not STILL.touches(*box)


@pytest.mark.parametrize("levels_per_s", [-0.8, -0.3, 0.3, 0.8])
def test_dusk_and_dawn_do_not_move(levels_per_s: float) -> None:
    place = Place().used()
    assert moved([place.look(light=levels_per_s * GLANCE_S * number) for number in range(100)]) == 0


@pytest.mark.parametrize("levels", [-50.0, -20.0, 20.0, 50.0])
def test_a_cloud_before_the_sun_is_no_thing(levels: float) -> None:
    place = Place().used()
    seen = [place.look(light=levels * min(1.0, number / 10)) for number in range(30)]
    assert not any(motion.is_there for motion in seen)


def infrared(picture: Picture) -> None:
    """The lamp comes on: other surfaces are bright now."""
    picture[:] = street(7)


@pytest.mark.parametrize("change", [infrared, lambda picture: np.subtract(255, picture, out=picture)])
def test_a_switch_to_infra_red_is_the_whole_picture_once_and_then_nothing(change: Callable[[Picture], None]) -> None:
    place = Place().used()
    first, *rest = place.watch(5, change)
    assert (first.is_whole, first.is_there) == (True, False)
    assert moved(rest) == 0


def test_after_a_switch_a_small_thing_is_there_again_at_once() -> None:
    place = Place().used()
    place.look(infrared)
    place.look(infrared)

    def both(picture: Picture) -> None:
        infrared(picture)
        thing(200, 100, 70)(picture)

    assert place.look(both).is_there


def test_what_stops_is_absorbed_and_its_leaving_is_noticed() -> None:
    place = Place().used()
    parked = thing(200, 100, 70, (40, 30))
    there = [motion.is_there for motion in place.watch(2 * ABSORB_S + 1, parked)]
    assert all(there[: round(ABSORB_S / GLANCE_S)])
    assert not any(there[round(1.5 * ABSORB_S / GLANCE_S) :])
    assert place.look().is_there


def test_what_keeps_moving_in_one_place_is_never_absorbed() -> None:
    place = Place().used()
    seen = [place.look(thing(200 + 6 * (number % 5), 100, 70, (12, 24))) for number in range(120)]
    assert all(motion.is_there for motion in seen)


def leaves(number: int) -> Callable[[Picture], None]:
    def sway(picture: Picture) -> None:
        picture[40:120, 40:140] = np.roll(picture[40:120, 40:140], 4 * (number % 3) - 4, axis=1)
        picture[40:120:4, 40 + number % 4 : 140 : 4] += 40

    return sway


def test_swaying_leaves_are_got_used_to_where_they_are_and_nothing_else_is() -> None:
    place = Place().used()
    assert sum(place.look(leaves(number)).is_there for number in range(25)) >= 15
    before = place.scene._habit.copy()
    for number in range(4):  # a gate settles each time its patience ends
        place.look(leaves(number))
        place.scene.settle()
    calm = [place.look(leaves(number)) for number in range(25)]
    assert sum(motion.is_there for motion in calm) <= 5

    def walker(picture: Picture) -> None:
        leaves(1)(picture)
        thing(300, 150, 60)(picture)

    assert place.look(walker).is_there
    less_sensitive = place.scene._habit - before > 3
    rows, columns = np.nonzero(less_sensitive)
    assert less_sensitive.any()
    assert rows.max() <= 120 // CELL_PX + 1
    assert columns.max() <= 140 // CELL_PX + 1


def test_what_was_got_used_to_is_noticed_again_after_some_minutes() -> None:
    place = Place().used()
    for number in range(10):
        place.look(leaves(number))
    place.scene.settle()
    assert not place.look(thing(80, 80, 30, (6, 12))).is_there
    for _ in range(60):
        place.look(step_s=NOISE_DECAY_S / 20)
    assert place.look(thing(80, 80, 30, (6, 12))).is_there


def test_settling_where_nothing_moves_changes_nothing() -> None:
    place = Place().used()
    place.scene.settle()
    assert place.look(thing(200, 100, 60)).is_there


def test_a_replay_of_the_past_does_no_harm() -> None:
    place = Place().used()
    assert place.look(thing(200, 100, 70)).is_there
    now_s = place.now_s
    place.now_s -= 4.0
    replayed = [place.look() for _ in range(round(4.0 / GLANCE_S))]
    assert moved(replayed) == 0
    assert place.now_s == pytest.approx(now_s)
    assert place.look(thing(206, 100, 70)).is_there
    assert moved(place.watch(5)) == 0


@settings(max_examples=5, derandomize=True)
@given(st.lists(st.sampled_from([-5.0, -0.2, 0.0, 0.2, 3.0, 60.0, 3600.0]), min_size=20, max_size=60))
def test_time_that_jumps_makes_nothing_of_nothing(steps: list[float]) -> None:
    place = Place()
    assert moved([place.look(step_s=step_s) for step_s in steps]) == 0
    assert place.look(thing(200, 100, 70)).is_there


def test_the_first_picture_is_still() -> None:
    assert Scene().look(np.zeros((LUMA_HEIGHT, LUMA_WIDTH), np.uint8), 0.0) == STILL


def test_cells_fill_the_picture() -> None:
    assert (ROWS * CELL_PX, COLUMNS * CELL_PX) == (LUMA_HEIGHT, LUMA_WIDTH)
