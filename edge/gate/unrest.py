"""What moves for long and is nothing: rain in infra-red light, insects at the lens, leaves around a parked car.

A scene gets used to what moves in one place. What moves everywhere can only be given less and less attention: each time
the detector was shown it in vain, motion alone wakes the camera no more for a while, twice as long as the last time.
Meanwhile the detector looks now and then, and one look that finds something moving ends the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from edge.boxes import Box, overlap
from edge.gate.scene import Motion

LONGEST_REST_S = 300.0
FORGOTTEN_S = 900.0
"""Calm or worthwhile for so long after a rest, the next one is short again."""

SAME_PLACE = 0.8
"""Boxes that overlap by so much are one thing that stands."""

NOTE_EVERY_S = 1.0


@dataclass(slots=True)
class _Standing:
    box: Box
    since_s: float


class Unrest:
    """What one camera was woken for in vain; all times are stream time in seconds."""

    def __init__(self, fruitless_s: float) -> None:
        """What stands for `fruitless_s` is no reason that something moves there."""
        self._fruitless_s = fruitless_s
        self._rest_s = fruitless_s
        self._until_s = float("-inf")
        self._standing: list[_Standing] = []
        self._noted_s = float("-inf")

    def is_resting(self, at_s: float) -> bool:
        """Whether motion alone is no reason to wake."""
        return at_s < self._until_s

    def begin_rest(self, at_s: float) -> None:
        """The detector looked in vain for long."""
        if at_s - self._until_s > FORGOTTEN_S:
            self._rest_s = self._fruitless_s
        self._until_s = at_s + self._rest_s
        self._rest_s = min(LONGEST_REST_S, 2 * self._rest_s)

    def end(self) -> None:
        """Something that matters moved."""
        self._until_s = float("-inf")
        self._rest_s = self._fruitless_s

    def explains(self, boxes: Iterable[Box], motion: Motion, at_s: float) -> bool:
        """Whether something that did not stand there all the time is where it moves."""
        boxes = list(boxes)
        if at_s - self._noted_s >= NOTE_EVERY_S or at_s < self._noted_s:
            self._note(boxes, at_s)
        return any(motion.touches(*box) and not self._has_stood(box, at_s) for box in boxes)

    def _note(self, boxes: Iterable[Box], at_s: float) -> None:
        self._noted_s = at_s
        self._standing = [
            next((each for each in self._standing if overlap(each.box, box) >= SAME_PLACE), _Standing(box, at_s))
            for box in boxes
        ]

    def _has_stood(self, box: Box, at_s: float) -> bool:
        return any(
            at_s - each.since_s >= self._fruitless_s and overlap(each.box, box) >= SAME_PLACE for each in self._standing
        )
