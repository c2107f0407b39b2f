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


@dataclass(frozen=True, slots=True)
class Visibility:
    """How well something was seen since it was first, in watched seconds.

    `seen_s` and `missed_s` share out the whole time; `unseen_s` and `hidden_s` count since the last sighting only.
    """

    looked_s: float
    seen_s: float = 0.0
    missed_s: float = 0.0
    unseen_s: float = 0.0
    hidden_s: float = 0.0
    is_seen: bool = True
    is_hidden: bool = False

    def seen(self, now_s: float) -> "Visibility":
        """With a look that found it. If the look before did so too, the time between them is vouched for."""
        step_s = now_s - self.looked_s
        gained_s = step_s if self.is_seen else min(MOST_ABSENT_S, step_s)
        return Visibility(now_s, self.seen_s + gained_s, self.missed_s)

    def missed(self, now_s: float, *, is_hidden: bool) -> "Visibility":
        """With a look that did not."""
        step_s = min(MOST_ABSENT_S, now_s - self.looked_s)
        return Visibility(
            now_s,
            self.seen_s,
            self.missed_s + step_s,
            self.unseen_s + (0.0 if is_hidden else step_s),
            self.hidden_s + (step_s if is_hidden else 0.0),
            is_seen=False,
            is_hidden=is_hidden,
        )

    @property
    def share(self) -> float:
        """The share of the time in which it was seen; 1 at the first sighting."""
        watched_s = self.seen_s + self.missed_s
        return self.seen_s / watched_s if watched_s > 0 else 1.0

    def is_worth_keeping(self, unseen_s: float, seen_share: float) -> bool:
        """Whether it may still be there, and be seen in `seen_share` of the time before long.

        What was missed so often that the longest excusable absence does not explain it starts again from nothing:
        else an hour of traffic over a place would have to be outweighed by the vehicle that then stops there.
        """
        longest_s = unseen_s + MOST_HIDDEN_S
        owed_s = seen_share * (self.seen_s + self.missed_s) - self.seen_s
        return self.unseen_s <= unseen_s and self.hidden_s <= MOST_HIDDEN_S and owed_s <= seen_share * longest_s


def coverage(behind: Boxes, boxes: Boxes, common: Table) -> Table:
    """What share of each box behind (N, 4) each of the boxes (M, 4) covers as one that is nearer to the camera.

    `common` (N, M) are the areas both cover. On the ground what is nearer ends lower in the picture.
    """
    lowest = behind[:, 3] - SAME_DEPTH * (behind[:, 3] - behind[:, 1])
    nearer = boxes[None, :, 3] >= lowest[:, None]
    return np.asarray(np.where(nearer, common, 0.0) / np.maximum(areas(behind), 1e-12)[:, None], np.float64)


def surest(sightings: Sequence[Sighting], most: int) -> Sequence[Sighting]:
    """The `most` sightings with the best scores."""
    if len(sightings) <= most:
        return sightings
    return sorted(sightings, key=lambda each: -each.score)[:most]
