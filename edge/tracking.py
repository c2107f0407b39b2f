"""Tracking: which box in this picture is the object of that box in the last one.

Own code, about a hundred lines on scipy's assignment. The library `trackers` wants the OpenCV wheel whose Qt needs
libGL, absent on boxes; and its trackers match by overlap alone, made for 25 pictures a second. A box looks two to five
times a second: a walker's boxes then hardly overlap. So objects are matched by predicted place, measured in
box sizes, with a gate that widens with the time since the last sighting.

A track's number is a hint: no rule lets a clock depend on it alone. Standing vehicles and people who stay are followed
by their place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from edge.boxes import Box
from edge.matching import assign_pairs, near_pairs
from edge.rules.base import MOST_ABSENT_S, Sighting

FORGET_AFTER_S = 2.0
GATE_SIZES = 0.6
"""How far from its predicted place, in box sizes, an object may be found at once …"""
GATE_SIZES_PER_S = 2.0
"""… and how much farther for each second since it was last seen: a brisk walker covers two body widths a second."""
GATE_CAP_S = 1.0
SPEED_SHARE = 0.6
"""How much of the newest measured speed enters the estimate."""

MOST_TRACKS = 128
"""So many objects are followed at once, the surest boxes of a picture first; others get a number and are forgotten."""

SETTLED_SIGHTINGS = 3
"""From so many sightings on a track chooses its box before those that have fewer, and is forgotten after them."""

Finding: TypeAlias = tuple[str, float, Box]
"""Class name, score, box."""


@dataclass(frozen=True, slots=True)
class Track:
    """An object followed through pictures; speeds are shares of the picture per second.

    `unseen_s` is how long it was looked for in vain; a long sleep in which nothing moved counts little.
    """

    number: int
    family: str
    box: Box
    seen_s: float
    speed_x: float = 0.0
    speed_y: float = 0.0
    unseen_s: float = 0.0
    sightings: int = 1

    def seen(self, box: Box, now_s: float) -> "Track":
        """With one more sighting."""
        passed_s = now_s - self.seen_s
        share = SPEED_SHARE if passed_s > 0 else 0.0
        per_s = 1 / passed_s if passed_s > 0 else 0.0
        new_x = (box.left + box.right - self.box.left - self.box.right) / 2 * per_s
        new_y = (box.top + box.bottom - self.box.top - self.box.bottom) / 2 * per_s
        return Track(
            self.number,
            self.family,
            box,
            now_s,
            self.speed_x + share * (new_x - self.speed_x),
            self.speed_y + share * (new_y - self.speed_y),
            0.0,
            self.sightings + 1,
        )


class Tracker:
    """Follows the objects of one camera. `family_of` names what a class belongs to: car and truck are one family."""

    def __init__(self, family_of: Callable[[str], str] = lambda name: name) -> None:
        self._family_of = family_of
        self._tracks: list[Track] = []
        self._looked_s = 0.0
        self._last = 0

    def follow(self, findings: Sequence[Finding], now_s: float) -> tuple[Sighting, ...]:
        """One sighting for each finding, in their order. `now_s` is watched time and must not run backwards."""
        step_s = min(MOST_ABSENT_S, now_s - self._looked_s)
        self._looked_s = now_s
        tracks = [track for track in self._tracks if track.unseen_s + step_s <= FORGET_AFTER_S]
        surest = _surest(findings)
        matched = self._match(tracks, [findings[at] for at in surest], step_s)
        rows = {surest[column]: row for row, column in matched.items()}
        numbers = dict.fromkeys(range(len(findings)), 0)
        followed = []
        for at in surest:
            class_name, _, box = findings[at]
            if at in rows:
                track = tracks[rows[at]].seen(box, now_s)
            else:
                track = Track(self._new_number(), self._family_of(class_name), box, now_s)
            followed.append(track)
            numbers[at] = track.number
        followed += [
            replace(track, unseen_s=track.unseen_s + step_s) for row, track in enumerate(tracks) if row not in matched
        ]
        self._tracks = _most(followed)
        return tuple(
            Sighting(numbers[at] or self._new_number(), class_name, score, box)
            for at, (class_name, score, box) in enumerate(findings)
        )

    def _new_number(self) -> int:
        self._last += 1
        return self._last

    def _match(self, tracks: Sequence[Track], findings: Sequence[Finding], step_s: float) -> dict[int, int]:
        """For a track (by index) its finding (by index). Those known for longer choose first."""
        if not findings or not tracks:
            return {}
        unseen_s = [track.unseen_s + step_s for track in tracks]
        gates = [GATE_SIZES + GATE_SIZES_PER_S * min(GATE_CAP_S, each) for each in unseen_s]
        boxes = [
            track.box.moved(track.speed_x * s, track.speed_y * s) for track, s in zip(tracks, unseen_s, strict=True)
        ]
        families = [self._family_of(class_name) for class_name, *_ in findings]
        pairs = [
            pair
            for pair in near_pairs(boxes, [box for *_, box in findings], gates)
            if tracks[pair[0]].family == families[pair[1]]
        ]
        settled = [pair for pair in pairs if tracks[pair[0]].sightings >= SETTLED_SIGHTINGS]
        matched = assign_pairs(settled, gates)
        taken = set(matched.values())
        new = [pair for pair in pairs if tracks[pair[0]].sightings < SETTLED_SIGHTINGS and pair[1] not in taken]
        return matched | assign_pairs(new, gates)


def _surest(findings: Sequence[Finding]) -> Sequence[int]:
    """The findings (by index) that are followed."""
    if len(findings) <= MOST_TRACKS:
        return range(len(findings))
    return sorted(range(len(findings)), key=lambda at: -findings[at][1])[:MOST_TRACKS]


def _most(tracks: list[Track]) -> list[Track]:
    """The tracks that stay: new ones give way before settled ones, longest unseen before just seen."""
    if len(tracks) <= MOST_TRACKS:
        return tracks
    return sorted(tracks, key=lambda each: (each.sightings < SETTLED_SIGHTINGS, each.unseen_s))[:MOST_TRACKS]
