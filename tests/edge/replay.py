"""A clip as a detector saw it, to be watched again at any lower rate, as often as wanted."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from edge.watch import Post
from models.detections import Detections
from streams.frames import Frame
from tests.edge.parts import NOON, Bench, make_identity


@dataclass(frozen=True)
class Seen:
    stream_s: float
    detections: Detections


@dataclass(frozen=True)
class Clip:
    looks: tuple[Seen, ...]
    size_px: tuple[int, int]
    class_names: tuple[str, ...]

    def at_rate(self, looks_per_s: float) -> Iterator[Seen]:
        """As the feed takes them: the first frame at or after each due time."""
        due_s = 0.0
        for look in self.looks:
            if look.stream_s + 1e-6 >= due_s:
                due_s = max(due_s + 1 / looks_per_s, look.stream_s)
                yield look

    def frame(self, look: Seen, *, camera: str = "cam-1", started_s: float = 1000.0) -> Frame:
        """A grey stand-in for the picture, at the look's own time."""
        return Frame(
            picture=np.full((self.size_px[1], self.size_px[0], 3), 90, np.uint8),
            camera=camera,
            index=round(look.stream_s * 10),
            stream_s=look.stream_s,
            monotonic_s=started_s + look.stream_s,
            utc=NOON + timedelta(seconds=started_s + look.stream_s),
        )

    def play(self, bench: Bench, looks_per_s: float, *, started_s: float = 1000.0) -> None:
        """Let a box watch the whole clip."""
        for look in self.at_rate(looks_per_s):
            bench.look(self.frame(look, started_s=started_s), look.detections)

    def save(self, path: Path) -> None:
        counts = [len(look.detections) for look in self.looks]
        whole = path.with_name(f".{os.getpid()}-{path.name}")
        np.savez(
            whole,
            times=[look.stream_s for look in self.looks],
            counts=counts,
            boxes=np.concatenate([look.detections.boxes for look in self.looks]),
            scores=np.concatenate([look.detections.scores for look in self.looks]),
            classes=np.concatenate([look.detections.classes for look in self.looks]),
            size_px=self.size_px,
            class_names=self.class_names,
        )
        whole.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Clip":
        with np.load(path) as saved:
            ends = np.cumsum(saved["counts"])
            parts = [
                Detections(saved["boxes"][a:b], saved["scores"][a:b], saved["classes"][a:b])
                for a, b in zip([0, *ends[:-1]], ends, strict=True)
            ]
            looks = tuple(Seen(float(at), part) for at, part in zip(saved["times"], parts, strict=True))
            width, height = saved["size_px"].tolist()
            return cls(looks, (width, height), tuple(saved["class_names"].tolist()))


def box_for(clip: Clip, state: Path, *posts: Post) -> Bench:
    """A box that watches with these rules."""
    return Bench(state, make_identity(), list(posts), class_names=clip.class_names).start()
