import pytest

from edge.boxes import Box, Point
from edge.zones import Zone, polygon_problem

SQUARE = [(0.2, 0.2), (0.6, 0.2), (0.6, 1.0), (0.2, 1.0)]


@pytest.mark.parametrize(
    ("polygon", "problem"),
    [
        ([(0, 0), (1, 1)], "at least 3 different corners, this one has 2"),
        ([(0, 0), (1, 1), (0, 0)], "at least 3 different corners, this one has 2"),
        ([(0, 0), (1.2, 0), (1, 1)], "corner [1.2, 0] is outside the picture"),
        ([(0, 0), (640, 0), (640, 480)], "corner [640, 0] is outside the picture"),
        ([(-0.1, 0), (1, 0), (1, 1)], "outside the picture"),
        ([(0, 0), (1, 1), (1, 0), (0, 1)], "crosses itself"),
        ([(0, 0), (0.5, 0.5), (1, 1)], "no area"),
    ],
)
def test_a_polygon_that_is_none_is_refused_with_what_is_wrong(polygon: list[tuple[float, float]], problem: str) -> None:
    assert problem in polygon_problem(polygon)
    with pytest.raises(ValueError, match=r"corner|crosses|area"):
        Zone("z", polygon)


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        ((0.4, 0.5), True),
        ((0.1, 0.5), False),
        ((0.2, 0.5), True),  # on the outline
        ((0.4, 1.0), True),  # feet on the picture's lower edge
        ((0.4, 1.1), True),  # a box that reaches below the picture
        ((0.4, 0.1), False),
    ],
)
def test_a_zone_knows_which_points_it_holds(point: tuple[float, float], inside: bool) -> None:
    assert Zone("z", SQUARE).holds(Point(*point)) is inside


@pytest.mark.parametrize(
    ("box", "share"),
    [
        (Box(0.3, 0.3, 0.4, 0.4), 1.0),
        (Box(0.1, 0.3, 0.3, 0.4), 0.5),
        (Box(0.7, 0.3, 0.8, 0.4), 0.0),
        (Box(0.3, 0.3, 0.3, 0.4), 0.0),
    ],
)
def test_a_zone_measures_how_much_of_a_box_lies_inside(box: Box, share: float) -> None:
    assert Zone("z", SQUARE).shares_of([box]) == [pytest.approx(share)]
