"""Labelled pictures to measure a model on, in the folder layout of YOLO.

folder/images/NAME.jpg      a picture
folder/labels/NAME.txt      a line per object: class, then centre x, y, width, height as shares of the picture
folder/config.yaml          `names`: class number to name
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from models.errors import BadLabels

COLUMNS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One picture's file and the objects in it.

    `shares` (M, 4) float32: left, top, right, bottom as shares of the picture. `classes` (M,) int64: indices into the
    class names asked for.
    """

    picture: Path
    shares: NDArray[np.float32]
    classes: NDArray[np.int64]


def read_labelled(folder: Path, class_names: Sequence[str]) -> tuple[Labelled, ...]:
    """The labelled pictures of a folder, by name; a picture without a label file shows nothing.

    Raises BadLabels where the folder does not follow the layout or names a class that is not in `class_names`.
    """
    numbers = _numbers(folder, class_names)
    pictures = sorted(
        path for path in (folder / "images").glob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"}
    )
    if not pictures:
        raise BadLabels(f"{folder}: no pictures in its folder `images`; give a folder with images, labels, config.yaml")
    return tuple(_labelled(picture, folder / "labels" / f"{picture.stem}.txt", numbers) for picture in pictures)


def _numbers(folder: Path, class_names: Sequence[str]) -> Mapping[int, int]:
    """From the folder's class numbers to places in `class_names`."""
    path = folder / "config.yaml"
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        names = content["names"]
        named = dict(enumerate(names)) if isinstance(names, list) else {int(key): str(names[key]) for key in names}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError):
        raise BadLabels(f"{path}: cannot be read; it must give `names`, from class number to name") from None
    unknown = sorted(set(named.values()) - set(class_names))
    if unknown:
        raise BadLabels(f"{path}: the model does not know {', '.join(unknown[:3])}")
    return {number: class_names.index(name) for number, name in named.items()}


def _labelled(picture: Path, label: Path, numbers: Mapping[int, int]) -> Labelled:
    rows = []
    for number, line in enumerate(label.read_text("utf-8").splitlines() if label.exists() else (), start=1):
        try:
            values = [float(value) for value in line.split()]
            if not values:
                continue
            kind, x, y, width, height = values
            rows.append((numbers[int(kind)], x - width / 2, y - height / 2, x + width / 2, y + height / 2))
        except (ValueError, KeyError):
            raise BadLabels(f"{label}, line {number}: expected a known class number and four shares") from None
    table = np.array(rows, np.float64).reshape(-1, COLUMNS)
    return Labelled(picture, table[:, 1:].astype(np.float32), table[:, 0].astype(np.int64))
