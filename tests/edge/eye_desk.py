"""An eye over a made film, on a clock that is moved by hand."""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from functools import cache
from types import SimpleNamespace

import av
import numpy as np
import pytest

from edge.eye import Eye
from edge.gate.gate import Depth, GateSettings
from edge.plan import Plan
from edge.watch import CameraWatch, Look
from streams.frames import Camera, Frame
from streams.packets import Packet
from tests.edge.parts import CLASSES, family_of, make_detections, post
from tests.streams.reels import RATE, read

SIZE = (320, 192)
SQUARE_PX = 24
GOP = 50
ASLEEP, ALERT, AWAKE = Depth.ASLEEP, Depth.ALERT, Depth.AWAKE


@cache
def film(
    seconds: float = 14,
    *,
    events: tuple[tuple[float, float], ...] = (),
    gop: int = GOP,
    codec: str = "libx264",
    bframes: int = 0,
    seed: int = 1,
) -> tuple[Packet, ...]:
    """A wall, and a white square that crosses it during `events`; sizes are as restless as a sensor's noise makes them.

    What the noise costs is zeros behind the picture, which H.264 allows: an encoder's own whims would be less certain.
    """
    width, height = SIZE
    dice = np.random.default_rng(seed)
    wall = np.clip(dice.normal(105, 20, (height, width)), 40, 190)
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts" if codec == "libx264" else "avi") as output:
        stream = output.add_stream(codec, rate=RATE)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec == "libx264":
            settings = f"scenecut=0:keyint={gop}:min-keyint={gop}:bframes={bframes}:b-adapt=0"
            stream.options = {"preset": "ultrafast", "qp": "26", "threads": "1", "x264-params": settings}
        for number in range(round(seconds * RATE)):
            luma = wall.copy()
            for start_s, end_s in events:
                if start_s <= number / RATE < end_s:
                    left = round(4 * (number - start_s * RATE)) % (width - SQUARE_PX)
                    luma[80 : 80 + SQUARE_PX, left : left + SQUARE_PX] = 250
            grey = luma.astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.repeat(grey[..., None], 3, axis=2), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    noise = (300 * 2 ** dice.normal(0, 0.1, round(seconds * RATE))).astype(int)
    packets = read(file.getvalue())
    if codec != "libx264":
        return packets
    return tuple(
        replace(packet, data=packet.data + bytes(size)) for packet, size in zip(packets, noise.tolist(), strict=True)
    )


def later(packets: Sequence[Packet], seconds: float) -> tuple[Packet, ...]:
    """The same, `seconds` later in every respect."""
    return tuple(
        replace(
            packet,
            stream_s=packet.stream_s + seconds,
            monotonic_s=packet.monotonic_s + seconds,
            utc=packet.utc + timedelta(seconds=seconds),
        )
        for packet in packets
    )


@dataclass(frozen=True)
class Seen:
    at_s: float
    take: int
    vouched: bool
    sees: bool
    gap_s: float
    watched_s: float


class Desk:
    """A session that serves one eye whenever that is due, by the clock on which its packets arrive."""

    def __init__(self, patch: pytest.MonkeyPatch, gate: GateSettings | None = None, **plan: object) -> None:
        self.now_s = 1000.0
        patch.setattr("edge.eye.time", SimpleNamespace(monotonic=lambda: self.now_s))
        fields = {
            "camera": Camera(id="cam-1", url="rtsp://192.0.2.1/main"),
            "looks_per_s": 3.0,
            "is_live": True,
            "until_end": False,
            "gate": gate or GateSettings(),
            "classes": frozenset(CLASSES),
        }
        watch = CameraWatch([post("intrusion", min_s=60, classes=("car",))], class_names=CLASSES, family_of=family_of)
        self.prods = 0
        self.others_wait = False
        self.eye = Eye(Plan(**fields | plan), watch, prod=self._hear, others_wait=lambda: self.others_wait)  # type: ignore[arg-type]
        self.seen: list[Seen] = []
        self.depths: list[tuple[float, Depth]] = []
        self.on_look: Callable[[Frame], None] = lambda _: None
        self._take_of: dict[int, int] = {}

    def _hear(self) -> None:
        self.prods += 1

    def analyse(self, frame: Frame, *, vouched: bool) -> Look | None:
        """Finds what is white."""
        self.on_look(frame)
        rows, columns = np.nonzero(frame.picture[..., 0] > 210)
        sees = len(rows) > 100
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if sees else None
        found = make_detections(("car", [float(side) for side in box])) if box else make_detections()
        look = self.eye.watch.look(frame, found, vouched=vouched)
        take = self._take_of[frame.index]
        self.seen.append(Seen(frame.stream_s, take, vouched, sees, look.moment.gap_s, look.moment.watched_s))
        return look

    def take(self, packet: Packet) -> None:
        self.now_s = packet.monotonic_s
        self._take_of[packet.index] = packet.take
        self.eye.take(packet)

    def serve(self) -> None:
        """As often as the eye is due now."""
        for _ in range(500):
            if self.eye.due_s > self.now_s:
                return
            self.eye.step(self.analyse)
            self.depths.append((self.now_s, self.eye.gate.depth))
        pytest.fail("the eye never rests")

    def play(self, packets: Iterable[Packet], *, on_time: bool = True) -> "Desk":
        """Packets come; with `on_time` the eye is served whenever it is due."""
        for packet in packets:
            self.take(packet)
            if on_time:
                self.serve()
        return self

    def end(self) -> None:
        self.eye.end()
        self.serve()
        assert self.eye.has_ended

    def times(self, since_s: float = 0.0) -> list[float]:
        return [look.at_s for look in self.seen if look.at_s >= since_s]

    def seen_between(self, start_s: float, end_s: float) -> list[Seen]:
        return [look for look in self.seen if start_s <= look.at_s < end_s]


def asleep_at(packets: Sequence[Packet], index: int, desk: Desk) -> None:
    desk.play(packets[:index])
    assert desk.eye.gate.depth is ASLEEP
