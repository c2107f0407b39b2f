"""The detector: pictures in, detections in the picture's own pixels out."""

import hashlib
from collections.abc import Callable
from typing import Self

import numpy as np
import onnxruntime

from models.cards import ModelCard, Yolov3Head, Yolov8Head
from models.detections import Detections
from models.errors import BadModelCard, ModelFileMissing, WrongModelFile
from models.heads import Floats, decode_yolov3, decode_yolov8, decode_yolox
from models.letterbox import Canvas, Pixels, Shrinkable, size_of
from models.suppression import grouping, suppress


class Detector:
    """One network in one session. Not shared between threads: each has a `twin` of its own."""

    def __init__(self, card: ModelCard, session: onnxruntime.InferenceSession) -> None:
        """Use `load`, which makes sure that card and file belong together."""
        self.card = card
        self._session = session
        self._input = session.get_inputs()[0].name
        entry = card.input
        self._canvas = Canvas(
            entry.size_px, channels=entry.channels, scale=entry.scale, pad=entry.pad, centred=entry.centred
        )
        self._feed = {self._input: self._canvas.tensor}
        self._groups = grouping(card.classes, card.groups)
        head = card.head
        self._anchors = [np.array(sizes, np.float32) for sizes in head.anchors] if isinstance(head, Yolov3Head) else []

    @classmethod
    def load(cls, card: ModelCard, *, threads: int = 1) -> Self:
        """Read the card's file, check its SHA-256 and make a session of `threads` threads.

        Two threads are slower than one as soon as the other core is busy, so one is the default. Raises
        ModelFileMissing, WrongModelFile, or BadModelCard if the network is not what the card describes.
        """
        try:
            content = card.file.read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ModelFileMissing(f"{card.file}: model file cannot be read ({reason}); install it again") from None
        actual = hashlib.sha256(content).hexdigest()
        if actual != card.sha256:
            raise WrongModelFile(str(card.file), card.sha256, actual)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library has no common base for what a bad network raises
            raise BadModelCard(f"{card.file}: not a network ONNX Runtime can run: {error}") from error
        _compare(card, session)
        return cls(card, session)

    def twin(self) -> Self:
        """The same network for one more thread: the weights are in memory once, what a picture needs is its own."""
        return type(self)(self.card, self._session)

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the class numbers of detections mean."""
        return self.card.classes

    def detect(self, picture: Pixels | Shrinkable, *, score_threshold: float | None = None) -> Detections:
        """Objects in a picture; strongest first, boxes clipped to the picture.

        `score_threshold` replaces the card's.
        """
        placement = self._canvas.fit(picture)
        outputs = self._session.run(None, self._feed)
        threshold = self.card.score_threshold if score_threshold is None else score_threshold
        found = suppress(self._decode(outputs, threshold), self._groups, self.card.overlap_threshold)
        boxes = placement.to_picture(found.boxes).clip(0, np.array(size_of(picture) * 2, np.float32))
        return Detections(boxes, found.scores, found.classes).where(np.all(boxes[:, 2:] > boxes[:, :2], axis=1))

    def bare_run(self, tensor: Floats) -> Callable[[], object]:
        """The network alone on a prepared input (1, 3, size, size): the ceiling that benchmarks compare with."""
        feed = {self._input: tensor}
        return lambda: self._session.run(None, feed)

    def _decode(self, outputs: list[Floats], score_threshold: float) -> Detections:
        head, size_px = self.card.head, self.card.input.size_px
        if isinstance(head, Yolov3Head):
            return decode_yolov3(outputs, self._anchors, size_px, score_threshold)
        if isinstance(head, Yolov8Head):
            return decode_yolov8(outputs[0], score_threshold)
        return decode_yolox(outputs[0], size_px, head.strides, score_threshold)


def _compare(card: ModelCard, session: onnxruntime.InferenceSession) -> None:
    """Raise BadModelCard where the network's input and outputs are not those the card describes."""
    size_px, columns = card.input.size_px, 5 + len(card.classes)
    outputs: list[tuple[int | None, ...]]
    if isinstance(card.head, Yolov3Head):
        outputs = [(1, len(sizes) * columns, None, None) for sizes in card.head.anchors]
    elif isinstance(card.head, Yolov8Head):
        outputs = [(1, 4 + len(card.classes), None)]
    else:
        outputs = [(1, sum((size_px // stride) ** 2 for stride in card.head.strides), columns)]
    expected: list[tuple[int | None, ...]] = [(1, 3, size_px, size_px), *outputs]
    actual = [tuple(port.shape) for port in (*session.get_inputs(), *session.get_outputs())]
    same = len(actual) == len(expected) and all(
        len(have) == len(want) and all(w is None or h == w for h, w in zip(have, want, strict=True))
        for have, want in zip(actual, expected, strict=True)
    )
    if not same:
        raise BadModelCard(f"{card.name}: the card describes shapes {expected}, {card.file} has {actual}")
