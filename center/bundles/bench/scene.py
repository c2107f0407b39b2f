"""Bundles to be mutated: real boxes' journals through a real centre's intake, exported as an officer would.

The cases differ as cases do: closed and open, with and without clips, with records of other incidents between, with a
record that never came, a file that never came, a key that was replaced, a clock that was never set, with a recording
that an officer added, with a redacted copy that was released.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random

from alerts.bundles.trust import Trust
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import (
    Alert,
    Artefact,
    Because,
    Box,
    Clause,
    Clock,
    ClockQuality,
    Evidence,
    FrameSize,
    Model,
    Packets,
    Phase,
    SeenObject,
)
from alerts.records import FIRST_PREVHASH, JournalData, write_record
from alerts.redaction import Redaction
from alerts.topics import Channel, Topic
from center.app import make_office
from center.boxes.keys import register
from center.bundles.exporting import Sealer, export_bundle
from center.bundles.trusting import trust_of
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
from center.logs import set_up
from center.schema import migrate
from center.settings import load_settings
from enforcement.actors import Actor, Role
from enforcement.leads import Lead
from traceability.cameras import Camera, CameraEntry, camera_at

TENANT = "bench-county"
NOON = datetime(2026, 4, 5, 12, tzinfo=UTC)
PICTURE_BYTES, CLIP_BYTES = 24_000, 60_000


@dataclass(frozen=True, slots=True)
class Case:
    """An intact bundle."""

    id: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Scene:
    """Intact bundles, the keys to check them with, and the secret keys that an insider or an attacker would have."""

    cases: Sequence[Case]
    trust: Trust
    centre: SigningKey
    boxes: Sequence[SigningKey]
    stranger: SigningKey


class _Centre:
    """A centre in a folder of its own, its clock set by hand, and the boxes that speak to it."""

    def __init__(self, folder: Path, random: Random) -> None:
        (folder / "center.yaml").write_text(f"tenant: {TENANT}\n", encoding="utf-8")
        settings = load_settings(folder)
        make_secrets(settings)
        self.at = NOON
        self.random = random
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
        with self.office.database.writing() as session:
            register(session, tenant=TENANT, name=device, key=key.verify_key, enrolment="bench", at=self.at)

    def export(self, case: str) -> Case:
        sealer = Sealer(TENANT, self.office.keyring.signing_key, self.office.evidence, self.office.settings.data)
        target = BytesIO()
        with self.office.database.writing() as session:
            publish_head(session, self.office.notary, self.at)
        with self.office.database.reading() as session:
            export_bundle(session, sealer, case, target, at=self.at)
        return Case(case, target.getvalue())


class _Box:
    """Writes a journal, each record after a minute, and sends it unless told to keep it back."""

    def __init__(self, centre: _Centre, device: str, quality: ClockQuality = ClockQuality.SYNCHRONISED) -> None:
        self._centre = centre
        self._device = device
        self._quality = quality
        self._prevhash, self._sequence = FIRST_PREVHASH, 0
        self.keys: list[SigningKey] = []
        self.renew_key()
        self._camera = centre.place_camera(device)

    def renew_key(self) -> None:
        self.keys.append(SigningKey.generate())
        self._centre.enrol(self._device, self.keys[-1])

    def write(self, data: JournalData, *, sent: bool = True) -> None:
        self._centre.at += timedelta(minutes=1)
        self._sequence += 1
        record = write_record(
            data,
            identity=_identity(self._device, self.keys[-1], self._centre.office.keyring.signing_key),
            epoch="bench",
            sequence=self._sequence,
            prevhash=self._prevhash,
            at=self.time,
        )
        self._prevhash = record.sha256
        if sent:
            self._centre.hear(self._device, record.raw)

    @property
    def time(self) -> datetime:
        """What the box believes."""
        is_set = self._quality is not ClockQuality.UNSYNCHRONISED
        return self._centre.at if is_set else self._centre.at - timedelta(days=20_000)

    def alert(self, incident: str, revision: int, phase: Phase, *files: Artefact) -> Alert:
        box = Box(x=651, y=42, width=73, height=57)
        clause = Clause(name="standing_time", holds=True, measured=20_000 * revision, threshold=20_000, unit="ms")
        last_ms = 60_000 * self._sequence
        return Alert(
            incident=incident,
            revision=revision,
            phase=phase,
            kind="street.illegal_parking",
            rule="parking",
            config_sha256="c" * 64,
            camera=self._camera,
            zone="no-parking",
            observed_at=self.time,
            opened_at=self.time,
            stream_ms=last_ms,
            footage="live",
            frame=FrameSize(width=1920, height=1080),
            objects=(SeenObject(class_name="truck", score_permille=801, box=box),),
            because=Because(clauses=(clause,), first_frame_ms=0, last_frame_ms=last_ms),
            model=Model(name="yolov3_tiny", sha256="d" * 64),
            evidence=files,
            clock=self._quality,
        )

    def file(
        self, role: str, *, media_type: str = "image/jpeg", of: Artefact | None = None, comes: bool = True
    ) -> Artefact:
        size_bytes = CLIP_BYTES if role == "clip" else PICTURE_BYTES
        data = self._centre.random.randbytes(size_bytes)
        if comes:
            self._centre.office.evidence.put(data)
        sha256 = hashlib.sha256(data).hexdigest()
        return Artefact.model_validate(
            {
                "sha256": sha256,
                "size_bytes": size_bytes,
                "media_type": media_type,
                "role": role,
                "derived_from": of.sha256 if of else None,
                "packets": None if of else self._packets(is_decoded=role == "picture"),
            }
        )

    def tell(self, incident: str, *, revisions: int = 3, clip: bool = True, closed: bool = True) -> None:
        """One incident after the other; a clock record, as any other, lies between its records."""
        picture = self.file("picture")
        self.write(self.alert(incident, 1, Phase.OPENED, picture))
        copy = self.file("annotated", of=picture)
        self.write(Evidence(incident=incident, camera=self._camera, artefacts=(copy,)))
        for revision in range(2, revisions + 1):
            self.write(Clock(boot="b", monotonic_ms=revision, utc=self.time, quality=self._quality))
            is_last = closed and revision == revisions
            self.write(self.alert(incident, revision, Phase.CLOSED if is_last else Phase.UPDATED))
        if clip:
            film = self.file("clip", media_type="video/mp4")
            self.write(Evidence(incident=incident, camera=self._camera, artefacts=(film,)))

    def _packets(self, *, is_decoded: bool) -> Packets:
        first = 1500 * self._sequence
        return Packets(
            first=first,
            last=first if is_decoded else first + 250,
            take=0,
            first_ms=60_000 * self._sequence,
            last_ms=60_000 * self._sequence + (0 if is_decoded else 10_000),
            first_at=self.time,
            last_at=self.time,
            codec="h264",
            decoder="libavcodec 62.11.100 h264" if is_decoded else "",
        )


def _identity(device: str, key: SigningKey, centre: SigningKey) -> Identity:
    return Identity(
        tenant=TENANT,
        device=device,
        signing_key=key,
        centre_key=centre.verify_key,
        center_url="http://127.0.0.1:1",
        mqtt_host="127.0.0.1",
        mqtt_port=1,
        mqtt_username=device,
        mqtt_password="",
    )


@contextmanager
def open_scene(seed: int) -> Iterator[Scene]:
    """Bundles of eight cases of three boxes. The keys are new each time: a seed must not make keys."""
    set_up("error")
    random = Random(seed)  # noqa: S311 - what a bench draws must come out the same again
    with tempfile.TemporaryDirectory(prefix="teawatch-bench-") as folder:
        centre = _Centre(Path(folder), random)
        try:
            yield _scene(centre)
        finally:
            centre.office.database.close()


def _scene(centre: _Centre) -> Scene:
    first, second, third = (
        _Box(centre, "box-1"),
        _Box(centre, "box-2"),
        _Box(centre, "box-3", ClockQuality.UNSYNCHRONISED),
    )
    first.tell("i-1")
    first.tell("i-2", clip=False)
    first.tell("i-3", revisions=2, closed=False)
    second.tell("i-1", revisions=5)
    second.write(second.alert("i-2", 1, Phase.OPENED, second.file("picture", comes=False)))
    second.write(Clock(boot="b", monotonic_ms=9, utc=second.time, quality=ClockQuality.SYNCHRONISED), sent=False)
    second.write(second.alert("i-2", 2, Phase.CLOSED))
    centre.at += timedelta(minutes=1)
    second.renew_key()
    second.tell("i-3")
    third.tell("i-1")
    ids = ("box-1.i-1", "box-1.i-2", "box-1.i-3", "box-2.i-1", "box-2.i-2", "box-2.i-3", "box-3.i-1")
    centre.at += timedelta(minutes=1)
    centre.note_files()
    centre.add_recording("box-1.i-1")
    centre.add_recording("box-2.i-3")
    centre.add_copy("box-1.i-2")
    centre.add_copy("box-2.i-3")
    centre.at += timedelta(minutes=1)
    cases = tuple(centre.export(each) for each in ids)
    signing = centre.office.keyring.signing_key
    with centre.office.database.reading() as session:
        trust = trust_of(session, centre.office.notary, at=centre.at)
    keys = (*first.keys, *second.keys, *third.keys)
    return Scene(cases, trust, signing, keys, SigningKey.generate())
