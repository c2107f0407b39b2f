"""Detections: the one columnar value that detectors give and trackers, zones and rules take."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N objects in one picture.

    `boxes` (N, 4) float32: left, top, right, bottom in pixels of the original frame. `scores` (N,) float32 in 0..1.
    `classes` (N,) int64: indices into the model card's class names. Raises ValueError naming the expected and the
    actual shape.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]

    def __post_init__(self) -> None:
        count = len(self.scores)
        for name, array, shape in (
            ("boxes", self.boxes, (count, 4)),
            ("scores", self.scores, (count,)),
            ("classes", self.classes, (count,)),
        ):
            if array.shape != shape:
                msg = f"{name}: expected shape {shape}, got {array.shape}"
                raise ValueError(msg)

    def __len__(self) -> int:
        return len(self.scores)

    def where(self, mask: NDArray[np.bool_]) -> "Detections":
        """The detections where the boolean `mask` (N,) is true."""
        return Detections(self.boxes[mask], self.scores[mask], self.classes[mask])

    @classmethod
    def none(cls) -> "Detections":
        """No detections."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))
