"""Non-maximum suppression: one object, one box, also where the network cannot decide between two names for it."""

from collections.abc import Mapping, Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detections import Detections


def grouping(class_names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> NDArray[np.int64]:
    """For each class the number of its group (C,); classes of no group are alone in their own.

    A van is `car` at one moment and `truck` at the next, and often both: as one group only the stronger name stays.
    """
    numbers = np.arange(len(class_names), dtype=np.int64)
    for members in groups.values():
        places = [class_names.index(member) for member in members]
        numbers[places] = places[0]
    return numbers


def suppress(detections: Detections, groups: NDArray[np.int64], overlap_threshold: float) -> Detections:
    """The detections without those that a stronger one of the same group overlaps by more than the threshold (IoU).

    Strongest first. `groups` (C,) as `grouping` gives it.
    """
    if not len(detections):
        return detections
    left_top, right_bottom = detections.boxes[:, :2], detections.boxes[:, 2:]
    kept = cv2.dnn.NMSBoxesBatched(
        cast("Sequence[Sequence[float]]", np.concatenate((left_top, right_bottom - left_top), axis=1)),
        cast("Sequence[float]", detections.scores),
        cast("Sequence[int]", groups[detections.classes]),
        0.0,
        overlap_threshold,
    )
    order = np.asarray(kept, np.int64)
    order = order[np.argsort(-detections.scores[order], kind="stable")]
    return Detections(detections.boxes[order], detections.scores[order], detections.classes[order])
