"""Moving things cut out of real footage by what they cover, with their own gait, to be put into another scene."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.bench.stage import Picture, find_calm, median, pictures_of

Area = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""

TALLEST_PX = 288
_MOST_PICTURES = 16
_LEAST_PICTURES = 8
_LEAST_WENT = 0.3
_STRANGE_LEVELS = 26
_SMALLEST_SHARE = 0.0015
_LEAST_FILLED = 0.35
_STEADY = 0.25
"""How far the height of one thing may change from picture to picture before it is rather two that met."""


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """One thing in successive pictures, at `rate` pictures per second: BGRA, upright, all of one size, feet below."""

    what: str
    rate: float
    pictures: NDArray[np.uint8]

    def pose(self, time_s: float) -> int:
        """Number of the picture for a time, forwards and backwards without end, so that it walks on."""
        last = max(1, len(self.pictures) - 1)
        place = int(time_s * self.rate) % (2 * last)
        return min(place, 2 * last - place)


@dataclass(slots=True)
class _Track:
    first: Area
    last: Area
    patches: list[Picture] = field(default_factory=list)

    @property
    def tells(self) -> bool:
        """Whether it is long enough, and the thing really went somewhere."""
        went_px = abs(self.last[0] - self.first[0]) + abs(self.last[1] - self.first[1])
        return len(self.patches) >= _LEAST_PICTURES and went_px >= _LEAST_WENT * self.first[2]


def cut_out(clip: Path, what: str, *, most: int = 12) -> list[Cutout]:
    """The first `most` things that move through a clip, whole and for most of a second each."""
    calm = find_calm(clip)
    still = median([picture for number, picture in enumerate(pictures_of(clip)) if number in calm.samples])
    cutouts: list[Cutout] = []
    running: list[_Track] = []
    for picture in pictures_of(clip):
        found = _things(picture, still)
        running, ended = _followed(running, found)
        cutouts += [Cutout(what, calm.rate, _aligned(track.patches)) for track in ended if track.tells]
        if len(cutouts) >= most:
            break
    return cutouts[:most]


def _followed(running: list[_Track], found: dict[Area, Picture]) -> tuple[list[_Track], list[_Track]]:
    """The tracks that go on or begin with the things found, and those that ended."""
    going, ended, free = [], [], dict(found)
    for track in running:
        area = next((area for area in free if _same(track.last, area)), None)
        if area is None or len(track.patches) >= _MOST_PICTURES:
            ended.append(track)
        else:
            track.last = area
            track.patches.append(free.pop(area))
            going.append(track)
    return [*going, *(_Track(area, area, [patch]) for area, patch in free.items())], ended


def _things(picture: Picture, still: Picture) -> dict[Area, Picture]:
    """BGRA patches of what stands out, whole in the picture and filling its box.

    Found at half size, which is quicker and closes small holes. The picture's exposure may have changed since.
    """
    size = (picture.shape[1] // 2, picture.shape[0] // 2)
    half = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.int16)
    half -= cv2.resize(still, size, interpolation=cv2.INTER_AREA).astype(np.int16)
    exposure = np.median(half[::8, ::8].reshape(-1, 3), axis=0).astype(np.int16)
    mask = (np.abs(half - exposure).max(axis=2) > _STRANGE_LEVELS).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    rows, columns = mask.shape
    found = {}
    for outline in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        x, y, width, height = cv2.boundingRect(outline)
        area = cv2.contourArea(outline)
        whole = x > 1 and y > 1 and x + width < columns - 1 and y + height < rows - 1
        if whole and area > _SMALLEST_SHARE * rows * columns and area > _LEAST_FILLED * width * height:
            shape = np.zeros((height, width), np.uint8)
            cv2.drawContours(shape, [outline - np.array([[[x, y]]], np.int32)], -1, 255, cv2.FILLED)
            found[2 * x, 2 * y, 2 * width, 2 * height] = _patch(picture, shape, 2 * x, 2 * y)
    return found


def _patch(picture: Picture, shape: Picture, left: int, top: int) -> Picture:
    """What the shape (at half size) covers from a corner of the picture on, no taller than needed."""
    alpha = cv2.erode(cv2.resize(shape, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.ones((3, 3), np.uint8))
    alpha = cv2.GaussianBlur(alpha, (3, 3), 0)
    height, width = alpha.shape
    patch = np.dstack([picture[top : top + height, left : left + width], alpha])
    scale = TALLEST_PX / height
    return (
        patch if scale >= 1 else np.asarray(cv2.resize(patch, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    )


def _same(one: Area, other: Area) -> bool:
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return (
        across > 0
        and down > 0
        and across * down > 0.3 * min(one[2] * one[3], other[2] * other[3])
        and abs(one[3] - other[3]) < _STEADY * one[3]
    )


def _aligned(patches: list[Picture]) -> NDArray[np.uint8]:
    """All on one size, centred from left to right, feet on the lower edge."""
    height = max(patch.shape[0] for patch in patches)
    width = max(patch.shape[1] for patch in patches)
    stack = np.zeros((len(patches), height, width, 4), np.uint8)
    for number, patch in enumerate(patches):
        rows, columns = patch.shape[:2]
        left = (width - columns) // 2
        stack[number, height - rows :, left : left + columns] = patch
    return stack
