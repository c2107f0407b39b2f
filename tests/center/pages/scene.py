"""A whole centre for the pages' tests: the demo county, three accounts, and a box whose signed words go through intake.

Nothing is faked on the centre's side: the box seals real records, the desk verifies and files them, and pictures lie in
the store of evidence. Only the broker between them is left out.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import cv2
import httpx
import numpy as np
import uvicorn
from fastapi import FastAPI

from alerts.control_messages import Status
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
    Phase,
    SeenObject,
    Shortfall,
)
from alerts.records import FIRST_PREVHASH, JournalData, Record, hash_of, write_record
from alerts.status import write_status
from alerts.topics import Channel, Topic
from center.accounts.people import add_user
from center.app import create_app, start, stop
from center.boxes.keys import register
from center.clock import SetMachine
from center.county.seeding import PackAddress, seed
from center.evidence.files import note_arrival
from center.feed.hub import announce
from center.intake.filing import Outcome
from center.office import Office
from center.settings import Settings, load_settings
from enforcement.leads import lead_id
from tests.center.stage import PEOPLE

TENANT: Final = "demo-county"
DEVICE: Final = "box-demo-01"
PASSWORD: Final = "kept-in-the-test-only"
WIDTH: Final = 768
HEIGHT: Final = 576
MODEL: Final = Model(name="yolov3_tiny", sha256="f" * 64)
ROOMS: Final = (
    "/",
    "/leads",
    "/tasks?show=all",
    "/map",
    "/cameras",
    "/coverage",
    "/devices",
    "/quarantine",
    "/log",
    "/packs",
    "/rooms",
)
"""Every page that stands in the navigation or leads on from it."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a camera of the demo sees: camera, zone, rule and kind, and the box around it."""

    camera: str
    kind: str
    rule: str
    zone: str
    thing: str
    box: Box
    clauses: tuple[Clause, ...]


PARKING: Final = Sighting(
    "cam-street-01",
    "street.illegal_parking",
    "parking",
    "no-parking",
    "truck",
    Box(x=560, y=120, width=150, height=110),
    (
        Clause(name="vehicle_in_zone", holds=True, measured=1, threshold=1, unit="count"),
        Clause(name="overlap", holds=True, measured=870, threshold=500, unit="permille"),
        Clause(name="standing_time", holds=True, measured=20_400, threshold=20_000, unit="ms"),
    ),
)
INTRUSION: Final = Sighting(
    "cam-garden-01",
    "garden.intrusion",
    "grass",
    "plot",
    "person",
    Box(x=180, y=300, width=60, height=170),
    (
        Clause(name="person_in_zone", holds=True, measured=1, threshold=1, unit="count"),
        Clause(name="time_inside", holds=True, measured=3_200, threshold=2_000, unit="ms"),
        Clause(name="within_schedule", holds=True, measured=1, threshold=1, unit="count"),
    ),
)


def draw_street(sighting: Sighting, mark: str) -> bytes:
    """A generated picture: sky, a street, a tea-green bank and the thing seen; `mark` in its corner."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:] = (206, 200, 188)
    cv2.fillPoly(picture, [np.array([[0, 240], [WIDTH, 160], [WIDTH, HEIGHT], [0, HEIGHT]])], (128, 126, 122))
    cv2.fillPoly(picture, [np.array([[0, 430], [520, HEIGHT], [0, HEIGHT]])], (92, 142, 96))
    for step in range(0, WIDTH, 90):
        cv2.line(picture, (step, 330 - step // 12), (step + 45, 326 - step // 12), (220, 220, 214), 4)
    seen = sighting.box
    colour = (232, 234, 236) if sighting.thing == "truck" else (86, 70, 160)
    cv2.rectangle(picture, (seen.x, seen.y), (seen.x + seen.width, seen.y + seen.height), colour, -1)
    if sighting.thing == "truck":
        for wheel in (0.22, 0.78):
            spot = (seen.x + int(seen.width * wheel), seen.y + seen.height)
            cv2.circle(picture, spot, seen.height // 7, (40, 40, 42), -1)
    cv2.putText(picture, mark, (12, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (60, 60, 60), 1)
    return _jpeg(picture)


def annotate(picture: bytes, sighting: Sighting) -> bytes:
    """The copy a box would draw on: the box around the thing."""
    drawn = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None
    seen = sighting.box
    cv2.rectangle(drawn, (seen.x, seen.y), (seen.x + seen.width, seen.y + seen.height), (30, 38, 220), 3)
    return _jpeg(drawn)


def _jpeg(picture: Any) -> bytes:
    made, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert made
    return bytes(data)


@dataclass
class DemoBox:
    """A box enrolled at the centre; what it says is sealed by its own key and chained."""

    office: Office
    identity: Identity
    epoch: str = "epoch-of-the-test"
    sequence: int = 0
    statuses: int = 0
    prevhash: str = FIRST_PREVHASH
    records: list[Record] = field(default_factory=list)
    pictures: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)

    @property
    def topic(self) -> Topic:
        """Where its journal travels."""
        return self._topic(Channel.JOURNAL)

    def skip(self) -> None:
        """Make a record that never arrives."""
        lost = write_record(
            make_clock(self.office.now()),
            identity=self.identity,
            epoch=self.epoch,
            sequence=self.sequence + 1,
            prevhash=self.prevhash,
            at=self.office.now(),
        )
        self.sequence, self.prevhash = lost.sequence, lost.sha256

    def say(self, data: JournalData, at: datetime) -> Outcome:
        """Put one record into the journal and in front of the centre."""
        self.sequence += 1
        record = write_record(
            data, identity=self.identity, epoch=self.epoch, sequence=self.sequence, prevhash=self.prevhash, at=at
        )
        self.prevhash = record.sha256
        self.records.append(record)
        return self.office.desk.receive(self.topic, record.raw)

    def be_online(self, at: datetime, *, trouble: str = "") -> None:
        """Say so, as on connecting."""
        self.statuses += 1
        status = Status(
            online=True,
            epoch=self.epoch,
            connection=1,
            number=self.statuses,
            pending_records=0,
            pending_uploads=1,
            rejected_downlinks=0,
            trouble=trouble,
        )
        self.office.desk.receive(self._topic(Channel.STATUS), write_status(status, identity=self.identity, at=at))

    def see(
        self,
        sighting: Sighting,
        incident: str,
        at: datetime,
        *,
        phase: Phase = Phase.OPENED,
        revision: int = 1,
        picture: bytes | None = None,
        annotated: bytes | None = None,
        arrives: bool = True,
    ) -> str:
        """Report a sighting with its sealed and its annotated picture; `arrives` brings their bytes. The lead's id."""
        sealed = picture or draw_street(sighting, incident)
        drawn = annotated or annotate(sealed, sighting)
        original = self._artefact(sealed, "picture", None)
        assert (
            self.say(make_alert(sighting, incident, at, phase=phase, revision=revision, picture=original), at)
            is Outcome.STORED
        )
        copy = self._artefact(drawn, "annotated", original.sha256)
        evidence = Evidence(incident=incident, camera=sighting.camera, artefacts=(copy,))
        assert self.say(evidence, at) is Outcome.STORED
        lead = lead_id(DEVICE, incident)
        self.pictures[lead] = (sealed, drawn)
        if arrives:
            self.bring_all(lead, at)
        return lead

    def film(
        self,
        camera: str,
        incident: str,
        clip: bytes,
        at: datetime,
        *,
        media_type: str = "video/mp4",
        falls_short: tuple[Shortfall, ...] = (),
    ) -> None:
        """Announce a clip of an incident; its bytes come with `bring`."""
        artefact = Artefact(
            sha256=hash_of(clip), size_bytes=len(clip), media_type=media_type, role="clip", falls_short=falls_short
        )
        evidence = Evidence(incident=incident, camera=camera, artefacts=(artefact,))
        assert self.say(evidence, at) is Outcome.STORED

    def bring_all(self, lead: str, at: datetime) -> None:
        """The bytes of both pictures of a lead arrive."""
        for data in self.pictures[lead]:
            self.bring(lead, data, at)

    def bring(self, lead: str, data: bytes, at: datetime) -> None:
        """The bytes of an announced file arrive, as after a checked upload."""
        sha256 = self.office.evidence.put(data)
        with self.office.database.writing() as session:
            note_arrival(session, tenant=TENANT, sha256=sha256, at=at)
            announce(session, "evidence", lead)

    def _artefact(self, data: bytes, role: Any, derived_from: str | None) -> Artefact:
        return Artefact(
            sha256=hash_of(data),
            size_bytes=len(data),
            media_type="image/jpeg",
            role=role,
            derived_from=derived_from,
        )

    def _topic(self, channel: Channel) -> Topic:
        return Topic(TENANT, DEVICE, channel)


def make_alert(
    sighting: Sighting, incident: str, at: datetime, *, phase: Phase, revision: int, picture: Artefact
) -> Alert:
    """The alert of one phase of a sighting."""
    return Alert(
        incident=incident,
        revision=revision,
        phase=phase,
        kind=sighting.kind,
        rule=sighting.rule,
        config_sha256="c" * 64,
        camera=sighting.camera,
        zone=sighting.zone,
        observed_at=at,
        opened_at=at,
        stream_ms=24_500,
        footage="recording",
        frame=FrameSize(width=WIDTH, height=HEIGHT),
        objects=(SeenObject(class_name=sighting.thing, score_permille=712, box=sighting.box),),
        because=Because(clauses=sighting.clauses, first_frame_ms=4_100, last_frame_ms=24_500),
        model=MODEL,
        evidence=(picture,),
        clock=ClockQuality.SYNCHRONISED,
    )


def make_clock(at: datetime) -> Clock:
    """A record that changes nothing but the journal."""
    return Clock(boot="boot-1", monotonic_ms=1, utc=at, quality=ClockQuality.SYNCHRONISED)


@dataclass
class Scene:
    """One centre with everything a page can show, and the time it believes it is."""

    app: FastAPI
    office: Office
    box: DemoBox
    packs: tuple[PackAddress, ...]
    url: str = ""

    @property
    def now(self) -> datetime:
        """The centre's clock."""
        return self.office.now()

    def client(self, *, language: str = "en") -> httpx.Client:
        """A browser without scripts."""
        headers = {"Accept": "text/html", "Accept-Language": language}
        return httpx.Client(base_url=self.url, headers=headers, follow_redirects=False, timeout=60)

    @contextmanager
    def signed_in(self, name: str = "officer-a", *, language: str = "en") -> Iterator[httpx.Client]:
        """The same, signed in."""
        with self.client(language=language) as client:
            answer = client.post("/sign-in", data={"name": name, "password": PASSWORD, "back": "/"})
            assert answer.status_code == httpx.codes.SEE_OTHER, f"{name} was not let in: {answer.text}"
            yield client


@contextmanager
def open_scene(folder: Path, *, now: Callable[[], datetime] | None = None) -> Iterator[Scene]:
    """A seeded centre that answers on a port of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        clock = now or (lambda: datetime.now(UTC))
        app = create_app(_settings(folder, port), machine=SetMachine(clock), listening=False)
        office: Office = app.state.office
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
        start(office, listening=False)
        packs = _furnish(office, clock())
        box = _enrol(office, clock())
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        scene = Scene(app, office, box, packs, f"http://127.0.0.1:{port}")
        try:
            _wait_for(server)
            yield scene
        finally:
            server.should_exit = True
            office.hub.close()
            thread.join(timeout=15)
            stop(office)
        assert not thread.is_alive(), "the server did not stop"


def _settings(folder: Path, port: int) -> Settings:
    return load_settings(folder, tenant=TENANT, name="TeaWatch", web={"port": port})


def _furnish(office: Office, now: datetime) -> tuple[PackAddress, ...]:
    with office.database.writing() as session:
        packs = seed(session, tenant=TENANT, now=now).packs
        for name, role in PEOPLE.items():
            add_user(session, tenant=TENANT, name=name, role=role, password=PASSWORD, language="zh-CN", at=now)
    return packs


def _enrol(office: Office, now: datetime) -> DemoBox:
    key = SigningKey.generate()
    with office.database.writing() as session:
        register(session, tenant=TENANT, name=DEVICE, key=key.verify_key, enrolment="e1", at=now - timedelta(days=3))
    identity = Identity(
        tenant=TENANT,
        device=DEVICE,
        signing_key=key,
        centre_key=office.keyring.signing_key.verify_key,
        center_url=office.settings.url,
        mqtt_host="127.0.0.1",
        mqtt_port=1,
        mqtt_username=DEVICE,
        mqtt_password="unused",
    )
    return DemoBox(office, identity)


def _wait_for(server: uvicorn.Server) -> None:
    waited = threading.Event()
    for _ in range(400):
        if server.started:
            return
        waited.wait(0.025)
    raise AssertionError("the server did not start")
