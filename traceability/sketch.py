"""Plots drawn as a small picture: outlines to scale, north up, with a bar of so many metres. No map service needed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shapely.geometry import Polygon

METRES_PER_DEGREE = 111_320.0  # of latitude, and of longitude at the equator: near enough for a drawing
NICE_BARS_M = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
MARGIN = 18.0
BAR_SHARE = 0.3


class Outline(NamedTuple):
    """One plot: an SVG path, and where its name stands."""

    name: str
    path: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Sketch:
    """A drawing `width` by `height` units; `bar` units are `bar_m` metres on the ground."""

    width: int
    height: int
    outlines: tuple[Outline, ...]
    bar: float
    bar_m: int


def draw(plots: Sequence[tuple[str, Polygon]], *, width: int = 360, height: int = 200) -> Sketch | None:
    """The plots together, as large as they fit; None where there are none."""
    if not plots:
        return None
    west = min(shape.bounds[0] for _, shape in plots)
    south = min(shape.bounds[1] for _, shape in plots)
    east = max(shape.bounds[2] for _, shape in plots)
    north = max(shape.bounds[3] for _, shape in plots)
    shrink = math.cos(math.radians((south + north) / 2))
    across_m = max((east - west) * METRES_PER_DEGREE * shrink, 1.0)
    down_m = max((north - south) * METRES_PER_DEGREE, 1.0)
    scale = min((width - 2 * MARGIN) / across_m, (height - 3 * MARGIN) / down_m)
    left, top = (width - across_m * scale) / 2, (height - MARGIN - down_m * scale) / 2

    def place(longitude: float, latitude: float) -> tuple[float, float]:
        x = left + (longitude - west) * METRES_PER_DEGREE * shrink * scale
        return round(x, 1), round(top + (north - latitude) * METRES_PER_DEGREE * scale, 1)

    outlines = []
    for name, shape in plots:
        corners = [place(*corner[:2]) for corner in shape.exterior.coords[:-1]]
        spot = shape.representative_point()
        outlines.append(Outline(name, "M" + "L".join(f"{x} {y}" for x, y in corners) + "Z", *place(spot.x, spot.y)))
    bar_m = max((bar for bar in NICE_BARS_M if bar * scale <= width * BAR_SHARE), default=NICE_BARS_M[0])
    return Sketch(width, height, tuple(outlines), round(bar_m * scale, 1), bar_m)
