"""Many boxes against many boxes at once: how they overlap, how far apart they are, which belongs to which.

What `edge/boxes.py` says of one pair, for all pairs of a picture: sixty boxes are 3,600 pairs, too many for a loop.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from edge.boxes import Box

Boxes: TypeAlias = NDArray[np.float64]
"""(N, 4): left, top, right, bottom in shares of the picture."""

Table: TypeAlias = NDArray[np.float64]
"""(N, M): a figure for each pair."""

FOREIGN = 1e6
"""The distance of boxes that cannot be the same object."""

SMALLEST = 1e-12
RESIZE_WEIGHT = 0.5
MAX_RESIZE = 1.1
"""Largest plausible change of a box's area between two sightings, as a natural logarithm (threefold)."""


def as_array(boxes: Sequence[Box]) -> Boxes:
    """The boxes as an array (N, 4)."""
    return np.array(boxes, np.float64).reshape(-1, 4)


def areas(boxes: Boxes) -> NDArray[np.float64]:
    """(N,), 0 for boxes turned inside out."""
    sides = np.maximum(0.0, boxes[:, 2:] - boxes[:, :2])
    return np.asarray(sides[:, 0] * sides[:, 1], np.float64)


def common_areas(one: Boxes, other: Boxes) -> Table:
    """The area that both of a pair cover."""
    return _common_sides(one, other, 0) * _common_sides(one, other, 1)


def _common_sides(one: Boxes, other: Boxes, axis: int) -> Table:
    highest = np.minimum(one[:, None, axis + 2], other[:, axis + 2])
    return np.asarray(np.maximum(0.0, highest - np.maximum(one[:, None, axis], other[:, axis])), np.float64)


def distances(one: Boxes, other: Boxes) -> Table:
    """How unlike boxes are: distance of their centres in mean box sizes, plus their difference in area."""
    resize = np.abs(_log_areas(one, 1e9)[:, None] - _log_areas(other, -1e9))
    apart = np.hypot(_steps(one, other, 0), _steps(one, other, 1))
    return np.where(resize <= MAX_RESIZE, apart + RESIZE_WEIGHT * resize, FOREIGN)


def _log_areas(boxes: Boxes, if_empty: float) -> NDArray[np.float64]:
    """(N,): logarithms of the areas; a box without one gets a figure that is far from all others."""
    found = areas(boxes)
    return np.where(found > 0, np.log(np.maximum(found, SMALLEST)), if_empty)


def _steps(one: Boxes, other: Boxes, axis: int) -> Table:
    """Distance of the centres along an axis, in mean sides."""
    low, high, other_low, other_high = one[:, axis], one[:, axis + 2], other[:, axis], other[:, axis + 2]
    sides = (high - low)[:, None] + (other_high - other_low)
    return np.asarray(((low + high)[:, None] - (other_low + other_high)) / np.maximum(sides, SMALLEST), np.float64)


def assign(costs: Table, most: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The pairs (row, column) that cost least in all, each row and column at most once.

    A row alone costs its `most` (N,), and no pair may cost as much: so one good pair is worth more than two bad ones.
    """
    if not costs.size:
        return []
    rows, columns = linear_sum_assignment(np.minimum(costs, most[:, None]))
    near = costs[rows, columns] < most[rows]
    return list(zip(rows[near].tolist(), columns[near].tolist(), strict=True))
