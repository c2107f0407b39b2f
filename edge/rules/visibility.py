"""Whether something is still there though it is not seen: by what a rule forgets, and what it still believes.

Three things may happen to what was somewhere at the last look. It is seen. It is not seen, because something nearer to
the camera covers it: then nothing is known, and that is borne for `MOST_HIDDEN_S`. Or the camera looked and it was not
there: that is borne for the rule's `unseen_s`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.matching import Boxes, Table, areas
from edge.rules.base import MOST_ABSENT_S, Sighting

MOST_HIDDEN_S = 30.0
"""A bus that waits at a light hides what stands behind it for twenty seconds."""

COVERED = 0.5
"""From this share on a box that is covered by nearer ones may hide its object."""

SAME_DEPTH = 0.1
"""A nearer box ends lower in the picture, or higher by no more than this share of the hidden one's height."""

MOST_SIGHTINGS = 100
"""What no zone can hold makes a look no slower."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """How well something was seen since it was first, in watched seconds.

    `seen_s`, `missed_s` and `covered_s` share out the whole time; `unseen_s` and `hidden_s` are the parts of the last
    two that lie after the last sighting.
    """

    looked_s: float
    seen_s: float = 0.0
    missed_s: float = 0.0
    covered_s: float = 0.0
    unseen_s: float = 0.0
    hidden_s: float = 0.0
    is_seen: bool = True
    is_hidden: bool = False

    def seen(self, now_s: float) -> "Visibility":
        """With a look that found it. If the look before did so too, the time between them is vouched for."""
        step_s = now_s - self.looked_s
        gained_s = step_s if self.is_seen else min(MOST_ABSENT_S, step_s)
        return Visibility(now_s, self.seen_s + gained_s, self.missed_s, self.covered_s)

    def missed(self, now_s: float, *, is_hidden: bool) -> "Visibility":
        """With a look that did not."""
        step_s = min(MOST_ABSENT_S, now_s - self.looked_s)
        unseen_s, hidden_s = (0.0, step_s) if is_hidden else (step_s, 0.0)
        return Visibility(
            now_s,
            self.seen_s,
            self.missed_s + unseen_s,
            self.covered_s + hidden_s,
            self.unseen_s + unseen_s,
            self.hidden_s + hidden_s,
            is_seen=False,
            is_hidden=is_hidden,
        )

    @property
    def share(self) -> float:
        """The share of the time in which it was seen, hidden or not; 1 at the first sighting."""
        return _share(self.seen_s, self.missed_s + self.covered_s)

    @property
    def clear_share(self) -> float:
        """The same of the time in which nothing hid it."""
        return _share(self.seen_s, self.missed_s)

    def is_worth_keeping(self, unseen_s: float, seen_share: float) -> bool:
        """Whether it may still be there, and be seen in `seen_share` of the time before long.

        What was missed so often that the longest excusable absence does not explain it starts again from nothing:
        else an hour of traffic over a place would have to be outweighed by the vehicle that then stops there, or
        would be counted as part of its stay.
        """
        owed_s = _owed_s(self.seen_s, self.missed_s, seen_share)
        owed_in_all_s = _owed_s(self.seen_s, self.missed_s + self.covered_s, seen_share)
        return (
            self.unseen_s <= unseen_s
            and self.hidden_s <= MOST_HIDDEN_S
            and owed_s <= seen_share * unseen_s
            and owed_in_all_s <= seen_share * (unseen_s + MOST_HIDDEN_S)
        )


def _share(seen_s: float, missed_s: float) -> float:
    return seen_s / (seen_s + missed_s) if seen_s + missed_s > 0 else 1.0


def _owed_s(seen_s: float, missed_s: float, seen_share: float) -> float:
    """How much more must have been seen for the share; negative where more was."""
    return seen_share * (seen_s + missed_s) - seen_s


def coverage(behind: Boxes, boxes: Boxes, common: Table) -> Table:
    """What share of each box behind (N, 4) each of the boxes (M, 4) covers as one that is nearer to the camera.

    `common` (N, M) are the areas both cover. On the ground what is nearer ends lower in the picture.
    """
    lowest = behind[:, 3] - SAME_DEPTH * (behind[:, 3] - behind[:, 1])
    nearer = boxes[None, :, 3] >= lowest[:, None]
    return np.asarray(np.where(nearer, common, 0.0) / np.maximum(areas(behind), 1e-12)[:, None], np.float64)


def surest(sightings: Sequence[Sighting]) -> Sequence[Sighting]:
    """The sightings that are looked at: no more than `MOST_SIGHTINGS`, the best scores first."""
    if len(sightings) <= MOST_SIGHTINGS:
        return sightings
    return sorted(sightings, key=lambda each: -each.score)[:MOST_SIGHTINGS]
