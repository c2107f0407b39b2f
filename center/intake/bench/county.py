"""A county to measure in: the demo's ground, with many boxes, each with a camera on the street or in the garden.

What the boxes say is signed beforehand, chained as an outbox does it: signing is the boxes' work, not the centre's.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import Alert, Artefact, Because, Box, Clause, ClockQuality, FrameSize, Model, Phase, SeenObject
from alerts.records import FIRST_PREVHASH, write_record
from alerts.subscriber import Incoming
from alerts.topics import Channel, Topic
from center.boxes.keys import register
from center.county.seeding import seed
from center.database import Database
from center.keyring import Keyring
from center.schema import migrate
from traceability.cameras import Camera, CameraEntry, camera_at

TENANT = "bench-county"
VIEWS = (("cam-street-01", "street.illegal_parking"), ("cam-garden-01", "garden.intrusion"))
EPOCH = "bench"


@dataclass
class BenchBox:
    """A box that writes its journal without an outbox."""

    identity: Identity
    camera: str
    kind: str
    written: int = 0
    prevhash: str = field(default=FIRST_PREVHASH)

    def write(self, incident: str, at: datetime) -> Incoming:
        """The next record of its journal: an incident was opened, with a picture."""
        self.written += 1
        record = write_record(
            self._alert(incident, at),
            identity=self.identity,
            epoch=EPOCH,
            sequence=self.written,
            prevhash=self.prevhash,
            at=at,
        )
        self.prevhash = record.sha256
        return Incoming(Topic(TENANT, self.identity.device, Channel.JOURNAL), record.raw)

    def _alert(self, incident: str, at: datetime) -> Alert:
        picture = hashlib.sha256(f"{self.identity.device} {incident}".encode()).hexdigest()
        return Alert(
            incident=incident,
            revision=1,
            phase=Phase.OPENED,
            kind=self.kind,
            rule="rule-1",
            config_sha256="c" * 64,
            camera=self.camera,
            zone="zone-1",
            observed_at=at,
            opened_at=at - timedelta(seconds=20),
            stream_ms=20_100,
            footage="live",
            frame=FrameSize(width=1280, height=720),
            objects=(SeenObject(class_name="truck", score_permille=801, box=Box(x=651, y=42, width=73, height=57)),),
            because=Because(
                clauses=(
                    Clause(name="standing_time", holds=True, measured=20_100, threshold=20_000, unit="ms"),
                    Clause(name="inside_zone", holds=True, measured=970, threshold=500, unit="permille"),
                ),
                first_frame_ms=0,
                last_frame_ms=20_100,
            ),
            model=Model(name="yolov3_tiny", sha256="d" * 64),
            evidence=(Artefact(sha256=picture, size_bytes=81_920, media_type="image/jpeg", role="picture"),),
            clock=ClockQuality.SYNCHRONISED,
        )


def make_county(database: Database, keyring: Keyring, *, boxes: int, now: datetime) -> tuple[BenchBox, ...]:
    """Register the demo county, once, and so many boxes."""
    migrate(database)
    with database.writing() as session:
        seed(session, tenant=TENANT, now=now)
        return tuple(_enrol(session, keyring, number, now) for number in range(boxes))


def _enrol(session: Session, keyring: Keyring, number: int, now: datetime) -> BenchBox:
    name, key = f"box-{number:03}", SigningKey.generate()
    register(session, tenant=TENANT, name=name, key=key.verify_key, enrolment="bench", at=now)
    view, kind = VIEWS[number % len(VIEWS)]
    like = camera_at(session, tenant=TENANT, camera=view, at=now)
    if like is None:
        raise LookupError(view)
    camera = f"cam-{number:03}"
    columns = {column.key: getattr(like, column.key) for column in CameraEntry.__table__.columns}
    session.add(Camera(tenant=TENANT, id=camera, name_zh=camera, name_en=camera))
    session.flush()
    session.add(CameraEntry(**columns | {"id": camera, "device": name}))
    session.flush()
    identity = Identity(
        tenant=TENANT,
        device=name,
        signing_key=key,
        centre_key=keyring.signing_key.verify_key,
        center_url="http://127.0.0.1:1",
        mqtt_host="127.0.0.1",
        mqtt_port=1,
        mqtt_username=name,
        mqtt_password="",
    )
    return BenchBox(identity, camera, kind)


def tell(boxes: tuple[BenchBox, ...], count: int, at: datetime) -> Iterator[Incoming]:
    """So many alerts, the boxes in turn."""
    for number in range(count):
        box = boxes[number % len(boxes)]
        yield box.write(f"i-{box.written + 1}", at)
