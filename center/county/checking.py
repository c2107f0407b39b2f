"""A folder with a county's two files, checked whole before anything is registered: one clear line for each mistake."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from alerts.errors import YamlMistake
from alerts.strict_yaml import read_yaml
from center.county.files import COUNTY_FILE, GROUND_FILE, County, Shapes, shapes_of
from center.county.mistakes import describe, offer
from center.county.references import county_mistakes, ground_mistakes
from center.errors import CountyInvalid
from traceability.errors import BadPolygon
from traceability.geometry import EAST_MAX_DEG, NORTH_MAX_DEG, read_polygon

PLACED = ("plot", "plant", "grid", "camera")
START = "teawatch center register --example {folder} writes one to begin with"


def read_folder(folder: Path, *, now: datetime) -> tuple[County, Shapes]:
    """The county of a folder; its moments count from `now`. Raises CountyInvalid with every mistake that was found."""
    county, shapes = None, None
    mistakes: list[str] = []
    try:
        county = _read_county(_text(folder, COUNTY_FILE))
    except CountyInvalid as error:
        mistakes += error.problems
    try:
        shapes = _read_ground(_text(folder, GROUND_FILE))
    except CountyInvalid as error:
        mistakes += error.problems
    if county:
        mistakes += [f"{COUNTY_FILE}: {mistake}" for mistake in county_mistakes(county, now)]
    if county and shapes is not None:
        mistakes += [f"{GROUND_FILE}: {mistake}" for mistake in ground_mistakes(county, shapes)]
    if mistakes or county is None or shapes is None:
        raise CountyInvalid(*mistakes)
    return county, shapes


def _text(folder: Path, name: str) -> str:
    path = folder / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        why = (error.strerror or "unknown reason").lower()
        raise CountyInvalid(f"{path}: cannot be read ({why}); {START.format(folder=folder)}") from None
    except UnicodeDecodeError:
        raise CountyInvalid(f"{path}: is no text in UTF-8") from None


def _read_county(text: str) -> County:
    try:
        data = read_yaml(text.encode())
    except YamlMistake as error:
        raise CountyInvalid(f"{COUNTY_FILE}: {error}") from None
    if not isinstance(data, dict):
        raise CountyInvalid(f"{COUNTY_FILE}: expected keys and values ({', '.join(County.model_fields)})")
    try:
        return County.model_validate(data)
    except ValidationError as error:
        raise CountyInvalid(*(f"{COUNTY_FILE}: {line}" for line in describe(error, data, County))) from None


def _read_ground(text: str) -> Shapes:
    try:
        ground = json.loads(text)
    except ValueError as error:
        raise CountyInvalid(f"{GROUND_FILE}: {error}") from None
    except RecursionError:
        raise CountyInvalid(f"{GROUND_FILE}: nested too deeply") from None
    features = ground.get("features") if isinstance(ground, dict) else None
    if not isinstance(features, list):
        raise CountyInvalid(f"{GROUND_FILE}: is no GeoJSON FeatureCollection with a list of features")
    seen: set[tuple[object, object]] = set()
    mistakes = []
    for number, feature in enumerate(features, start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict) or not isinstance(properties.get("id"), str):
            mistakes.append(f"feature {number}: needs properties with kind and id")
            continue
        kind, name = properties.get("kind"), properties["id"]
        if kind not in PLACED:
            mistakes.append(f"feature {number} ({name}): no kind {kind!r}{offer(str(kind), PLACED)}")
            continue
        mistakes += [f"{kind} {name}: {mistake}" for mistake in _shape_mistakes(kind, feature, properties)]
        if (kind, name) in seen:
            mistakes.append(f"{kind} {name}: stands twice")
        seen.add((kind, name))
    if mistakes:
        raise CountyInvalid(*(f"{GROUND_FILE}: {mistake}" for mistake in mistakes))
    return shapes_of(ground)


def _shape_mistakes(kind: str, feature: dict[str, Any], properties: dict[str, Any]) -> Iterator[str]:
    try:
        read_polygon(feature.get("geometry") or {})
    except (BadPolygon, AttributeError) as error:
        yield str(error)
    if kind == "camera" and not _is_place(properties.get("stands_at")):
        yield "stands_at must be [longitude, latitude] of its post, in degrees"


def _is_place(value: object) -> bool:
    pair = value if isinstance(value, list) else []
    numbers = [number for number in pair if isinstance(number, int | float) and not isinstance(number, bool)]
    return len(pair) == len(numbers) == 2 and abs(pair[0]) <= EAST_MAX_DEG and abs(pair[1]) <= NORTH_MAX_DEG  # noqa: PLR2004 - longitude, latitude
