"""Areas on the ellipsoid and what counts as a boundary."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, box

from traceability.errors import BadPolygon
from traceability.geometry import ECCENTRICITY_2, SEMI_MAJOR_M, area_m2, bounds_e7, read_polygon


def ring(*corners: tuple[float, float]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}


def zone_m2(width_deg: float, south_deg: float, north_deg: float) -> float:
    """The exact area between two meridians and two parallels (Snyder 1987, eq. 3-12: the authalic q)."""
    e = math.sqrt(ECCENTRICITY_2)

    def q(latitude_deg: float) -> float:
        sine = math.sin(math.radians(latitude_deg))
        return (1 - e**2) * (sine / (1 - e**2 * sine**2) - 1 / (2 * e) * math.log((1 - e * sine) / (1 + e * sine)))

    return math.radians(width_deg) * SEMI_MAJOR_M**2 / 2 * (q(north_deg) - q(south_deg))


@given(st.floats(-179, 178), st.floats(-80, 79.9), st.floats(0.001, 0.01), st.floats(0.001, 0.01))
def test_a_small_cell_has_the_area_that_the_ellipsoid_gives_it_wherever_it_lies(
    west: float, south: float, width: float, height: float
) -> None:
    exact = zone_m2(width, south, south + height)
    assert area_m2(box(west, south, west + width, south + height)) == pytest.approx(exact, rel=1e-5, abs=1)


def test_a_unit_grid_of_a_hundred_metres_is_ten_thousand_square_metres() -> None:
    height = 100 / 110_826  # metres a degree of latitude at 28.45 N
    width = 100 / 97_960  # and of longitude
    assert area_m2(box(119.46, 28.45, 119.46 + width, 28.45 + height)) == pytest.approx(10_000, rel=2e-3)


def test_a_hole_is_not_counted_and_a_line_has_no_area() -> None:
    whole, hole = box(119, 28, 119.01, 28.01), box(119.002, 28.002, 119.004, 28.004)
    assert area_m2(whole.difference(hole)) == pytest.approx(area_m2(whole) - area_m2(hole), abs=1)
    assert area_m2(LineString([(119, 28), (119.01, 28.01)])) == 0


@pytest.mark.parametrize(
    ("geojson", "said"),
    [
        ({"type": "Point", "coordinates": [119, 28]}, "GeoJSON Polygon"),
        ({"type": "Polygon", "coordinates": []}, "no corners"),
        ({"type": "Polygon", "coordinates": [[[119, 28], [119.1, 28]]]}, "cannot be read"),
        ({"type": "Polygon", "coordinates": "here"}, "cannot be read"),
        ({"type": "Polygon"}, "cannot be read"),
        (ring((119, 28), (119.1, 28.1), (119.1, 28), (119, 28.1)), "not a simple polygon"),
        (ring((119, 28), (119.1, 28), (119.2, 28)), "not a simple polygon"),
        (ring((28, 119), (28.1, 119), (28.1, 119.1)), "leaves the earth"),
    ],
)
def test_what_is_no_boundary_is_refused_in_words(geojson: dict[str, object], said: str) -> None:
    with pytest.raises(BadPolygon, match=said):
        read_polygon(geojson)


def test_bounds_are_rounded_outwards() -> None:
    assert bounds_e7(box(119.00000001, 28.00000001, 119.00000009, 28.00000009)) == (
        1190000000,
        280000000,
        1190000001,
        280000001,
    )
