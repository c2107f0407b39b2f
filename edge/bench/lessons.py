"""What the bench's network learns from: pictures of the clip itself, labelled by the network that ships.

Speed is what is compared, so the labels need not be right, only plentiful: suppression and tracking then have as much
to do as on a street.
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from edge.bench.clips import HEIGHT_PX, WIDTH_PX
from models.cards import load_card
from models.detections import Detections
from models.detector import Detector

TEACHER = "yolov3_tiny"
PICTURES = 80
TILE_PX = 320
SIZES_PX = (320, 640)
PAD = 114
LEAST_SCORE = 0.2
LEAST_SIDE_PX = 4
LEAST_SHARE = 0.5
"""Of an object cut by the edge of a tile at least so much must be left to count."""


def write_lessons(source: Path, folder: Path, pictures: int = PICTURES) -> Path:
    """Pictures and labels as YOLO lays them out; the path of the description that training reads.

    Each picture twice, both 320 px square: whole, as the network of 320 px will see it, and a tile of it as large as
    the network of 640 px will see it. So one cheap training serves both sizes. How good it becomes is not asked: the
    library wants something to ask, and gets one picture.
    """
    teacher = Detector.load(load_card(TEACHER))
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    chance = np.random.default_rng(7)
    for number, picture in enumerate(_pictures(source, pictures)):
        found = teacher.detect(picture, score_threshold=LEAST_SCORE)
        height, width = picture.shape[:2]
        shares = found.boxes / np.array([width, height] * 2, np.float32)
        wide = cv2.resize(picture, (WIDTH_PX, HEIGHT_PX))
        for size_px in SIZES_PX:
            square, boxes = _letterboxed(wide, shares, size_px)
            spare = size_px - TILE_PX
            # The picture fills the middle rows of the square; tiles of nothing but grey would teach nothing.
            left, top = (int(chance.integers(0, spare + 1)), spare // 2) if spare else (0, 0)
            tile = square[top : top + TILE_PX, left : left + TILE_PX]
            moved = boxes - np.array([left, top] * 2, np.float32)
            _write(folder, f"{number:04d}-{size_px}", tile, moved, found)
    description, asked = folder / "lessons.yaml", folder / "asked.txt"
    asked.write_text("./images/0000-320.png\n", encoding="ascii")
    names = dict(enumerate(teacher.class_names))
    content = {"path": str(folder), "train": "images", "val": asked.name, "names": names}
    description.write_text(yaml.safe_dump(content), encoding="utf-8")
    return description


def _pictures(source: Path, wanted: int) -> Iterable[NDArray[np.uint8]]:
    """So many pictures, spread over the clip."""
    with av.open(str(source)) as video:
        step = max(1, (video.streams.video[0].frames or wanted) // wanted)
        for frame in islice(video.decode(video=0), 0, step * wanted, step):
            yield frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)


def _letterboxed(picture: NDArray[Any], shares: NDArray[Any], size_px: int) -> tuple[NDArray[Any], NDArray[Any]]:
    height_px = size_px * HEIGHT_PX // WIDTH_PX
    top = (size_px - height_px) // 2
    square = np.full((size_px, size_px, 3), PAD, np.uint8)
    square[top : top + height_px] = cv2.resize(picture, (size_px, height_px))
    boxes = shares * np.array([size_px, height_px] * 2, np.float32) + np.array([0, top] * 2, np.float32)
    return square, boxes


def _write(folder: Path, name: str, tile: NDArray[Any], boxes: NDArray[Any], found: Detections) -> None:
    """One picture and its labels: class, centre and size in shares, of what lies in the tile for the most part."""
    inside = boxes.clip(0, TILE_PX)
    sides, whole = inside[:, 2:] - inside[:, :2], boxes[:, 2:] - boxes[:, :2]
    kept = (sides.min(axis=1) >= LEAST_SIDE_PX) & (sides.prod(axis=1) >= LEAST_SHARE * whole.prod(axis=1))
    rows = np.concatenate(((inside[:, :2] + inside[:, 2:]) / 2, sides), axis=1)[kept] / TILE_PX
    lines = [
        " ".join([str(kind), *(f"{share:.5f}" for share in row)])
        for kind, row in zip(found.classes[kept].tolist(), rows.tolist(), strict=True)
    ]
    (folder / "labels" / f"{name}.txt").write_text("\n".join(lines), encoding="ascii")
    cv2.imwrite(str(folder / "images" / f"{name}.png"), tile)
