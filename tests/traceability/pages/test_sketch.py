"""The drawing of plots: to scale, north up, inside its frame."""

import re

import pytest
from shapely.geometry import Polygon

from traceability.sketch import draw

SQUARE_100_M = Polygon([(119.45, 28.47), (119.451022, 28.47), (119.451022, 28.470898), (119.45, 28.470898)])


def corners(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


def test_nothing_to_draw_is_no_drawing() -> None:
    assert draw([]) is None


def test_every_corner_lies_inside_the_frame() -> None:
    sketch = draw([("a", SQUARE_100_M)], width=300, height=180)
    assert sketch is not None
    for x, y in corners(sketch.outlines[0].path):
        assert 0 <= x <= 300
        assert 0 <= y <= 180


def test_a_square_on_the_ground_is_a_square_in_the_drawing_and_the_bar_fits_it() -> None:
    sketch = draw([("a", SQUARE_100_M)])
    assert sketch is not None
    points = corners(sketch.outlines[0].path)
    across = max(x for x, _ in points) - min(x for x, _ in points)
    down = max(y for _, y in points) - min(y for _, y in points)
    assert across == pytest.approx(down, rel=0.02)
    assert sketch.bar / sketch.bar_m == pytest.approx(across / 100, rel=0.02)


def test_north_is_up_and_east_is_right() -> None:
    north = Polygon([(x, y + 0.002) for x, y in SQUARE_100_M.exterior.coords])
    east = Polygon([(x + 0.002, y) for x, y in SQUARE_100_M.exterior.coords])
    sketch = draw([("here", SQUARE_100_M), ("north", north), ("east", east)])
    assert sketch is not None
    here, above, right = sketch.outlines
    assert above.y < here.y
    assert right.x > here.x
