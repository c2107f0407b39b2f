"""Places: where vehicles stand, and which vehicle of a picture stands at which of them.

A place is the box of its first few sightings, frozen, so that a vehicle that creeps along leaves its place behind
instead of dragging it with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.boxes import Box, common_area
from edge.matching import Table, areas, as_array, common_areas
from edge.rules.base import Sighting, Votes
from edge.rules.visibility import COVERED, Visibility, coverage

SETTLING_LOOKS = 5
"""A place is the mean box of so many sightings, then frozen."""

PART = 0.7
"""A box lying so far inside a known place, or holding so much of it, is the same vehicle half hidden or run together
with its neighbour, as long as the smaller is not less than `COMPARABLE` of the larger."""

COMPARABLE = 0.3
BESIDE = 0.3
"""Two boxes with no more than this share of the smaller in common may be two vehicles."""

LEAVING_LOOKS = 2
"""So many looks must see a place empty and its own vehicle elsewhere before it is known to have driven away."""

SAME_SIZE = log(2)
MOST_PLACES = 100
"""More than a zone can hold; false boxes by the hundred cannot make the box remember more."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vehicle stands or stood a moment ago. `stood_s` is watched time; `broken` once it stood too long.

    `track_looks` counts the sightings in a row that bore the number of the last one; `left_looks` those looks in a row
    in which that number was elsewhere and the place empty.
    """

    box: Box
    stood_s: float
    first_stream_s: float
    stood_until_s: float
    votes: Votes
    visibility: Visibility
    sightings: int = 1
    broken: bool = False
    last: Sighting | None = None
    track_looks: int = 1
    left_looks: int = 0

    @property
    def is_settled(self) -> bool:
        """Whether its box is final."""
        return self.sightings >= SETTLING_LOOKS

    def taken(self, vehicle: Sighting, now_s: float, *, is_same: bool) -> "Place":
        """With one more sighting; `is_same` for the whole vehicle, else it is a part of it, or more than it."""
        settling = is_same and not self.is_settled
        same_number = self.last is not None and self.last.track == vehicle.track
        return Place(
            box=self.box.mixed(vehicle.box, 1 / (self.sightings + 1)) if settling else self.box,
            stood_s=self.stood_s + now_s - self.stood_until_s,
            first_stream_s=self.first_stream_s,
            stood_until_s=now_s,
            votes=self.votes.cast(vehicle.class_name, vehicle.score),
            visibility=self.visibility.seen(now_s),
            sightings=self.sightings + 1,
            broken=self.broken,
            last=vehicle,
            track_looks=self.track_looks + 1 if same_number else 1,
        )

    def missed(self, now_s: float, *, is_hidden: bool, is_left: bool) -> "Place":
        """With one more look in which no vehicle was there."""
        return replace(
            self,
            visibility=self.visibility.missed(now_s, is_hidden=is_hidden),
            left_looks=self.left_looks + 1 if is_left else 0,
        )


Places: TypeAlias = tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """One look laid over the places: P places, S sightings.

    `fits` (P, S): above 1 for the same box, 0..1 for part of it or more than it, 0 for another place. `hidden` (P,)
    says which places something nearer covers, `left` (P,) of which the own vehicle is now seen elsewhere.
    """

    fits: Table
    hidden: NDArray[np.bool_]
    left: NDArray[np.bool_]


def survey(places: Places, sightings: Sequence[Sighting], threshold: float) -> Scene:
    """Lay a look over the places; `threshold` is the overlap from which two boxes are the same place."""
    spots, boxes = as_array([place.box for place in places]), as_array([each.box for each in sightings])
    common = common_areas(spots, boxes)
    area, other = areas(spots)[:, None], areas(boxes)[None, :]
    small, large = np.minimum(area, other), np.maximum(area, other)
    overlaps = common / np.maximum(area + other - common, 1e-12)
    is_part = common >= PART * np.maximum(small, 1e-12)
    same = overlaps >= threshold
    fits = np.where(same, 1 + overlaps, np.where(is_part & (small >= COMPARABLE * large), overlaps, 0.0))
    covers = coverage(spots, boxes, common)
    left = _leave(places, sightings, fits, covers)
    hidden = np.where(same, 0.0, covers).sum(axis=1) >= COVERED
    # What shows of a covered vehicle may be a sliver.
    rest = hidden[:, None] & is_part & (other <= area)
    return Scene(np.where(rest & (fits <= 0), overlaps, fits), hidden, left & ~hidden)


def _leave(places: Places, sightings: Sequence[Sighting], fits: Table, covers: Table) -> NDArray[np.bool_]:
    """Which places (P,) the vehicle that stood there was seen to leave; what it covers itself hides nothing."""
    columns = {each.track: column for column, each in enumerate(sightings)}
    left = np.zeros(len(places), np.bool_)
    for row, place in enumerate(places):
        column = columns.get(place.last.track) if place.last and place.track_looks >= SETTLING_LOOKS else None
        if column is None or fits[row, column] > 0:
            continue
        box = sightings[column].box
        if box.area > 0 and abs(log(box.area / place.box.area)) <= SAME_SIZE:
            left[row] = True
            covers[row, column] = 0.0
    return left


def match_places(fits: Table) -> dict[int, int]:
    """Which vehicle (column) stands at which place (row), the best pairs first, each at most once."""
    rows, columns = np.nonzero(fits > 0)
    order = np.argsort(-fits[rows, columns], kind="stable")
    taken: dict[int, int] = {}
    used: set[int] = set()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in taken and column not in used:
            taken[row] = column
            used.add(column)
    return taken


def share_boxes(places: Places, vehicles: Sequence[Sighting], fits: Table, taken: dict[int, int]) -> dict[int, int]:
    """Places left over whose vehicle has run together with its neighbour: one box then stands for both."""
    holders = {column: row for row, column in taken.items()}
    shared = {}
    for row, place in enumerate(places):
        if row in taken or not place.is_settled:
            continue
        for column in np.nonzero(fits[row] > 0)[0].tolist():
            holder = holders.get(column)
            if (
                holder is not None
                and vehicles[column].box.area >= place.box.area
                and are_beside(place.box, places[holder].box)
            ):
                shared[row] = column
                break
    return shared


def strangers(vehicles: Sequence[Sighting], fits: Table, taken: dict[int, int]) -> list[int]:
    """The vehicles (columns) that stand where no place is known.

    One that fits a known place is a stranger all the same if another vehicle beside it holds that place: what looked
    like one was two.
    """
    used = set(taken.values())
    found = []
    for column, vehicle in enumerate(vehicles):
        if column in used:
            continue
        rows = np.nonzero(fits[:, column] > 0)[0].tolist()
        if all(row in taken and are_beside(vehicle.box, vehicles[taken[row]].box) for row in rows):
            found.append(column)
    return found


def are_beside(one: Box, other: Box) -> bool:
    """Whether two boxes are far enough apart to be two vehicles."""
    return common_area(one, other) <= BESIDE * min(one.area, other.area)


def keep_most(places: Sequence[Place]) -> Places:
    """At most `MOST_PLACES`; broken ones stay, then settled ones, then the most recently and most often confirmed."""
    if len(places) <= MOST_PLACES:
        return tuple(places)

    def worth(at: int) -> tuple[bool, bool, float, int]:
        place = places[at]
        absent_s = place.visibility.unseen_s + place.visibility.hidden_s
        return place.broken, place.is_settled, -absent_s, place.sightings

    broken = sum(place.broken for place in places)
    best = sorted(range(len(places)), key=worth, reverse=True)[: max(MOST_PLACES, broken)]
    return tuple(places[at] for at in sorted(best))
