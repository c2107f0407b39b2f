"""A real centre in a folder of its own, its clock set by hand, from which bundles are exported."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Final

from alerts.keys import SigningKey
from alerts.messages import FrameSize
from alerts.redaction import Redaction
from alerts.stamps import read_stamp
from alerts.topics import Channel, Topic
from center.app import make_office
from center.boxes.keys import register
from center.bundles.bench.authority import Authority, is_possible
from center.bundles.exporting import Sealer, export_bundle
from center.clock import SetMachine
from center.county import seeding
from center.errors import BundleImpossible
from center.evidence.custody import Act, note_custody
from center.evidence.files import files_of, note_arrival
from center.evidence.recordings import Source, add_recording, keep, seal
from center.evidence.redactions import Word, add_copy, say
from center.evidence.redactor import Redacted
from center.keyring import load_keyring, make_secrets
from center.log.heads import publish_head
from center.log.stamping import Stamp, keep_stamp
from center.schema import migrate
from center.settings import load_settings
from enforcement.actors import Actor, Role
from enforcement.leads import Lead
from traceability.cameras import Camera, CameraEntry, camera_at

TENANT: Final = "bench-county"
NOON: Final = datetime(2026, 4, 5, 12, tzinfo=UTC)
PICTURE_BYTES, CLIP_BYTES = 24_000, 60_000


@dataclass(frozen=True, slots=True)
class Case:
    """An intact bundle."""

    id: str
    raw: bytes


class Centre:
    """A centre in a folder of its own, its clock set by hand, and the boxes that speak to it."""

    def __init__(self, folder: Path, random: Random) -> None:
        (folder / "center.yaml").write_text(f"tenant: {TENANT}\n", encoding="utf-8")
        settings = load_settings(folder)
        make_secrets(settings)
        self.at = NOON
        self.random = random
        self.authorities = _authorities(folder)
        self.strange_stamps: dict[bytes, bytes] = {}
        self.office = make_office(settings, load_keyring(settings), SetMachine(lambda: self.at))
        migrate(self.office.database)
        with self.office.database.writing() as session:
            seeding.seed(session, tenant=TENANT, now=NOON)

    def place_camera(self, device: str) -> str:
        """A camera of this box, beside the demo county's street camera; its name."""
        name = f"cam-{device}"
        with self.office.database.writing() as session:
            known = camera_at(session, tenant=TENANT, camera="cam-street-01", at=NOON)
            if known is None:
                raise BundleImpossible("the demo county has no street camera")
            columns = {column.key: getattr(known, column.key) for column in CameraEntry.__mapper__.columns}
            session.add(Camera(tenant=TENANT, id=name, name_zh=name, name_en=name))
            session.flush()
            session.add(CameraEntry(**columns | {"id": name, "device": device}))
        return name

    def hear(self, device: str, raw: bytes) -> None:
        """A record comes in."""
        self.office.desk.receive(Topic(TENANT, device, Channel.JOURNAL), raw)

    def add_copy(self, case: str) -> None:
        """A redacted copy of its picture was made, looked at and released."""
        data = b"\xff\xd8\xff" + self.random.randbytes(PICTURE_BYTES)
        self.office.evidence.put(data)
        with self.office.database.writing() as session:
            lead = session.get_one(Lead, (TENANT, case))
            files = files_of(session, tenant=TENANT, device=lead.device, incident=lead.incident)
            original = next(file.sha256 for file in files if file.role == "picture")
            told = Redaction(
                original_sha256=original,
                copy_sha256=hashlib.sha256(data).hexdigest(),
                size_bytes=len(data),
                frame=FrameSize(width=1920, height=1080),
                covered=(),
                models={},
            )
            made = Redacted(data, told, told.model_dump_json(exclude_none=True))
            by, at, sha256 = Actor("officer", Role.OFFICER), self.at, told.copy_sha256
            add_copy(session, made, tenant=TENANT, lead_id=case, reason="for the notice board", by=by, at=at)
            note_custody(
                session, tenant=TENANT, act=Act.VIEWED, sha256=sha256, who=by.user_id, reason="to compare", at=at
            )
            say(session, tenant=TENANT, lead_id=case, sha256=sha256, word=Word.RELEASE, reason="fine", by=by, at=at)

    def note_files(self) -> None:
        """Whatever lies in the store has come."""
        with self.office.database.writing() as session:
            for path in sorted(self.office.settings.evidence_folder.rglob("*")):
                if path.is_file():
                    note_arrival(session, tenant=TENANT, sha256=path.name, at=self.at)

    def stamp_head(self) -> None:
        """An outside authority stamps the log's head as it is."""
        office, authorities = self.office, self.authorities
        if not authorities:
            return
        with office.database.writing() as session:
            head = publish_head(session, office.notary, self.at)
            own, strange = (each.stamp(head.text) for each in authorities)
            at = read_stamp(own, head.text.encode())
            keep_stamp(session, head, Stamp(own, at, "https://tsa.bench.example/"))
            self.strange_stamps[head.text.encode()] = strange

    def add_recording(self, case: str) -> None:
        """An officer filmed it too."""
        film = BytesIO(b"\0\0\0\x18ftypmp42" + self.random.randbytes(CLIP_BYTES))
        sealed = seal(film, max_bytes=2 * CLIP_BYTES)
        keep(self.office.evidence, film, sealed)
        with self.office.database.writing() as session:
            add_recording(
                session,
                sealed,
                tenant=TENANT,
                lead_id=case,
                source=Source.BODY_WORN,
                note="the van from the side",
                taken_at=self.at - timedelta(minutes=1),
                by=Actor("officer", Role.OFFICER),
                at=self.at,
            )

    def enrol(self, device: str, key: SigningKey) -> None:
        """A box has this key from now on."""
        with self.office.database.writing() as session:
            register(session, tenant=TENANT, name=device, key=key.verify_key, enrolment="bench", at=self.at)

    def export(self, case: str) -> Case:
        """Its bundle, as an officer would save it."""
        sealer = Sealer(TENANT, self.office.keyring.signing_key, self.office.evidence, self.office.settings.data)
        target = BytesIO()
        with self.office.database.writing() as session:
            publish_head(session, self.office.notary, self.at)
        with self.office.database.reading() as session:
            export_bundle(session, sealer, case, target, at=self.at)
        return Case(case, target.getvalue())


def _authorities(folder: Path) -> list[Authority]:
    """One that is trusted and one that is not; none on a machine that cannot run one."""
    if not is_possible():
        return []
    places = [folder / "trusted-authority", folder / "other-authority"]
    for place in places:
        place.mkdir()
    return [Authority.make(place, place.name) for place in places]
