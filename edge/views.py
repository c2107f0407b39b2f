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
from scipy import fft

Luma: TypeAlias = NDArray[np.uint8]
Field: TypeAlias = NDArray[np.complex64]
"""Shape (90, 160)."""
Cells: TypeAlias = NDArray[np.float32]
"""Shape (9, 16)."""

WIDTH, HEIGHT = 160, 90
ACROSS, DOWN = 16, 9
SOFT_LEVELS = 2.0
"""Slopes of so many grey levels a pixel count half: below is noise, above is edge."""
PEAK_REACH_PX = 3
"""A pole in the wind moves the view by so much of the 160 pixels; more is another view."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What one picture has to compare: its field, how much fine and coarse detail each cell has, and its brightness.

    `fine` is the variance of the Laplacian at the size the picture came in, `coarse` the mean squared slope at
    160 x 90. `histogram` counts grey levels, (256,).
    """

    small: Luma
    field: Field
    fine: Cells
    coarse: Cells
    histogram: NDArray[np.int64]

    @property
    def sharpness(self) -> float:
        """Fine over coarse detail: what is out of focus loses the fine; fog and dusk take both alike."""
        return float(self.fine.mean() / (self.coarse.mean() + 0.05))

    def share_below(self, level: int) -> float:
        """The share of the picture that is darker than this grey level."""
        return float(self.histogram[:level].sum() / self.histogram.sum())

    @property
    def textured(self) -> float:
        """The share of cells in which there is anything to see."""
        return float((_cells(self.small.astype(np.float32), spread=True) > 3).mean())  # noqa: PLR2004 - grey levels


def sample(luma: Luma) -> Sample:
    """Measure a grey picture of any size, (height, width) uint8; 240 x 135 to 480 x 270 is meant."""
    fine = cv2.Laplacian(luma, cv2.CV_32F)
    fine_cells = cv2.resize(cv2.multiply(fine, fine), (ACROSS, DOWN), interpolation=cv2.INTER_AREA)
    small = cv2.resize(luma, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small.astype(np.float32), (0, 0), 1.0)
    right = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    slope = right + 1j * down
    squared = cv2.add(cv2.multiply(right, right), cv2.multiply(down, down))
    length = cv2.sqrt(squared)
    field = (slope * slope / ((length + SOFT_LEVELS) * (length + 1e-3))).astype(np.complex64)
    return Sample(
        small=small.astype(np.uint8),
        field=field,
        fine=fine_cells.astype(np.float32),
        coarse=_cells(squared),
        histogram=np.bincount(small.ravel(), minlength=256),
    )


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
        self._transform = np.conj(fft.fft2(reference.field))
        self._energy = _cells(np.abs(reference.field) ** 2)
        self._has_edges = self._energy > 0.15 * np.quantile(self._energy, 0.9)
        self._detail = reference.fine / (reference.coarse + 0.05)

    def lost(self, given: Sample) -> float:
        """The share of the reference's structure that something flat or out of focus stands in front of, 0..1."""
        energy = _cells(np.abs(given.field) ** 2)
        product = _cells((np.conj(self.reference.field) * given.field).real)
        alike = product / np.sqrt(self._energy * energy + 1e-6)
        flat = energy < 0.3 * self._energy
        unfocused = given.fine / (given.coarse + 0.05) < 0.15 * self._detail
        gone = self._has_edges & (alike < 0.25) & (flat | unfocused)  # noqa: PLR2004 - measured, see the tests
        return float(gone.sum() / max(1, self._has_edges.sum()))

    def peak(self, field: Field) -> Peak:
        """Where the field fits the reference best."""
        return _peak(self._transform, field)


def peak_of(one: Field, other: Field) -> Peak:
    """Where two fields fit each other best."""
    return _peak(np.conj(fft.fft2(one)), other)


def _peak(transform: NDArray[np.complex64], field: Field) -> Peak:
    fits = fft.ifft2(transform * fft.fft2(field)).real
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
    cells = blocks.std(axis=(1, 3)) if spread else blocks.mean(axis=(1, 3))
    return cells.astype(np.float32)
