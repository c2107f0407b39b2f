"""Plots, plants, grids and camera views as polygons on the WGS-84 ellipsoid, and their areas in square metres.

Polygons come and go as GeoJSON (RFC 7946: longitude, latitude in degrees). Areas use the ellipsoidal sinusoidal
projection about the polygon's own meridian, which keeps areas exactly: Snyder, Map Projections: A Working Manual
(USGS Professional Paper 1395, 1987), equations 30-8, 30-9 and 3-21.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from traceability.errors import BadPolygon

# WGS-84: semi-major axis in metres and the square of the first eccentricity (NIMA TR8350.2).
SEMI_MAJOR_M = 6_378_137.0
ECCENTRICITY_2 = 0.00669437999014

Floats = NDArray[np.float64]

UNITS_PER_DEGREE = 10_000_000
EAST_MAX_DEG, NORTH_MAX_DEG = 180, 90


class Bounds(NamedTuple):
    """A box of longitudes and latitudes in units of 1e-7 degree, for the database to narrow a search with."""

    west_e7: int
    south_e7: int
    east_e7: int
    north_e7: int


def read_polygon(geojson: Mapping[str, Any]) -> Polygon:
    """A shapely polygon from a GeoJSON geometry of type Polygon.

    Raises:
        BadPolygon: anything else, or a polygon that crosses itself, leaves the earth or has no area.
    """
    if geojson.get("type") != "Polygon":
        raise BadPolygon(f"a boundary is a GeoJSON Polygon, not {geojson.get('type')!r}")
    try:
        polygon = shape(dict(geojson))
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, shapely.errors.ShapelyError) as error:
        raise BadPolygon(f"the boundary cannot be read: {error}") from error
    if not isinstance(polygon, Polygon) or polygon.is_empty:
        raise BadPolygon("the boundary has no corners")
    if not polygon.is_valid:
        raise BadPolygon(f"the boundary is not a simple polygon: {explain_validity(polygon)}")
    west, south, east, north = polygon.bounds
    if max(-west, east) > EAST_MAX_DEG or max(-south, north) > NORTH_MAX_DEG:
        raise BadPolygon("the boundary leaves the earth: longitude and latitude in degrees are expected, in that order")
    return polygon


def bounds_e7(polygon: Polygon) -> Bounds:
    """The polygon's box, rounded outwards."""
    west, south, east, north = polygon.bounds
    return Bounds(
        math.floor(west * UNITS_PER_DEGREE),
        math.floor(south * UNITS_PER_DEGREE),
        math.ceil(east * UNITS_PER_DEGREE),
        math.ceil(north * UNITS_PER_DEGREE),
    )


def area_m2(ground: BaseGeometry) -> int:
    """Area on the ellipsoid in whole square metres; zero for points, lines and nothing."""
    if ground.is_empty:
        return 0
    west, _, east, _ = ground.bounds
    flat: BaseGeometry = shapely.transform(ground, lambda corners: _project(corners, (west + east) / 2))
    return round(flat.area)


def _project(corners_deg: Floats, meridian_deg: float) -> Floats:
    """Corners (N,2), longitude and latitude in degrees, to metres east of a meridian and north of the equator."""
    longitude, latitude = np.radians(corners_deg[:, 0] - meridian_deg), np.radians(corners_deg[:, 1])
    shrink = np.cos(latitude) / np.sqrt(1 - ECCENTRICITY_2 * np.sin(latitude) ** 2)
    return np.column_stack((SEMI_MAJOR_M * longitude * shrink, _meridian_arc_m(latitude)))


def _meridian_arc_m(latitude: Floats) -> Floats:
    """Distance along a meridian from the equator, in metres (Snyder 3-21)."""
    e2 = ECCENTRICITY_2
    e4, e6 = e2**2, e2**3
    arc: Floats = SEMI_MAJOR_M * (
        (1 - e2 / 4 - 3 * e4 / 64 - 5 * e6 / 256) * latitude
        - (3 * e2 / 8 + 3 * e4 / 32 + 45 * e6 / 1024) * np.sin(2 * latitude)
        + (15 * e4 / 256 + 45 * e6 / 1024) * np.sin(4 * latitude)
        - (35 * e6 / 3072) * np.sin(6 * latitude)
    )
    return arc
