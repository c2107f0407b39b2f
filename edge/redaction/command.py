"""`teawatch edge redact`: one picture in, one redacted copy out, or nothing."""

import os
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import cv2

from alerts.messages import Box
from alerts.redaction import MOST_BY_HAND, Redaction, What
from edge.errors import RedactionFailed
from edge.redaction.covering import redact
from edge.redaction.finding import Finder
from edge.redaction.pictures import MOST_BYTES

BOX: Final = re.compile(r"(-?\d{1,6}),(-?\d{1,6}),(\d{1,6}),(\d{1,6})")

NAMES: Final = {
    What.FACE: "faces",
    What.HEAD: "heads of people",
    What.PLATE: "number plates",
    What.BY_HAND: "drawn by hand",
}


def redact_file(source: Path, target: Path, boxes: Sequence[str]) -> Redaction:
    """Write the redacted copy of a picture to `target`, where nothing may be yet. What was done.

    The file appears whole or not at all. Raises RedactionFailed, ModelError or OSError.
    """
    drawn = [_box_of(text) for text in boxes]
    if len(drawn) > MOST_BY_HAND:
        raise RedactionFailed(f"{len(drawn)} boxes are too many; at most {MOST_BY_HAND}")
    if target.exists():
        raise RedactionFailed(f"{target} is there already; an old copy must not pass for a new one")
    data = _read(source)
    cv2.setNumThreads(1)
    try:
        copy, told = redact(data, drawn, Finder.load())
    except (cv2.error, MemoryError, RuntimeError) as error:  # of OpenCV and of a network that is run
        raise RedactionFailed(f"the picture could not be looked at: {error or type(error).__name__}") from error
    _write(copy, target)
    return told


def summary(told: Redaction) -> str:
    """For a person at a terminal."""
    counts = Counter(place.what for place in told.covered)
    found = ", ".join(f"{NAMES[what]} {counts[what]}" for what in What if counts[what])
    coarse = ", ".join(NAMES[what] for what in told.coarse)
    small = f" So large a picture was not searched for small ones: {coarse}." if coarse else ""
    look = "Look at the copy before it goes anywhere: faces are missed now and then."
    return f"covered: {found or 'nothing'}.{small} {look}"


def _box_of(text: str) -> Box:
    match = BOX.fullmatch(text.strip())
    if match is None:
        raise RedactionFailed(f"{text[:40]!r} is no box; write x,y,w,h in pixels, for example 120,40,64,64")
    x, y, width, height = (int(each) for each in match.groups())
    return Box(x=x, y=y, width=width, height=height)


def _read(source: Path) -> bytes:
    """No more of it than a picture may have."""
    with source.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _write(data: bytes, target: Path) -> None:
    passing = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with passing.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(passing, target)  # unlike a renaming, never over what somebody else put there meanwhile
    except FileExistsError:
        raise RedactionFailed(f"{target} is there already; an old copy must not pass for a new one") from None
    finally:
        with suppress(OSError):
            passing.unlink()
