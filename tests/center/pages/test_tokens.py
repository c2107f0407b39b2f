"""The design system's colours, computed from the style sheet: legible in sunlight, light and dark."""

import re
from collections.abc import Mapping

import pytest

from center.pages.rendering import STATIC

SHEET = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
VALUE = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{6})\b")
TEXT, SIGN = 7.0, 3.0

GROUNDS = ("ground", "surface", "sunken")
PAIRS = [
    *((text, ground, TEXT) for text in ("ink", "ink-soft") for ground in GROUNDS),
    *(("brand", ground, TEXT) for ground in ("ground", "surface")),
    *((tone, f"{tone}-tint", TEXT) for tone in ("alarm", "warn", "good", "info", "quiet")),
    *((tone, "surface", TEXT) for tone in ("alarm", "warn", "good", "info")),
    ("ink", "good-tint", TEXT),
    ("ink", "warn-tint", TEXT),
    ("ink", "alarm-tint", TEXT),
    ("on-brand", "brand", TEXT),
    ("brand", "brand-tint", TEXT),
    ("ink", "map-ground", TEXT),
    ("ground", "ink", TEXT),
    *(("edge", ground, SIGN) for ground in GROUNDS),
    *(("focus", ground, SIGN) for ground in GROUNDS),
    *((f"map-{shape}", "map-ground", SIGN) for shape in ("plot", "plant", "grid", "view", "lead")),
]


def _schemes() -> Mapping[str, Mapping[str, str]]:
    light, _, dark = SHEET.partition("@media (prefers-color-scheme: dark)")
    values = dict(VALUE.findall(light))
    return {"light": values, "dark": values | dict(VALUE.findall(dark))}


def _luminance(colour: str) -> float:
    """Relative luminance: WCAG 2.2, definition."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio: WCAG 2.2, definition."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground", "least"), PAIRS)
def test_text_and_signs_stand_out_from_their_ground(scheme: str, text: str, ground: str, least: float) -> None:
    values = _schemes()[scheme]
    assert contrast(values[text], values[ground]) >= least, f"{text} {values[text]} on {ground} {values[ground]}"


def test_both_schemes_name_the_same_colours() -> None:
    light, _, dark = SHEET.partition("@media (prefers-color-scheme: dark)")
    assert set(dict(VALUE.findall(light))) == set(dict(VALUE.findall(dark)))


def test_style_sheets_use_only_tokens_that_exist() -> None:
    known = set(re.findall(r"^\s*--([\w-]+):", SHEET, re.MULTILINE))
    used = set()
    for sheet in (STATIC / "css").glob("*.css"):
        used |= set(re.findall(r"var\(--([\w-]+)\)", sheet.read_text(encoding="utf-8")))
    assert used <= known


def test_style_sheets_fetch_nothing_and_respect_those_who_want_no_motion() -> None:
    for sheet in (STATIC / "css").glob("*.css"):
        assert "url(" not in sheet.read_text(encoding="utf-8"), sheet.name
    assert "prefers-reduced-motion: reduce" in SHEET
