"""What the tests of the box are made of: looks without a camera, a box without a centre, recorded detections."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from alerts.blobs import BlobStore
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import Model
from alerts.outbox import Outbox
from alerts.records import Record, read_record
from edge.boxes import Box
from edge.incidents import Key
from edge.recorder import Recorder
from edge.reporting import Witness
from edge.room import Room
from edge.rules import RULES, AnyRule
from edge.rules.base import Observation, Sighting, Violation
from edge.views import ACROSS, DOWN, HEIGHT, WIDTH, Reference
from edge.watch import CameraWatch, Post
from edge.zones import Zone
from models.detections import Detections
from streams.frames import Frame

NOON = datetime(2026, 4, 5, 12, tzinfo=UTC)
VIEW = Reference(
    field=np.ones((HEIGHT, WIDTH), np.complex64),
    fine=np.ones((DOWN, ACROSS), np.float32),
    coarse=np.ones((DOWN, ACROSS), np.float32),
    sharpness=1.0,
    own_peak=9.0,
    noise=0.5,
    made_at=NOON,
)
WHOLE = Zone("everything", [(0, 0), (1, 0), (1, 1), (0, 1)])
CLASSES = ("person", "car", "truck", "bus")
WITNESS = Witness(footage="recording", model=Model(name="m", sha256="a" * 64), config_sha256="b" * 64)
VTEST_PX = (768, 576)
VAN = (651, 42, 651 + 73, 42 + 57)
CAR = (731, 51, 731 + 35, 51 + 42)


def in_shares(pixels: Sequence[float], size_px: tuple[int, int] = VTEST_PX) -> Box:
    left, top, right, bottom = pixels
    return Box(left / size_px[0], top / size_px[1], right / size_px[0], bottom / size_px[1])


def make_rule(name: str, zone: Zone = WHOLE, **parameters: Any) -> AnyRule:
    kind = RULES[name]
    return kind(zone, kind.parameters_type(**parameters))


def family_of(class_name: str) -> str:
    return "vehicle" if class_name in ("car", "truck", "bus") else class_name


def see(box: Box, class_name: str = "car", *, track: int = 1, score: float = 0.8) -> Sighting:
    return Sighting(track, class_name, score, box)


@dataclass
class Script:
    """Feeds a rule one look after the other and keeps what it found broken."""

    rule: AnyRule
    step_s: float = 0.5
    state: Any = None
    now_s: float = 0.0
    broken: list[tuple[float, tuple[Violation, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.state is None:
            self.state = self.rule.start()

    def look(self, *sightings: Sighting, gap_s: float = 0.0, utc: datetime | None = NOON) -> tuple[Violation, ...]:
        observation = Observation(
            stream_s=self.now_s, watched_s=self.now_s, gap_s=gap_s, utc=utc, sightings=tuple(sightings)
        )
        self.state, violations = self.rule.step(self.state, observation)
        self.broken.append((self.now_s, violations))
        self.now_s += self.step_s
        return violations

    def during(self, seconds: float, sightings: Callable[[int], Iterable[Sighting]]) -> tuple[Violation, ...]:
        """Looks for so long; `sightings` gives what is seen at the n-th of them. What the last look found."""
        last: tuple[Violation, ...] = ()
        for number in range(round(seconds / self.step_s)):
            last = self.look(*sightings(number))
        return last

    @property
    def first_broken_s(self) -> float | None:
        return next((at for at, violations in self.broken if violations), None)


def make_identity(**changes: Any) -> Identity:
    fields: dict[str, Any] = {
        "tenant": "demo-county",
        "device": "box-1",
        "signing_key": SigningKey.generate(),
        "centre_key": SigningKey.generate().verify_key,
        "center_url": "http://127.0.0.1:9",
        "mqtt_host": "127.0.0.1",
        "mqtt_port": 9,
        "mqtt_username": "box-1",
        "mqtt_password": "secret",
    }
    return Identity(**fields | changes)


def make_frame(stream_s: float, *, camera: str = "cam-1", at: datetime | None = None, shade: int = 90) -> Frame:
    return Frame(
        picture=np.full((VTEST_PX[1], VTEST_PX[0], 3), shade, np.uint8),
        camera=camera,
        index=round(stream_s * 10),
        stream_s=stream_s,
        monotonic_s=1000 + stream_s,
        utc=at or NOON + timedelta(seconds=stream_s),
    )


def make_detections(*objects: tuple[str, Sequence[float]], score: float = 0.8) -> Detections:
    if not objects:
        return Detections.none()
    return Detections(
        np.array([box for _, box in objects], np.float32),
        np.full(len(objects), score, np.float32),
        np.array([CLASSES.index(name) for name, _ in objects], np.int64),
    )


@dataclass
class Bench:
    """A box without camera, detector and network: looks go in, records come out of a real outbox."""

    state: Path
    identity: Identity
    posts: list[Post]
    class_names: tuple[str, ...] = CLASSES
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    now: datetime = NOON

    def start(self) -> "Bench":
        """Also after `stop`: as a new process would."""
        self.outbox = Outbox.open(self.state / "outbox.sqlite3", identity=self.identity)
        self.blobs = BlobStore(self.state / "evidence")
        self.room = Room(self.outbox, self._hear)
        self.recorder = Recorder(
            self.outbox,
            self.blobs,
            self.posts,
            {post.key.camera: WITNESS for post in self.posts},
            room=self.room,
            tell=self._hear,
            now=lambda: self.now,
        )
        self.recorder.take_up(WITNESS)
        self.annotate(0.0)
        self.watches = {
            camera: CameraWatch(
                [post for post in self.posts if post.key.camera == camera],
                class_names=self.class_names,
                family_of=family_of,
                open_incidents=self.recorder.open_incidents(camera),
            )
            for camera in {post.key.camera for post in self.posts}
        }
        return self

    def stop(self) -> None:
        self.outbox.close()

    def _hear(self, event: str, /, **fields: Any) -> None:
        self.said.append((event, fields))

    def look(self, frame: Frame, detections: Detections) -> None:
        self.now = frame.utc
        self.recorder.record(self.watches[frame.camera].look(frame, detections))
        self.annotate(frame.monotonic_s)

    def annotate(self, now_s: float) -> None:
        while self.recorder.annotate(now_s):
            pass

    def watch(self, seconds: Iterable[float], *objects: tuple[str, Sequence[float]], camera: str = "cam-1") -> None:
        for stream_s in seconds:
            self.look(make_frame(stream_s, camera=camera), make_detections(*objects))

    def records(self) -> list[Record]:
        keys = {self.identity.signing_key.key_id: self.identity.signing_key.verify_key}
        return [read_record(pending.raw, keys.get) for pending in self.outbox.due(limit=10_000)]

    def alerts(self) -> list[Any]:
        return [record.data for record in self.records() if record.data.TYPE == "teawatch.alert.v1"]

    def phases(self) -> list[tuple[str, int]]:
        return [(alert.phase.value, alert.revision) for alert in self.alerts()]

    def heard(self, event: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.said if name == event]


def post(rule: str, camera: str = "cam-1", zone: Zone = WHOLE, **parameters: Any) -> Post:
    kind = RULES[rule].kinds[0]
    return Post(Key(camera, rule, zone.id, kind), make_rule(rule, zone, **parameters))


def every(step_s: float, start_s: float, end_s: float) -> list[float]:
    return [start_s + number * step_s for number in range(round((end_s - start_s) / step_s))]
