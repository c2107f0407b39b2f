"""The cover sheet in Chinese: what a court's or an office's clerk files, on paper, with the bundle's fingerprints.

The same content gives the same bytes. The font lies beside this module: a machine needs none installed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import typst

FOLDER: Final = Path(__file__).parent
PDF_STANDARD: Final = "a-2b"


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table of names and values; `head` where its columns have names."""

    title: str
    rows: Sequence[Sequence[str]]
    head: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Lines:
    """Titled lines."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cover:
    """Everything on the sheet, in the words it is printed with."""

    title: str
    under: str
    facts: Table
    reasons: Lines
    files: Table
    seals: Table
    check: Lines
    signatures: Sequence[str]


def print_cover(cover: Cover, at: datetime) -> bytes:
    """The sheet as PDF/A, made `at` (aware)."""
    printed = typst.compile(
        FOLDER / "cover.typ",
        font_paths=[FOLDER],
        sys_inputs={"data": json.dumps(asdict(cover), ensure_ascii=False)},
        pdf_standards=PDF_STANDARD,
        timestamp=int(at.timestamp()),
    )
    if not isinstance(printed, bytes):
        raise TypeError("a sheet is one file")
    return printed
