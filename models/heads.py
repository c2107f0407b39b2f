"""Detector heads: from a network's raw output to candidate boxes, as pure functions.

Candidates below the score threshold are thrown away before anything else is computed: of the thousands of places a head
looks at, a handful hold an object, so decoding costs next to nothing beside the network. A box appears once for each
class above the threshold, since these networks judge every class by itself: a van that looks even more like a boat
stays a van for the rule that asks for vans.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit as logistic
from scipy.special import logit

from models.detections import Detections

Floats = NDArray[np.float32]

LARGEST_EXPONENT = 10.0
"""A box e^10 times its anchor covers any picture; more would only overflow."""


def decode_yolov3(
    outputs: Sequence[Floats], anchors: Sequence[Floats], input_px: int, score_threshold: float
) -> Detections:
    """Candidates of a YOLOv3 head, in pixels of the network's square input.

    `outputs`: per scale (1, A * (5 + C), S, S) raw: for each anchor tx, ty, tw, th, objectness, then C classes.
    `anchors`: per scale (A, 2) width and height in input pixels. Scores are objectness times class, both through the
    logistic function. Source: Redmon and Farhadi, YOLOv3: An Incremental Improvement (2018), sections 2.1 and 2.2.
    """
    return _joined(
        [
            _yolov3_scale(output, anchor, input_px, score_threshold)
            for output, anchor in zip(outputs, anchors, strict=True)
        ]
    )


def _yolov3_scale(output: Floats, anchors: Floats, input_px: int, score_threshold: float) -> Detections:
    grid = output.shape[-1]
    cells = output.reshape(len(anchors), -1, grid * grid)
    anchor, cell = np.nonzero(cells[:, 4] > logit(score_threshold))
    raw = cells[anchor, :, cell]
    scores = logistic(raw[:, 4:5]) * logistic(raw[:, 5:])
    stride = input_px / grid
    corner = np.stack((cell % grid, cell // grid), axis=1)
    centers = (logistic(raw[:, :2]) + corner) * stride
    sizes = np.exp(np.minimum(raw[:, 2:4], LARGEST_EXPONENT)) * anchors[anchor]
    return _above(_boxes(centers, sizes), scores, score_threshold)


def decode_yolox(output: Floats, input_px: int, strides: Sequence[int], score_threshold: float) -> Detections:
    """Candidates of a YOLOX head exported without its decoding, in pixels of the network's square input.

    `output` (1, N, 5 + C): x, y as offsets in cells, logarithm of width and height in cells, objectness and classes
    already between 0 and 1; N runs over the cells of each stride, row by row. Scores are objectness times class.
    Source: Ge et al., YOLOX: Exceeding YOLO Series in 2021, and the ONNX demo of its repository.
    """
    rows = output[0]
    cells, steps = _yolox_cells(input_px, tuple(strides))
    if len(rows) != len(cells):
        raise ValueError(f"output: expected {len(cells)} rows for strides {tuple(strides)}, got {len(rows)}")
    place = np.flatnonzero(rows[:, 4] > score_threshold)
    raw, step = rows[place], steps[place]
    scores = raw[:, 4:5] * raw[:, 5:]
    centers = (raw[:, :2] + cells[place]) * step
    sizes = np.exp(np.minimum(raw[:, 2:4], LARGEST_EXPONENT)) * step
    return _above(_boxes(centers, sizes), scores, score_threshold)


def decode_yolov8(output: Floats, score_threshold: float) -> Detections:
    """Candidates of a YOLOv8 head that decodes inside the network, in pixels of the network's square input.

    `output` (1, 4 + C, N): centre x, centre y, width and height in input pixels, then C class scores already between 0
    and 1, each row over all N places. Source: Jocher et al., Ultralytics YOLOv8 (2023), and its ONNX export.
    """
    rows = output[0]
    count = rows.shape[1]
    label, place = np.divmod(np.flatnonzero(rows[4:] > score_threshold), count)
    x, y, width, height = rows[:4, place]
    boxes = np.stack((x - width / 2, y - height / 2, x + width / 2, y + height / 2), axis=1)
    return Detections(boxes, rows[4 + label, place], label)


def _joined(parts: Sequence[Detections]) -> Detections:
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.classes for part in parts]),
    )


def _boxes(centers: Floats, sizes: Floats) -> Floats:
    return np.concatenate((centers - sizes / 2, centers + sizes / 2), axis=1).astype(np.float32)


def _above(boxes: Floats, scores: Floats, score_threshold: float) -> Detections:
    """One detection for each box (N, 4) and class with a score (N, C) above the threshold."""
    row, label = np.nonzero(scores > score_threshold)
    return Detections(boxes[row], scores[row, label].astype(np.float32), label.astype(np.int64))


@lru_cache(maxsize=8)
def _yolox_cells(input_px: int, strides: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Column and row (N, 2) of each cell, and its stride in input pixels (N, 1), in the order of the output's rows."""
    grids = [np.stack(np.meshgrid(*(np.arange(input_px // stride),) * 2), axis=2).reshape(-1, 2) for stride in strides]
    steps = [np.full((len(grid), 1), stride) for grid, stride in zip(grids, strides, strict=True)]
    return np.concatenate(grids).astype(np.float32), np.concatenate(steps).astype(np.float32)
