"""Visits of moving things to a quiet scene: when, how large, which way, and how they look while they are there."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from edge.bench.cutouts import Cutout

SHORTEST_S, LONGEST_S = 0.5, 3.0
SMALLEST, LARGEST = 0.10, 0.40
"""Heights as shares of the picture's. A person of a tenth is eight pixels wide in a network's input of 320: a smaller
one is recognised by nobody, and need wake nobody."""

QUIET_S = 4.0
"""Nothing happens before: a gate has to learn what this scene is like."""

_BREAK_S = 0.6
_BETWEEN_KEYS_SHARE = 0.4
_FAINTEST_LEVELS, _STRONGEST_LEVELS = 20.0, 90.0


class Way(StrEnum):
    """How a thing comes and goes."""

    ACROSS = "across"
    GAP = "gap"
    PEEK = "peek"


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """A plan: `cutout` at `height_px`, its left upper corner at `places` (n, 2) in picture `first` and those after.

    It is seen only inside of `window` (left, top, right, bottom in pixels), as through a gap between two walls.
    """

    number: int
    way: Way
    cutout: Cutout
    height_px: float
    contrast: float
    first: int
    places: NDArray[np.float64]
    window: tuple[int, int, int, int]
    between_keys: bool


def plan_visits(
    count: int,
    pictures: int,
    cutouts: list[Cutout],
    rng: np.random.Generator,
    *,
    rate: int,
    gop: int,
    size_px: tuple[int, int],
) -> list[Visit]:
    """Spread `count` visits of 0.5 to 3 s over a film, each alone. Raises ValueError where they do not fit."""
    if not count:
        return []
    quiet, pause, shortest = round(QUIET_S * rate), round(_BREAK_S * rate), round(SHORTEST_S * rate)
    slot = (pictures - quiet) / count
    if slot < shortest + pause:
        raise ValueError(
            f"{pictures / rate:g} s are too short for {count} events; leave at least "
            f"{SHORTEST_S + _BREAK_S:g} s for each after the first {QUIET_S:g} s"
        )
    visits = []
    for number in range(count):
        begin, end = int(quiet + number * slot), int(quiet + (number + 1) * slot) - pause
        first, length = _moment(begin, end, shortest, rng, rate=rate, gop=gop)
        visits.append(_visit(number, first, length, cutouts, rng, rate=rate, gop=gop, size_px=size_px))
    return visits


def longest_pause(visits: list[Visit], pictures: int) -> int:
    """First picture of the longest time without a visit, so that what happens then hides none. The quiet start not."""
    ends = [visit.first + len(visit.places) for visit in visits] or [pictures // 2]
    begins = [visit.first for visit in visits[1:]] + [pictures]
    return max(zip(ends, begins, strict=True), key=lambda pause: pause[1] - pause[0])[0]


def _moment(begin: int, end: int, shortest: int, rng: np.random.Generator, *, rate: int, gop: int) -> tuple[int, int]:
    """First picture and length of a visit between two pictures; often short of every key frame."""
    if rng.random() < _BETWEEN_KEYS_SHARE:
        gaps = [(max(begin, key + 1), min(end, key + gop)) for key in range(begin // gop * gop, end, gop)]
        gaps = [(low, high) for low, high in gaps if high - low >= shortest]
        if gaps:
            begin, end = gaps[int(rng.integers(len(gaps)))]
    longest = min(round(LONGEST_S * rate), end - begin)
    length = int(rng.integers(shortest, longest + 1))
    return int(rng.integers(begin, end - length + 1)), length


def _visit(
    number: int,
    first: int,
    length: int,
    cutouts: list[Cutout],
    rng: np.random.Generator,
    *,
    rate: int,
    gop: int,
    size_px: tuple[int, int],
) -> Visit:
    what = str(rng.choice(sorted({cutout.what for cutout in cutouts})))
    of_kind = [cutout for cutout in cutouts if cutout.what == what]
    cutout = of_kind[int(rng.integers(len(of_kind)))]
    columns, rows = size_px
    share = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
    height_px = share * rows
    width_px = height_px * cutout.pictures.shape[2] / cutout.pictures.shape[1]
    seconds = length / rate
    # Nobody runs faster than six times his height a second; a car does that too.
    ways = [Way.GAP, Way.PEEK] + [Way.ACROSS] * (columns + width_px < 6 * height_px * seconds)
    way = ways[int(rng.integers(len(ways)))]
    walk = (_across, _gap, _peek)[list(Way).index(way)]
    places, window = walk(length, width_px, height_px, rng, size_px)
    return Visit(
        number=number,
        way=way,
        cutout=cutout,
        height_px=height_px,
        contrast=float(rng.uniform(_FAINTEST_LEVELS, _STRONGEST_LEVELS)),
        first=first,
        places=places,
        window=window,
        between_keys=not any(picture % gop == 0 for picture in range(first, first + length)),
    )


Walk = tuple[NDArray[np.float64], tuple[int, int, int, int]]


def _across(length: int, width: float, height: float, rng: np.random.Generator, size_px: tuple[int, int]) -> Walk:
    """From one side of the picture to the other."""
    columns, rows = size_px
    steps = (np.arange(length) + 1) / (length + 1)
    left = -width + steps * (columns + width)
    top = rng.uniform(0, rows - height) + (steps - 0.5) * rng.uniform(-0.1, 0.1) * rows
    return np.stack([left if rng.integers(2) else columns - width - left, top], axis=1), (0, 0, columns, rows)


def _gap(length: int, width: float, height: float, rng: np.random.Generator, size_px: tuple[int, int]) -> Walk:
    """Past a gap between two things it is hidden by."""
    columns, rows = size_px
    gap = min(rng.uniform(1.0, 4.0) * width, 0.8 * columns)
    start = rng.uniform(0, columns - gap)
    steps = (np.arange(length) + 1) / (length + 1)
    left = start - width + steps * (gap + width)
    if rng.integers(2):
        left = left[::-1]
    top = np.full(length, rng.uniform(0, rows - height))
    return np.stack([left, top], axis=1), (int(start), 0, int(start + gap), rows)


def _peek(length: int, width: float, height: float, rng: np.random.Generator, size_px: tuple[int, int]) -> Walk:
    """In over an edge, and back."""
    columns, rows = size_px
    deep = np.sin(np.pi * (np.arange(length) + 1) / (length + 1)) * rng.uniform(1.0, 1.8)
    side = str(rng.choice(["left", "right", "below"]))
    if side == "below":
        left, top = np.full(length, rng.uniform(0, columns - width)), rows - deep * height
    else:
        left = deep * width - width if side == "left" else columns - deep * width
        top = np.full(length, rng.uniform(0, rows - height))
    return np.stack([left, top], axis=1), (0, 0, columns, rows)
