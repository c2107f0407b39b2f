"""Tracking: which box in this picture is the object of that box in the last one.

Own code, about a hundred lines on scipy's assignment. The library `trackers` wants the OpenCV wheel whose Qt needs
libGL, absent on boxes; and its trackers match by overlap alone, made for 25 pictures a second. A box looks two to five
times a second: a walker's boxes then hardly overlap. So objects are matched by predicted place, measured in
box sizes, with a gate that widens with the time since the last sighting.

Tracks matter to rules about persons (how long was *this one* inside); standing vehicles are matched by place instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import hypot, log
from typing import TypeAlias

import numpy as np
from scipy.optimize import linear_sum_assignment

from edge.boxes import Box
from edge.rules.base import Sighting

FORGET_AFTER_S = 2.0
GATE_SIZES = 0.6
"""How far from its predicted place, in box sizes, an object may be found at once …"""
GATE_SIZES_PER_S = 2.0
"""… and how much farther for each second since it was last seen: a brisk walker covers two body widths a second."""
GATE_CAP_S = 1.0
RESIZE_WEIGHT = 0.5
MAX_RESIZE = 1.1
"""Largest plausible change of a box's area between two sightings, as a natural logarithm (threefold)."""
FOREIGN = 1e6
SPEED_SHARE = 0.6
"""How much of the newest measured speed enters the estimate."""

Finding: TypeAlias = tuple[str, float, Box]
"""Class name, score, box."""


@dataclass(frozen=True, slots=True)
class Track:
    """An object followed through pictures; speeds are shares of the picture per second."""

    number: int
    family: str
    box: Box
    seen_s: float
    speed_x: float = 0.0
    speed_y: float = 0.0

    def predicted(self, now_s: float) -> Box:
        """Where it would be now, had it kept its speed."""
        passed_s = now_s - self.seen_s
        return self.box.moved(self.speed_x * passed_s, self.speed_y * passed_s)

    def seen(self, box: Box, now_s: float) -> "Track":
        """With one more sighting."""
        passed_s = now_s - self.seen_s
        if passed_s <= 0:
            return replace(self, box=box)
        new_x = (box.centre.x - self.box.centre.x) / passed_s
        new_y = (box.centre.y - self.box.centre.y) / passed_s
        return replace(
            self,
            box=box,
            seen_s=now_s,
            speed_x=self.speed_x + SPEED_SHARE * (new_x - self.speed_x),
            speed_y=self.speed_y + SPEED_SHARE * (new_y - self.speed_y),
        )


class Tracker:
    """Follows the objects of one camera. `family_of` names what a class belongs to: car and truck are one family."""

    def __init__(self, family_of: Callable[[str], str] = lambda name: name) -> None:
        self._family_of = family_of
        self._tracks: list[Track] = []
        self._next = 1

    def follow(self, findings: Sequence[Finding], now_s: float) -> tuple[Sighting, ...]:
        """One sighting for each finding, in their order. `now_s` must not run backwards."""
        self._tracks = [track for track in self._tracks if now_s - track.seen_s <= FORGET_AFTER_S]
        matched = self._match(findings, now_s)
        sightings = []
        for at, (class_name, score, box) in enumerate(findings):
            track = matched.get(at)
            if track is None:
                track = Track(self._next, self._family_of(class_name), box, now_s)
                self._next += 1
                self._tracks.append(track)
            else:
                self._tracks[self._tracks.index(track)] = track.seen(box, now_s)
            sightings.append(Sighting(track.number, class_name, score, box))
        return tuple(sightings)

    def _match(self, findings: Sequence[Finding], now_s: float) -> dict[int, Track]:
        if not findings or not self._tracks:
            return {}
        families = [self._family_of(class_name) for class_name, _, _ in findings]
        costs = np.full((len(self._tracks), len(findings)), FOREIGN)
        for row, track in enumerate(self._tracks):
            expected = track.predicted(now_s)
            gate = GATE_SIZES + GATE_SIZES_PER_S * min(GATE_CAP_S, now_s - track.seen_s)
            for column, (_, _, box) in enumerate(findings):
                if families[column] == track.family:
                    cost = distance(expected, box)
                    costs[row, column] = cost if cost <= gate else FOREIGN
        rows, columns = linear_sum_assignment(costs)
        return {
            int(column): self._tracks[row]
            for row, column in zip(rows, columns, strict=True)
            if costs[row, column] < FOREIGN
        }


def distance(one: Box, other: Box) -> float:
    """How unlike two boxes are: distance of their centres in mean box sizes, plus their difference in area."""
    if one.area <= 0 or other.area <= 0:
        return FOREIGN
    resize = abs(log(one.area / other.area))
    if resize > MAX_RESIZE:
        return FOREIGN
    across = (one.centre.x - other.centre.x) / ((one.width + other.width) / 2)
    down = (one.centre.y - other.centre.y) / ((one.height + other.height) / 2)
    return hypot(across, down) + RESIZE_WEIGHT * resize
