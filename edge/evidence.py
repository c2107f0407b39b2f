"""Evidence: the analysed picture, sealed as it was seen, and a copy with the zone and the objects drawn in.

The sealed picture is a JPEG of exactly the frame the detector saw; its hash is in the `opened` alert. The annotated
copy is drawn on that very JPEG, so it can be made again after a power cut. Letters are OpenCV's own, Latin only: names
in the configuration are ASCII, and no font has to be installed on a box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge.boxes import Box, Point
from streams.frames import Picture

JPEG_QUALITY = 90
JPEG = "image/jpeg"

ZONE_COLOUR = (36, 168, 255)
OBJECT_COLOUR = (60, 60, 240)
INK = (255, 255, 255)
SHADE = (40, 30, 20)
FONT = cv2.FONT_HERSHEY_SIMPLEX
SMALLEST = 0.2


@dataclass(frozen=True, slots=True)
class Label:
    """An object to be drawn, in shares of the picture."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What to draw on which sealed picture."""

    picture_sha256: str
    incident: str
    camera: str
    title: str
    zone: tuple[Point, ...]
    labels: tuple[Label, ...]


def seal_picture(picture: Picture) -> bytes:
    """The JPEG of a picture (H, W, 3), blue, green, red."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot become a JPEG")
    return data.tobytes()


def annotate(jpeg: bytes, work: Annotation) -> bytes:
    """A JPEG with zone, boxes, labels and a title strip drawn on the sealed picture.

    Raises ValueError if the sealed bytes are no picture.
    """
    picture = _tinted(_decoded(jpeg, work), work)
    height, width = picture.shape[:2]
    stroke, size = _stroke_px(width), max(0.45, width / 1600)
    for label in work.labels:
        left, top, right, bottom = _pixels(label.box, width, height)
        cv2.rectangle(picture, (left, top), (right, bottom), OBJECT_COLOUR, stroke, cv2.LINE_AA)
        _write(picture, label.text, (left, top), size, OBJECT_COLOUR)
    _write(picture, _latin(work.title), (0, height), size, SHADE)
    return seal_picture(picture)


def _decoded(jpeg: bytes, work: Annotation) -> Picture:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"the sealed picture {work.picture_sha256} is no JPEG")
    return picture.astype(np.uint8, copy=False)


def _tinted(picture: Picture, work: Annotation) -> Picture:
    """The picture with the zone lightly filled and outlined."""
    height, width = picture.shape[:2]
    outline = np.array([[round(x * (width - 1)), round(y * (height - 1))] for x, y in work.zone], np.int32)
    filled = picture.copy()
    cv2.fillPoly(filled, [outline], ZONE_COLOUR)
    tinted = cv2.addWeighted(filled, 0.18, picture, 0.82, 0).astype(np.uint8, copy=False)
    cv2.polylines(tinted, [outline], isClosed=True, color=ZONE_COLOUR, thickness=_stroke_px(width))
    return tinted


def _stroke_px(width: int) -> int:
    return max(1, round(width / 500))


def _write(picture: Picture, text: str, corner: tuple[int, int], size: float, shade: Sequence[int]) -> None:
    """Text on a filled strip whose lower left corner is `corner`, moved so that it stays in the picture."""
    height, width = picture.shape[:2]
    thickness = 1 if size < 1 else 2
    (text_width, text_height), below = cv2.getTextSize(text, FONT, size, thickness)
    while text_width + 6 > width and size > SMALLEST:
        size *= 0.95
        (text_width, text_height), below = cv2.getTextSize(text, FONT, size, thickness)
    left = max(0, min(corner[0], width - text_width - 4))
    bottom = min(height, max(corner[1], text_height + below + 4))
    cv2.rectangle(picture, (left, bottom - text_height - below - 4), (left + text_width + 4, bottom), shade, cv2.FILLED)
    cv2.putText(picture, text, (left + 2, bottom - below - 1), FONT, size, INK, thickness, cv2.LINE_AA)


def _pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    return (
        round(box.left * width),
        round(box.top * height),
        min(width - 1, round(box.right * width)),
        min(height - 1, round(box.bottom * height)),
    )


def _latin(text: str) -> str:
    return text.encode("ascii", "replace").decode()
