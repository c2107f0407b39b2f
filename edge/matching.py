"""Many boxes against many boxes at once: how they overlap, how far apart they are, which belongs to which.

What `edge/boxes.py` says of one pair, for all pairs of a picture: sixty boxes are 3,600 pairs, too many for a loop.
"""

from collections import Counter
from collections.abc import Sequence
from math import hypot, log
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


Pair: TypeAlias = tuple[int, int, float]
"""Row, column and what they cost."""


def near_pairs(ones: Sequence[Box], others: Sequence[Box], most: Sequence[float]) -> list[Pair]:
    """The pairs whose `distances` are below the row's `most`.

    In plain Python, since nearly all pairs are ruled out by one comparison: a picture of ten boxes takes a quarter of
    the time that arrays take, one of a hundred a few milliseconds.
    """
    spots = [(left + right, top + bottom, right - left, bottom - top) for left, top, right, bottom in others]
    found = []
    for row, (left, top, right, bottom) in enumerate(ones):
        x, y, width, height, gate = left + right, top + bottom, right - left, bottom - top, most[row]
        for column, (other_x, other_y, other_width, other_height) in enumerate(spots):
            if abs(x - other_x) >= gate * (width + other_width) or abs(y - other_y) >= gate * (height + other_height):
                continue
            area, other_area = width * height, other_width * other_height
            if min(area, other_area) < SMALLEST:
                continue
            resize = abs(log(area / other_area))
            cost = RESIZE_WEIGHT * resize + hypot(
                (x - other_x) / (width + other_width), (y - other_y) / (height + other_height)
            )
            if resize <= MAX_RESIZE and cost < gate:
                found.append((row, column, cost))
    return found


def assign_pairs(pairs: Sequence[Pair], most: Sequence[float]) -> dict[int, int]:
    """As `assign`, row to column, from the pairs that cost less than their row's `most`: most boxes have one choice."""
    rows, columns = Counter(row for row, _, _ in pairs), Counter(column for _, column, _ in pairs)
    matched = {row: column for row, column, _ in pairs if rows[row] == columns[column] == 1}
    torn = [pair for pair in pairs if pair[0] not in matched]
    if torn:
        ones, others = sorted({row for row, _, _ in torn}), sorted({column for _, column, _ in torn})
        costs = np.full((len(ones), len(others)), FOREIGN)
        for row, column, cost in torn:
            costs[ones.index(row), others.index(column)] = cost
        chosen = assign(costs, np.array([most[row] for row in ones]))
        matched.update((ones[row], others[column]) for row, column in chosen)
    return matched


def assign(costs: Table, most: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The pairs (row, column) that cost least in all, each row and column at most once.

    A row alone costs its `most` (N,), and no pair may cost as much: so one good pair is worth more than two bad ones.
    """
    if not costs.size:
        return []
    if len(costs) > costs.shape[1]:  # each row needs a column to be alone in, else it would cost nothing
        costs = np.pad(costs, ((0, 0), (0, len(costs))), constant_values=FOREIGN)
    rows, columns = linear_sum_assignment(np.minimum(costs, most[:, None]))
    near = costs[rows, columns] < most[rows]
    return list(zip(rows[near].tolist(), columns[near].tolist(), strict=True))
