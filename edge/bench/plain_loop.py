"""The plain loop: what a good engineer writes in an afternoon with OpenCV and ONNX Runtime, and nothing of the box.

`python -m edge.bench.plain_loop MODEL.onnx SIZE SCORE OVERLAP`. VideoCapture, letterbox, network, suppression, and a
tracker that matches boxes to tracks by overlap.
"""

import sys
from dataclasses import dataclass, field
from typing import Any, Self

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from edge.bench.peer.laps import serve

Boxes = NDArray[np.float32]
"""(N, 4): left, top, right, bottom."""

LEAST_OVERLAP = 0.3
FORGET_AFTER_FRAMES = 30
PAD = 114


def letterbox(picture: NDArray[Any], size_px: int) -> tuple[NDArray[Any], float, int, int]:
    """The picture in the middle of a grey square; its scale, and what was added at the left and at the top."""
    height, width = picture.shape[:2]
    scale = min(size_px / width, size_px / height)
    small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_LINEAR)
    left, top = (size_px - small.shape[1]) // 2, (size_px - small.shape[0]) // 2
    right, bottom = size_px - small.shape[1] - left, size_px - small.shape[0] - top
    square = cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(PAD, PAD, PAD))
    return square, scale, left, top


@dataclass
class PlainDetector:
    """ONNX Runtime behind OpenCV's own way of making a network's input."""

    session: onnxruntime.InferenceSession
    size_px: int
    score: float
    overlap: float

    @classmethod
    def load(cls, model: str, size_px: int, score: float, overlap: float) -> Self:
        """The network of this file, in one thread."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return cls(session, size_px, score, overlap)

    def __call__(self, picture: NDArray[Any]) -> tuple[Boxes, NDArray[Any]]:
        """Boxes in the picture's pixels and their classes: the best class of each place, suppressed class by class."""
        square, scale, left, top = letterbox(picture, self.size_px)
        blob = cv2.dnn.blobFromImage(square, 1 / 255, swapRB=True)
        rows = self.session.run(None, {self.session.get_inputs()[0].name: blob})[0][0].T
        scores = rows[:, 4:].max(axis=1)
        found = scores > self.score
        rows, scores = rows[found], scores[found]
        classes = rows[:, 4:].argmax(axis=1)
        corners = rows[:, :2] - rows[:, 2:4] / 2
        sized: Any = np.concatenate((corners, rows[:, 2:4]), axis=1)
        kept = np.asarray(cv2.dnn.NMSBoxesBatched(sized, scores, classes, self.score, self.overlap), np.int64)
        boxes = np.concatenate((corners, corners + rows[:, 2:4]), axis=1)[kept]
        return (boxes - np.array([left, top, left, top])) / scale, classes[kept]


@dataclass
class OverlapTracker:
    """SORT without its filter: the assignment of largest overlap, track numbers, and forgetting."""

    tracks: dict[int, tuple[Boxes, int, int]] = field(default_factory=dict)
    """By number: last box, class, frames unseen."""
    count: int = 0

    def update(self, boxes: Boxes, classes: NDArray[Any]) -> list[int]:
        """The track number of each box."""
        numbers = list(self.tracks)
        before = np.array([self.tracks[number][0] for number in numbers], np.float32).reshape(-1, 4)
        overlaps = overlap_of(before, boxes)
        for row, number in enumerate(numbers):
            overlaps[row, classes != self.tracks[number][1]] = 0
        given: dict[int, int] = {}
        rows, columns = linear_sum_assignment(-overlaps)
        for at, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if overlaps[at, column] >= LEAST_OVERLAP:
                given[column] = numbers[at]
        for column in range(len(boxes)):
            if column not in given:
                self.count += 1
                given[column] = self.count
            self.tracks[given[column]] = (boxes[column], int(classes[column]), 0)
        seen = set(given.values())
        for number in numbers:
            if number not in seen:
                box, kind, unseen = self.tracks.pop(number)
                if unseen < FORGET_AFTER_FRAMES:
                    self.tracks[number] = (box, kind, unseen + 1)
        return [given[column] for column in range(len(boxes))]


def overlap_of(boxes: Boxes, others: Boxes) -> NDArray[Any]:
    """Intersection over union (N, M)."""
    left_top = np.maximum(boxes[:, None, :2], others[None, :, :2])
    right_bottom = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = (right_bottom - left_top).clip(0).prod(axis=2)
    areas = [(each[:, 2] - each[:, 0]) * (each[:, 3] - each[:, 1]) for each in (boxes, others)]
    overlaps: NDArray[Any] = shared / (areas[0][:, None] + areas[1][None, :] - shared).clip(1e-9)
    return overlaps


def main() -> None:
    """A lap is one pass over the clip that the line names."""
    model, size_px, score, overlap = sys.argv[1:]
    cv2.setNumThreads(1)
    detect = PlainDetector.load(model, int(size_px), float(score), float(overlap))

    def lap(clip: str) -> tuple[int, int]:
        video, tracker = cv2.VideoCapture(clip), OverlapTracker()
        frames = seen = 0
        while True:
            there, picture = video.read()
            if not there:
                return frames, seen
            boxes, classes = detect(picture)
            seen += len(tracker.update(boxes, classes))
            frames += 1

    serve(lap)


if __name__ == "__main__":
    main()
