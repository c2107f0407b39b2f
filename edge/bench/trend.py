"""Whether a series of samples grows: a straight line, and how sure it is where neighbours are alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import linregress, t

CONFIDENCE = 0.95
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Trend:
    """Slope per hour, and the ends of its 95 % interval; infinite where the samples say nothing."""

    slope: float
    low: float
    high: float
    blocks: int
    likeness: float
    """How much a block's distance from the line is like the one before it, 0..1."""

    @property
    def grows(self) -> bool:
        """Whether chance does not explain that it rises."""
        return self.low > 0


def trend_of(times_s: Sequence[float], values: Sequence[float], *, block_s: float) -> Trend:
    """The line through the means of blocks of `block_s`.

    Blocks that still resemble their neighbours count for less than one each: n (1 - r) / (1 + r) of n, with r the
    lag-1 autocorrelation of their residuals (Santer et al. 2000, doi:10.1029/1999JD901105, equation 6).
    Raises ValueError for fewer than three blocks.
    """
    hours, means = _blocks(np.asarray(times_s, float), np.asarray(values, float), block_s)
    count = len(means)
    if count < 3:  # noqa: PLR2004 - two points lie on a line whatever happened
        raise ValueError(f"{count} blocks of {block_s:g} s are too few for a line")
    if not np.ptp(means):
        return Trend(0.0, 0.0, 0.0, count, 0.0)
    line = linregress(hours, means)
    likeness = _likeness(means - line.slope * hours)
    free = count * (1 - likeness) / (1 + likeness) - 2
    if free <= 0:
        return Trend(line.slope, -inf, inf, count, likeness)
    slope, reach = (
        float(line.slope),
        float(line.stderr) * sqrt((count - 2) / free) * float(t.ppf((1 + CONFIDENCE) / 2, free)),
    )
    return Trend(slope, slope - reach, slope + reach, count, likeness)


def _blocks(
    times_s: NDArray[np.float64], values: NDArray[np.float64], block_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hours and mean distance from the first sample of every block, none of them empty."""
    _, numbers = np.unique((times_s - times_s[0]) // block_s, return_inverse=True)
    sizes = np.bincount(numbers)
    hours = np.bincount(numbers, times_s) / sizes / SECONDS_PER_HOUR
    return hours, np.bincount(numbers, values - values[0]) / sizes


def _likeness(residuals: NDArray[np.float64]) -> float:
    apart = residuals - residuals.mean()
    total = float(apart @ apart)
    return max(0.0, float(apart[1:] @ apart[:-1]) / total) if total else 0.0
