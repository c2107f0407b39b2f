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
    sides = np.minimum(one[:, None, 2:], other[None, :, 2:]) - np.maximum(one[:, None, :2], other[None, :, :2])
    np.maximum(sides, 0.0, out=sides)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float64)


def distances(one: Boxes, other: Boxes) -> Table:
    """How unlike boxes are: distance of their centres in mean box sizes, plus their difference in area."""
    area, other_area = areas(one), areas(other)
    size, other_size = one[:, 2:] - one[:, :2], other[:, 2:] - other[:, :2]
    centre, other_centre = (one[:, :2] + one[:, 2:]) / 2, (other[:, :2] + other[:, 2:]) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        resize = np.abs(np.log(area)[:, None] - np.log(other_area)[None, :])
        apart = 2 * (centre[:, None] - other_centre[None, :]) / (size[:, None] + other_size[None, :])
        found = np.hypot(apart[..., 0], apart[..., 1]) + RESIZE_WEIGHT * resize
        plausible = (resize <= MAX_RESIZE) & (area > 0)[:, None] & (other_area > 0)[None, :]
    return np.where(plausible, found, FOREIGN)


def assign(costs: Table) -> list[tuple[int, int]]:
    """The pairs (row, column) whose costs are least in all, each row and column at most once; never a `FOREIGN` one."""
    if not costs.size:
        return []
    rows, columns = linear_sum_assignment(costs)
    near = costs[rows, columns] < FOREIGN
    return list(zip(rows[near].tolist(), columns[near].tolist(), strict=True))
