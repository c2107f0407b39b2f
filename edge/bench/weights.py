"""The network that all competitors share: shaped like YOLOv8n, trained on the clip itself, at 320 and at 640 px.

Made once by the bench, in the cache; never shipped, for it is good for nothing but comparing speed.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import numpy as np
import yaml

from edge.bench import environment, lessons
from edge.bench.clips import NothingToMeasure, busy_clip, cache_folder, fingerprint
from edge.bench.environment import peer_python, peer_variables
from models.cards import load_card, read_card
from models.detector import Detector

EDITION = "1"
"""Part of the folder's name: weights of an older way of training are made anew."""

SCORE, OVERLAP = 0.25, 0.45
EPOCHS = 7
LEAST_BOXES = 5.0
"""Mean boxes a frame below which suppression and tracking would cost nothing, and ratios would lie."""

CHECKED_FRAMES = 200
CHECK_EVERY = 10


@dataclass(frozen=True, slots=True)
class Weights:
    """The model cards of one trained network, by input size."""

    folder: Path

    def card(self, size_px: int) -> Path:
        """The card of this input size, its ONNX file beside it."""
        return self.folder / f"{size_px}.yaml"

    def boxes_per_frame(self, size_px: int, source: Path) -> float:
        """Mean number of boxes on the busy version of this clip, every tenth frame of it. Raises ModelError."""
        detector = Detector.load(read_card(self.card(size_px)))
        with av.open(str(busy_clip(source, CHECKED_FRAMES))) as video:
            frames = islice(video.decode(video=0), 0, None, CHECK_EVERY)
            pictures = (frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False) for frame in frames)
            return float(np.mean([len(detector.detect(picture)) for picture in pictures]))


def trained_weights(source: Path, say: Callable[[str], None]) -> Weights:
    """The weights for this clip, trained first (about five minutes on one core) where they are not there yet.

    Raises NothingToMeasure where the peer cannot be installed, or where training ends with too few boxes.
    """
    folder = cache_folder() / "bench" / f"weights-{EDITION}-{fingerprint(source)}"
    if not (folder / "320.yaml").is_file():
        python = peer_python(say)
        scratch = folder.with_name(f"{folder.name}.{os.getpid()}")
        try:
            _train(python, source, scratch, say)
            scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return Weights(folder)


def _train(python: Path, source: Path, folder: Path, say: Callable[[str], None]) -> None:
    say("labelling pictures of the clip with the shipped network ...")
    description = lessons.write_lessons(source, folder / "lessons")
    say("training the network of the comparison (once, about five minutes on one core) ...")
    sizes = [str(size_px) for size_px in lessons.SIZES_PX]
    command = [str(python), environment.script("train"), str(description), str(folder)]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, "--epochs", str(EPOCHS), "--sizes", *sizes],
        env={**os.environ, **peer_variables(), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise NothingToMeasure(f"training failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    weights = Weights(folder)
    for size_px in lessons.SIZES_PX:
        _write_card(weights.card(size_px), size_px)
        boxes = weights.boxes_per_frame(size_px, source)
        say(f"at {size_px} px it finds {boxes:.1f} boxes a frame")
        if boxes < LEAST_BOXES:
            raise NothingToMeasure(f"the trained network finds {boxes:.1f} boxes a frame, {LEAST_BOXES:.0f} are needed")
    for leftover in ("lessons", "training"):
        shutil.rmtree(folder / leftover)


def _write_card(path: Path, size_px: int) -> None:
    """The card of a trained network; what is not said here is as on the teacher's card."""
    file = path.with_suffix(".onnx")
    teacher = load_card(lessons.TEACHER)
    content = teacher.model_dump(mode="json", exclude={"measured"}) | {
        "name": f"bench_{size_px}",
        "summary": f"Shaped like YOLOv8n, {size_px} px, trained on the clip it is measured on; for speed only.",
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "origin": {
            "source": "trained by `teawatch bench edge` on this machine",
            "licence": "AGPL-3.0 (made with ultralytics); never shipped",
            "notes": "Labels are the shipped network's own findings.",
        },
        "head": {"kind": "yolov8"},
        "score_threshold": SCORE,
        "overlap_threshold": OVERLAP,
    }
    content["input"] |= {"size_px": size_px, "centred": True}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
