"""What a camera's picture is compared by: structure that survives light, fog and season, against a reference.

A picture is brought to 160 x 90 whatever its shape. Its *field* holds, for each pixel, how much edge there is and in
which direction, the direction doubled so that an edge keeps its value when dark and bright change places (a shadow,
infra-red). Two fields of one view correlate at zero shift and nowhere else; how far that peak stands out among all
shifts, in standard deviations, tells one's own view from any other whether the scene is crowded, foggy or dark.
Measured on four films: the own view 9 to 33, another view at most 3.6.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Luma: TypeAlias = NDArray[np.uint8]
Field: TypeAlias = NDArray[np.complex64]
"""Shape (90, 160)."""
Cells: TypeAlias = NDArray[np.float32]
"""Shape (9, 16)."""

WIDTH, HEIGHT = 160, 90
ACROSS, DOWN = 16, 9
SOFT_LEVELS = 2.0
"""Slopes of so many grey levels a pixel count half: below is noise, above is edge."""
LEAST_COARSE = 0.3
STEADY_ABOVE = 6.0
"""Two fields whose peak stands out by more are of one view."""
UNFOCUSED_SHARE = 0.35
PEAK_REACH_PX = 3
"""A pole in the wind moves the view by so much of the 160 pixels; more is another view."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What one picture has to compare: its field, and how much fine and coarse detail each cell has.

    `fine` is the mean difference to the picture's own 3 x 3 average at the size it came in, `coarse` the mean slope at
    160 x 90, both in grey levels.
    """

    field: Field
    fine: Cells
    coarse: Cells

    @property
    def sharpness(self) -> float:
        """Fine over coarse detail: what is out of focus loses the fine; fog and dusk take both alike."""
        return float(self.fine.mean() / (self.coarse.mean() + LEAST_COARSE))


def shrink(luma: Luma) -> Luma:
    """Any grey picture, (height, width) uint8, at 160 x 90."""
    return cv2.resize(_trimmed(luma), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _trimmed(picture: NDArray[Any]) -> NDArray[Any]:
    """Without the few last rows and columns that keep it from being divided evenly, which is ten times as quick."""
    rows, columns = picture.shape[0] // HEIGHT * HEIGHT, picture.shape[1] // WIDTH * WIDTH
    is_near = rows > 0.95 * picture.shape[0] and columns > 0.95 * picture.shape[1]
    return picture[:rows, :columns] if is_near else picture


def textured(small: Luma) -> float:
    """The share of cells of a picture at 160 x 90 in which there is anything to see."""
    return float((_cells(small.astype(np.float32), spread=True) > 3).mean())  # noqa: PLR2004 - grey levels


def sample(luma: Luma, small: Luma) -> Sample:
    """Measure a grey picture of any size, (height, width) uint8, 240 x 135 to 480 x 270 is meant; `small` is shrunk."""
    fine = cv2.absdiff(luma, cv2.blur(luma, (3, 3))).astype(np.float32)
    smooth = cv2.GaussianBlur(small.astype(np.float32), (0, 0), 1.0)
    right = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    length = cv2.magnitude(right, down).astype(np.float32)
    share = 1 / ((length + SOFT_LEVELS) * (length + np.float32(1e-3)))
    field = np.empty((HEIGHT, WIDTH), np.complex64)
    field.real = (right * right - down * down) * share
    field.imag = 2 * right * down * share
    fine_cells = cv2.resize(_trimmed(fine), (ACROSS, DOWN), interpolation=cv2.INTER_AREA).astype(np.float32)
    return Sample(field=field, fine=fine_cells, coarse=_cells(length))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reference:
    """How a camera's view looks when it is right, averaged over the first good minutes so that passers-by fade.

    `own_peak` is how far its own pictures stood out against it, `noise` the mean difference, in grey levels, between
    one picture and the next where nothing moved.
    """

    field: Field
    fine: Cells
    coarse: Cells
    sharpness: float
    own_peak: float
    noise: float
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Peak:
    """How far the best correlation stands out near zero shift, and farther away, in standard deviations."""

    near: float
    elsewhere: float


class Comparison:
    """Compares samples with one reference; keeps what of it is computed once."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._transform = _transform(reference.field)
        self._energy = _cells(_squared(reference.field))
        self._has_edges = self._energy > 0.15 * np.quantile(self._energy, 0.9)
        self._detail = reference.fine / (reference.coarse + LEAST_COARSE)

    def lost(self, given: Sample) -> float:
        """The share of the reference's structure that something flat or out of focus stands in front of, 0..1."""
        own, field = self.reference.field, given.field
        energy = _cells(_squared(field))
        product = _cells(own.real * field.real + own.imag * field.imag)
        alike = product / np.sqrt(self._energy * energy + 1e-6)
        flat = energy < 0.3 * self._energy
        unfocused = given.fine / (given.coarse + LEAST_COARSE) < UNFOCUSED_SHARE * self._detail
        gone = self._has_edges & (alike < 0.25) & (flat | unfocused)  # noqa: PLR2004 - measured, see the tests
        return float(gone.sum() / max(1, self._has_edges.sum()))

    def peak(self, field: Field) -> Peak:
        """Where the field fits the reference best."""
        return _peak(self._transform, field)


def peak_of(one: Field, other: Field) -> Peak:
    """Where two fields fit each other best."""
    return _peak(_transform(one), other)


def _transform(field: Field) -> NDArray[np.float32]:
    return cv2.dft(field.view(np.float32).reshape(HEIGHT, WIDTH, 2)).astype(np.float32, copy=False)


def _squared(field: Field) -> NDArray[np.float32]:
    squared: NDArray[np.float32] = field.real * field.real + field.imag * field.imag
    return squared


def _peak(transform: NDArray[np.float32], field: Field) -> Peak:
    product = cv2.mulSpectrums(_transform(field), transform, 0, conjB=True)
    fits = cv2.idft(product)[:, :, 0]
    spread = float(fits.std())
    if spread < 1e-9:  # noqa: PLR2004 - one of them is flat
        return Peak(0.0, 0.0)
    away = (fits - fits.mean()) / spread
    reach = PEAK_REACH_PX
    centred = np.roll(away, (reach, reach), (0, 1))
    near = float(centred[: 2 * reach + 1, : 2 * reach + 1].max())
    centred[: 2 * reach + 1, : 2 * reach + 1] = -np.inf
    return Peak(near, float(centred.max()))


def _cells(picture: NDArray[Any], *, spread: bool = False) -> Cells:
    """The mean of each cell, or the standard deviation in it."""
    blocks = picture.reshape(DOWN, HEIGHT // DOWN, ACROSS, WIDTH // ACROSS)
    cells: Cells = (blocks.std(axis=(1, 3)) if spread else blocks.mean(axis=(1, 3))).astype(np.float32)
    return cells
