"""Zones: polygons that the technician draws in shares of the picture, and what lies inside them."""

from collections.abc import Sequence

import numpy as np
import shapely

from edge.boxes import Box, Point, common_area

MIN_CORNERS = 3
# A foot at or below the picture's lower edge belongs to a zone that reaches down to it.
_JUST_INSIDE = 1e-6


class Zone:
    """A named polygon. Corners are shares of width and height, from the upper left corner of the picture."""

    def __init__(self, id: str, polygon: Sequence[tuple[float, float]]) -> None:  # noqa: A002 - its name in the configuration
        """Raises ValueError, one line, for what is no polygon inside the picture: see `polygon_problem`."""
        problem = polygon_problem(polygon)
        if problem:
            raise ValueError(problem)
        self.id = id
        self.polygon = tuple(Point(x, y) for x, y in polygon)
        self._shape = shapely.Polygon(self.polygon)
        shapely.prepare(self._shape)
        self._bounds = Box(*self._shape.bounds)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same zone: a configuration that is read again changes no rule that it leaves as it was."""
        return isinstance(other, Zone) and (self.id, self.polygon) == (other.id, other.polygon)

    def __hash__(self) -> int:
        """Equal zones are one."""
        return hash((self.id, self.polygon))

    def holds(self, point: Point) -> bool:
        """Whether the point is inside; a point outside the picture counts as the nearest one on its edge."""
        return bool(self.holds_each([point])[0])

    def holds_each(self, points: Sequence[Point]) -> list[bool]:
        """The same for each of many."""
        if not points:
            return []
        places = np.clip(np.array(points, np.float64), _JUST_INSIDE, 1 - _JUST_INSIDE)
        return list(map(bool, shapely.intersects_xy(self._shape, places[:, 0], places[:, 1])))

    def shares_of(self, boxes: Sequence[Box]) -> list[float]:
        """How much of each box lies inside, 0..1: most lie wholly inside or wholly outside, which is cheap to say."""
        near = [at for at, box in enumerate(boxes) if common_area(self._bounds, box) > 0]
        shares = [0.0] * len(boxes)
        if not near:
            return shares
        sides = np.array([boxes[at] for at in near], np.float64)
        shapes = shapely.box(sides[:, 0], sides[:, 1], sides[:, 2], sides[:, 3])
        for at, shape, is_inside in zip(near, shapes, shapely.contains(self._shape, shapes), strict=True):
            share = 1.0 if is_inside else shapely.area(shapely.intersection(self._shape, shape)) / boxes[at].area
            shares[at] = min(1.0, float(share))
        return shares


def polygon_problem(polygon: Sequence[tuple[float, float]]) -> str:
    """What is wrong with a polygon, in one line; empty if nothing is."""
    if len(set(polygon)) < MIN_CORNERS:
        return f"a zone needs at least {MIN_CORNERS} different corners, this one has {len(set(polygon))}"
    outside = [corner for corner in polygon if not all(0 <= value <= 1 for value in corner)]
    if outside:
        return (
            f"corner {list(outside[0])} is outside the picture; corners are shares of its width and height, 0 to 1"
            " (pixels divided by width and height)"
        )
    shape = shapely.Polygon(polygon)
    if shape.convex_hull.area <= 0:
        return "the zone has no area; its corners lie on one line"
    if not shape.is_valid:
        return f"the outline crosses itself ({shapely.is_valid_reason(shape)}); list the corners in order around it"
    return ""
