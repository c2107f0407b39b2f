"""Stays: how long each person has been inside, followed by where they are rather than by a track's number.

Numbers switch where people cross, and end where a lorry hides somebody for a few seconds; a clock that hung on them
would start again each time. So whoever is found near enough to where somebody was last seen is that person. A number
only decides between equals.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.boxes import Box
from edge.matching import FOREIGN, as_array, assign, common_areas, distances
from edge.rules.base import MOST_ABSENT_S, Sighting
from edge.rules.visibility import COVERED, Visibility, coverage

CERTAIN_SIGHTINGS = 2
SEEN_SHARE = 0.4
"""A person is seen in this share of the time at least; a shadow taken for one in every third picture is none."""

REACH_SIZES = 0.6
"""How far from where it was last seen, in box sizes, a person may be found at the next look …"""
REACH_SIZES_PER_S = 2.0
"""… and how much farther for each second since: a brisk walker covers two body widths a second."""
REACH_CAP_S = 2.5
STANDING_SIZES = 0.35
"""Who is seen outside cannot be inside as well, but for a switch of numbers: then somebody stands just where they
did."""

SAME_NUMBER_SIZES = 0.3
"""What the same number is worth in box sizes."""

MOST_STAYS = 64


@dataclass(frozen=True, slots=True)
class Stay:
    """One person's time inside, in watched seconds; `run_…` since the last look that missed them."""

    box: Box
    track: int
    first_s: float
    last_s: float
    first_stream_s: float
    visibility: Visibility
    run_first_s: float
    run_sightings: int = 1
    sightings: int = 1

    @property
    def lasted_s(self) -> float:
        """From the first sighting inside to the last."""
        return self.last_s - self.first_s

    @property
    def is_certain(self) -> bool:
        """Whether it is somebody: seen twice in a row, or more than once and often enough."""
        often = self.sightings >= CERTAIN_SIGHTINGS and self.visibility.clear_share >= SEEN_SHARE
        return often or self.run_sightings >= CERTAIN_SIGHTINGS

    def is_ripe(self, min_s: float) -> bool:
        """Whether somebody stayed for so long: on the whole, or without being missed once."""
        if not self.is_certain or self.lasted_s < min_s:
            return False
        return self.visibility.share >= SEEN_SHARE or self.last_s - self.run_first_s >= min_s

    def found(self, person: Sighting, now_s: float) -> "Stay":
        """With one more sighting."""
        goes_on = self.visibility.is_seen
        return Stay(
            box=person.box,
            track=person.track,
            first_s=self.first_s,
            last_s=now_s,
            first_stream_s=self.first_stream_s,
            visibility=self.visibility.seen(now_s),
            run_first_s=self.run_first_s if goes_on else now_s,
            run_sightings=self.run_sightings + 1 if goes_on else 1,
            sightings=self.sightings + 1,
        )

    def missed(self, now_s: float, *, is_hidden: bool) -> "Stay":
        """With one more look in which nobody was found there."""
        return replace(self, visibility=self.visibility.missed(now_s, is_hidden=is_hidden))


Stays: TypeAlias = tuple[Stay, ...]


def arrive(person: Sighting, now_s: float, stream_s: float) -> Stay:
    """Somebody's first sighting inside."""
    return Stay(
        box=person.box,
        track=person.track,
        first_s=now_s,
        last_s=now_s,
        first_stream_s=stream_s,
        visibility=Visibility(now_s),
        run_first_s=now_s,
    )


def match_stays(
    stays: Stays, inside: Sequence[Sighting], sightings: Sequence[Sighting], now_s: float
) -> dict[int, int]:
    """For a stay (by index) the person inside (by index) who goes on with it; `sightings` are all of the picture."""
    if not stays or not inside:
        return {}
    numbers = np.array([each.track for each in inside])
    own = np.array([stay.track for stay in stays])
    costs = distances(as_array([stay.box for stay in stays]), as_array([each.box for each in inside]))
    within = set(numbers.tolist())
    outside = {each.track for each in sightings} - within
    same = own[:, None] == numbers[None, :]
    reach = np.array([_reach_sizes(stay, now_s, is_outside=stay.track in outside) for stay in stays])
    costs = np.where(same & (costs < FOREIGN), np.minimum(costs, reach[:, None]) - SAME_NUMBER_SIZES, costs)
    return dict(assign(costs, reach))


def hidden_stays(stays: Stays, sightings: Sequence[Sighting]) -> NDArray[np.bool_]:
    """Which stays (N,) may be hidden by what is nearer to the camera."""
    if not stays or not sightings:
        return np.zeros(len(stays), np.bool_)
    last, boxes = as_array([stay.box for stay in stays]), as_array([each.box for each in sightings])
    covers = coverage(last, boxes, common_areas(last, boxes))
    own = np.array([stay.track for stay in stays])[:, None] == np.array([each.track for each in sightings])[None, :]
    return np.asarray(np.where(own, 0.0, covers).sum(axis=1) >= COVERED, np.bool_)


def keep_most(stays: Sequence[Stay]) -> Stays:
    """At most `MOST_STAYS`: certain ones before others, then the most recently and longest known."""
    if len(stays) <= MOST_STAYS:
        return tuple(stays)

    def worth(stay: Stay) -> tuple[bool, float, float]:
        return stay.is_certain, stay.last_s, -stay.first_s

    return tuple(sorted(stays, key=worth, reverse=True)[:MOST_STAYS])


def _reach_sizes(stay: Stay, now_s: float, *, is_outside: bool) -> float:
    if is_outside:
        return STANDING_SIZES
    visibility = stay.visibility
    absent_s = visibility.unseen_s + visibility.hidden_s + min(MOST_ABSENT_S, now_s - visibility.looked_s)
    return REACH_SIZES + REACH_SIZES_PER_S * min(REACH_CAP_S, absent_s)
