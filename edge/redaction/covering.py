"""Covering: the pixels of each place are replaced by one colour that is always the same.

Nothing of what was there goes into what is there: blurred or coarsened faces and plates can be told apart by who has
candidates to compare with (McPherson, Shokri and Shmatikov, Defeating Image Obfuscation with Deep Learning, 2016; Hill
et al., On the (In)effectiveness of Mosaicing and Blurring as Tools for Document Redaction, 2016), a plain area cannot.
Once it is written, the copy is read again and looked at: what cannot be shown to be covered is not handed out.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from alerts.messages import Box, FrameSize, Model
from alerts.redaction import MOST_PLACES, Covered, Redaction, What
from edge.errors import RedactionFailed
from edge.redaction.finding import Finder, Found
from edge.redaction.pictures import read_picture, write_picture
from models.letterbox import Pixels, size_of

FILL: Final = (0, 0, 0)
EDGE_PX: Final = 16
"""JPEG works in squares of 16 pixels: so far from the outside it reaches into a plain area."""

TOLERANCE: Final = 12
"""By so many of 255 the fill may differ after being written as a JPEG."""


def redact(data: bytes, by_hand: Sequence[Box], finder: Finder) -> tuple[bytes, Redaction]:
    """A copy of the picture in these bytes, faces, heads, plates and what was drawn by hand covered; and what was done.

    The same bytes and boxes give the same copy. Raises RedactionFailed, or ModelError.
    """
    picture = read_picture(data)
    width, height = size_of(picture)
    places = [*_drawn(by_hand, width, height), *_outermost([_told(found) for found in finder.find(picture)])]
    if len(places) > MOST_PLACES:
        raise RedactionFailed(f"{len(places)} places would have to be covered: this picture is not to be shown at all")
    coarse = finder.coarse(picture)
    for place in places:
        _fill(picture, place.box)
    copy = write_picture(picture)
    _look_again(copy, picture, places)
    return copy, Redaction(
        original_sha256=hashlib.sha256(data).hexdigest(),
        copy_sha256=hashlib.sha256(copy).hexdigest(),
        size_bytes=len(copy),
        frame=FrameSize(width=width, height=height),
        covered=tuple(places),
        models={what: Model(name=card.name, sha256=card.sha256) for what, card in finder.cards.items()},
        coarse=coarse,
    )


def _drawn(boxes: Sequence[Box], width: int, height: int) -> list[Covered]:
    """What a person drew, as far as it lies in the picture. Raises RedactionFailed for what lies beside it."""
    covered = []
    for box in boxes:
        left, top = max(0, box.x), max(0, box.y)
        right, bottom = min(width, box.x + box.width), min(height, box.y + box.height)
        if right <= left or bottom <= top:
            drawn = f"{box.x},{box.y},{box.width},{box.height}"
            raise RedactionFailed(f"the box {drawn} covers nothing of this picture of {width} by {height} pixels")
        inside = Box(x=left, y=top, width=right - left, height=bottom - top)
        covered.append(Covered(what=What.BY_HAND, box=inside))
    return covered


def _outermost(places: Sequence[Covered]) -> list[Covered]:
    """Without those that lie within another: parts of a near face look like faces and add nothing."""
    by_size = sorted(places, key=lambda each: each.box.width * each.box.height, reverse=True)
    kept: list[Covered] = []
    for place in by_size:
        if not any(_is_within(place.box, other.box) for other in kept):
            kept.append(place)
    return kept


def _is_within(inner: Box, outer: Box) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def _told(found: Found) -> Covered:
    left, top, right, bottom = found.corners
    return Covered(
        what=found.what,
        box=Box(x=left, y=top, width=right - left, height=bottom - top),
        score_permille=min(1000, round(found.score * 1000)),
    )


def _fill(picture: Pixels, box: Box) -> None:
    picture[box.y : box.y + box.height, box.x : box.x + box.width] = FILL


def _look_again(copy: bytes, picture: Pixels, places: Sequence[Covered]) -> None:
    """Read the copy as anybody will and compare it. Raises RedactionFailed."""
    written = cv2.imdecode(np.frombuffer(copy, np.uint8), cv2.IMREAD_COLOR)
    if written is None or written.shape != picture.shape:
        raise RedactionFailed("the copy cannot be read again; it is not handed out")
    for place in places:
        box = place.box
        right, bottom = max(0, box.x + box.width - EDGE_PX), max(0, box.y + box.height - EDGE_PX)
        inside = written[box.y + EDGE_PX : bottom, box.x + EDGE_PX : right]
        if inside.size and int(np.abs(inside.astype(np.int16) - np.array(FILL)).max()) > TOLERANCE:
            raise RedactionFailed("a place is not covered in the copy as it was written; it is not handed out")
