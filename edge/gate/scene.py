"""What moves in small grey pictures of a camera: the middle depth of the gate.

The picture is compared with a slowly renewed background, in cells. A cell's own noise decides how much difference it
takes, so leaves in the wind and rain on the lens cease to count where they are, and nothing else does.
"""

from dataclasses import dataclass, field
from math import exp
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Luma: TypeAlias = NDArray[np.uint8]
"""Shape (LUMA_HEIGHT, LUMA_WIDTH): the Y plane, scaled down, whatever the shape of the picture was."""

LUMA_WIDTH, LUMA_HEIGHT = 480, 272
CELL_PX = 8
ROWS, COLUMNS = LUMA_HEIGHT // CELL_PX, LUMA_WIDTH // CELL_PX

BACKGROUND_S = 6.0
NOISE_S = 10.0
WORST_S = 30.0
"""What moves for nothing, a flag or a branch, shows how far it goes within about so long."""

NOISE_DECAY_S = 180.0
"""A cell that was made less sensitive becomes as sensitive again as its noise allows in about this time."""

ABSORB_S = 3.0
"""What stands still so long belongs to the background."""

LEAST_RESIDUE = 3.0
"""Grey levels, mean over a cell: below it nothing is there."""

NOISE_TIMES = 3.5
STRONG_TIMES = 2.0
FEW_CELLS = 3
"""Motion is one cell that differs strongly, or so many that differ at all."""

WHOLE_SHARE = 0.5
"""From this share of cells on it is the light (or the infra-red lamp, or the camera itself), not a thing."""

GRAIN_SHARE = 0.5
"""Light changes once. What changes the whole of every picture is noise, and is learnt by so much of it each time."""

LIGHT_STEP = 1.0
SMALLEST_STEP_S = 0.01

Cells: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Motion:
    """What one picture shows; `where` are the cells that changed, (ROWS, COLUMNS).

    `is_there`: a thing moves. `is_whole`: nearly everything changed at once, which is no thing.
    """

    where: NDArray[np.bool_] = field(repr=False)
    is_there: bool = False
    is_whole: bool = False

    def touches(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether something moves inside a box, or at most a cell beside it; in shares of the picture."""
        rows = slice(max(0, int(top * ROWS) - 1), int(bottom * ROWS) + 2)
        columns = slice(max(0, int(left * COLUMNS) - 1), int(right * COLUMNS) + 2)
        return bool(self.where[rows, columns].any())


STILL = Motion(np.zeros((ROWS, COLUMNS), np.bool_))


class Scene:
    """The background of one camera. Not thread-safe."""

    def __init__(self) -> None:
        self._background = np.zeros((LUMA_HEIGHT, LUMA_WIDTH), np.float32)
        self._is_empty = True
        self._was_whole = False
        self._before: Luma = np.zeros((LUMA_HEIGHT, LUMA_WIDTH), np.uint8)
        self._noise: Cells = np.full((ROWS, COLUMNS), LEAST_RESIDUE / NOISE_TIMES, np.float32)
        self._habit: Cells = np.zeros((ROWS, COLUMNS), np.float32)
        self._stable_s: Cells = np.zeros((ROWS, COLUMNS), np.float32)
        self._worst: Cells = np.zeros((ROWS, COLUMNS), np.float32)
        self._at_s = 0.0

    def look(self, luma: Luma, at_s: float) -> Motion:
        """Compare one picture, taken at `at_s` (seconds, not running backwards), and renew the background with it."""
        blurred = cv2.blur(luma, (3, 3)).astype(np.uint8, copy=False)
        if self._is_empty:
            self._begin(blurred, at_s)
            return STILL
        passed_s = max(SMALLEST_STEP_S, at_s - self._at_s)
        self._at_s = at_s
        expected = self._expected(blurred)
        residue = _by_cell(cv2.absdiff(blurred, expected))
        threshold = np.maximum(LEAST_RESIDUE, np.maximum(NOISE_TIMES * self._noise, self._habit))
        hot = residue > threshold
        count = int(np.count_nonzero(hot))
        if count > WHOLE_SHARE * hot.size:
            if self._was_whole:
                self._noise = np.maximum(self._noise, self._noise + np.float32(GRAIN_SHARE) * (residue - self._noise))
            self._begin(blurred, at_s)
            self._was_whole = True
            return Motion(hot, is_whole=True)
        self._was_whole = False
        self._worst = np.maximum(self._worst * np.float32(exp(-passed_s / WORST_S)), residue)
        self._renew(blurred, residue, hot, passed_s)
        return Motion(hot, is_there=count >= FEW_CELLS or bool((residue > STRONG_TIMES * threshold).any()))

    def settle(self) -> None:
        """Get used to what moves now: it has been looked at for a while, and it is nothing."""
        self._habit = np.maximum(self._habit, np.float32(1.3) * self._worst)

    def _begin(self, blurred: Luma, at_s: float) -> None:
        self._is_empty = False
        self._background = blurred.astype(np.float32)
        self._before = blurred
        self._stable_s[:] = 0
        self._at_s = at_s

    def _expected(self, blurred: Luma) -> Luma:
        """The background, as bright as the light is now."""
        background = cv2.convertScaleAbs(self._background)
        brighter = _by_cell(cv2.subtract(blurred, background, dtype=cv2.CV_16S))
        light = float(np.median(brighter[::2, ::2]))
        if abs(light) < LIGHT_STEP:
            return background.astype(np.uint8, copy=False)
        return cv2.convertScaleAbs(self._background, alpha=1.0, beta=light).astype(np.uint8, copy=False)

    def _renew(self, blurred: Luma, residue: Cells, hot: NDArray[np.bool_], passed_s: float) -> None:
        restless = _by_cell(cv2.absdiff(blurred, self._before)) > LEAST_RESIDUE
        self._before = blurred
        self._stable_s += np.float32(passed_s)
        self._stable_s[restless | ~hot] = 0
        absorbed = hot & (self._stable_s >= ABSORB_S)
        calm = ~hot
        self._noise += np.where(calm, np.float32(1 - exp(-passed_s / NOISE_S)), np.float32(0)) * (residue - self._noise)
        self._habit *= np.float32(exp(-passed_s / NOISE_DECAY_S))
        share = 1 - exp(-passed_s / BACKGROUND_S)
        cv2.accumulateWeighted(blurred, self._background, share, None if calm.all() else _by_pixel(calm))
        if absorbed.any():
            cv2.accumulateWeighted(blurred, self._background, 1.0, _by_pixel(absorbed))


def _by_cell(difference: cv2.typing.MatLike) -> Cells:
    """Mean over each cell, in grey levels."""
    return cv2.resize(difference, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).astype(np.float32)


def _by_pixel(cells: NDArray[np.bool_]) -> Luma:
    mask = cv2.resize(cells.astype(np.uint8), (LUMA_WIDTH, LUMA_HEIGHT), interpolation=cv2.INTER_NEAREST)
    return mask.astype(np.uint8, copy=False)
