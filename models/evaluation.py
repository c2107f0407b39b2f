"""How good a model is: average precision at an overlap of one half (AP50), as COCO defines it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detections import Detections
from models.detector import Detector
from models.errors import BadLabels
from models.labels import Labelled

Floats = NDArray[np.float32]
Hits = NDArray[np.bool_]

LOWEST_SCORE = 0.001
"""Average precision looks at every threshold at once, so nearly everything the network says is kept."""

RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model reached on labelled pictures: AP50 (0..1) of each class that occurs in them, and their mean."""

    pictures: int
    objects: int
    ap50_by_class: dict[str, float]

    @property
    def ap50(self) -> float:
        """The mean over the classes that occur."""
        return float(np.mean(list(self.ap50_by_class.values())))


def evaluate(
    detector: Detector, labelled: Sequence[Labelled], on_picture: Callable[[int], None] = lambda _count: None
) -> Evaluation:
    """Run the detector, as it is shipped but for its score threshold, over labelled pictures.

    `on_picture` hears how many pictures are done. Raises BadLabels where a picture cannot be read or nothing is
    labelled.
    """
    scores: list[Floats] = []
    classes: list[NDArray[np.int64]] = []
    hits: list[Hits] = []
    for count, example in enumerate(labelled, start=1):
        picture = cv2.imread(str(example.picture))
        if picture is None:
            raise BadLabels(f"{example.picture}: not a picture that can be read")
        height, width = picture.shape[:2]
        truth = example.shares * np.array([width, height] * 2, np.float32)
        found = detector.detect(picture.astype(np.uint8, copy=False), score_threshold=LOWEST_SCORE)
        scores.append(found.scores)
        classes.append(found.classes)
        hits.append(matched(found, truth, example.classes))
        on_picture(count)
    labels = np.concatenate([example.classes for example in labelled])
    if not len(labels):
        raise BadLabels("nothing is labelled in these pictures, so there is nothing to measure")
    score, kind, hit = np.concatenate(scores), np.concatenate(classes), np.concatenate(hits)
    ap50 = {
        detector.class_names[number]: average_precision(score[kind == number], hit[kind == number], int(positives))
        for number, positives in zip(*np.unique(labels, return_counts=True), strict=True)
    }
    return Evaluation(len(labelled), len(labels), ap50)


def matched(found: Detections, truth: Floats, classes: NDArray[np.int64], overlap: float = 0.5) -> Hits:
    """Which detections (N,) hit an object: strongest first, each takes the free object of its class it overlaps most.

    `truth` (M, 4) boxes and `classes` (M,) of the objects, in the same pixels; `overlap` is the least intersection over
    union that counts.
    """
    hits = np.zeros(len(found), np.bool_)
    overlaps = np.where(found.classes[:, None] == classes[None, :], intersection_over_union(found.boxes, truth), 0)
    for place in np.argsort(-found.scores, kind="stable") if len(truth) else ():
        best = overlaps[place].argmax()
        if overlaps[place, best] >= overlap:
            hits[place] = True
            overlaps[:, best] = 0
    return hits


def intersection_over_union(boxes: Floats, others: Floats) -> Floats:
    """Overlap (N, M) of boxes (N, 4) with others (M, 4): shared area by joint area, 0..1."""
    left_top = np.maximum(boxes[:, None, :2], others[None, :, :2])
    right_bottom = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    width, height = np.moveaxis((right_bottom - left_top).clip(0), 2, 0)
    shared: Floats = width * height
    joint = _area(boxes)[:, None] + _area(others)[None, :] - shared
    overlaps: Floats = np.divide(shared, joint, out=np.zeros_like(shared), where=joint > 0)
    return overlaps


def average_precision(scores: Iterable[float] | Floats, hits: Iterable[bool] | Hits, positives: int) -> float:
    """Area under precision over recall, read at 101 recalls with precision made monotone (COCO).

    `scores` (N,) and `hits` (N,) of one class over all pictures; `positives` objects there were.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    caught = np.cumsum(np.asarray(hits, np.bool_)[order])
    if not len(caught) or not positives:
        return 0.0
    precision = caught / np.arange(1, len(caught) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(caught / positives, RECALLS)
    return float(np.append(precision, 0.0)[place].mean())


def _area(boxes: Floats) -> Floats:
    area: Floats = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return area
