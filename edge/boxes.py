"""Rectangles in shares of the picture: the one measure that tracking, zones, rules and incidents speak.

0..1 from left to right and from top to bottom, so that a camera whose resolution changes needs no new configuration.
Overlap of two boxes is the same in shares as in pixels.
"""

from typing import NamedTuple


class Point(NamedTuple):
    """A place in the picture, in shares of its width and height."""

    x: float
    y: float


class Box(NamedTuple):
    """An upright rectangle in shares of the picture's width and height."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Share of the picture's width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Share of the picture's height."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Share of the picture's area, 0 for a box turned inside out."""
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def centre(self) -> Point:
        """The middle."""
        return Point((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    @property
    def foot(self) -> Point:
        """Where whatever stands upright in the box touches the ground: the middle of its lower edge."""
        return Point((self.left + self.right) / 2, self.bottom)

    def moved(self, right: float, down: float) -> "Box":
        """The same box elsewhere."""
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def mixed(self, other: "Box", share: float) -> "Box":
        """This box drawn towards another by `share` (0: this one, 1: the other)."""
        return Box(*(mine + share * (theirs - mine) for mine, theirs in zip(self, other, strict=True)))


def common_area(one: Box, other: Box) -> float:
    """Area that both cover."""
    return Box(
        max(one.left, other.left),
        max(one.top, other.top),
        min(one.right, other.right),
        min(one.bottom, other.bottom),
    ).area


def overlap(one: Box, other: Box) -> float:
    """Intersection over union: 1 for the same box, 0 for boxes that do not touch.

    >>> overlap(Box(0, 0, 0.2, 0.2), Box(0, 0.1, 0.2, 0.3))
    0.3333333333333333
    """
    common = common_area(one, other)
    union = one.area + other.area - common
    return common / union if union > 0 else 0.0
