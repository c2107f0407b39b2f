"""A centre to test: its database with the demo county in a folder of its own, a clock that is set by hand, a box."""

import hashlib
import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import func, select

from alerts.control_messages import Disposition, Receipt
from alerts.events import open_event
from alerts.identity import Identity
from alerts.keys import SigningKey, VerifyKey
from alerts.messages import Alert, Artefact, Clock, ClockQuality, Event, Evidence, KeyRotation, Phase
from alerts.records import FIRST_PREVHASH, JournalData, Record, write_record
from alerts.subscriber import Incoming
from alerts.topics import Channel, Topic
from alerts.uploader import upload_token
from center.accounts.people import Role, add_user
from center.app import create_app, make_office
from center.boxes.certificates import keep_server_pair
from center.boxes.keys import register
from center.clock import SetMachine
from center.county.seeding import seed
from center.database import Database
from center.evidence.custody import Act, Handled, chain_of
from center.intake.desk import Desk
from center.intake.filing import FilingRules, Outcome
from center.intake.quarantine import Limits, QuarantineEntry
from center.keyring import load_keyring, make_secrets
from center.office import Office
from center.schema import migrate
from center.settings import FILE_NAME, Settings, load_settings
from tests.alerts.parts import make_alert as any_alert

TENANT = "demo-county"
BOX = "box-demo-01"
STREET = "cam-street-01"
GARDEN = "cam-garden-01"
NOW = datetime(2026, 11, 19, 2, 0, tzinfo=UTC)  # a Thursday, 10:00 in Shanghai
PASSWORD = "a password for tests"
PEOPLE = {
    "officer-a": Role.OFFICER,
    "officer-b": Role.OFFICER,
    "head": Role.HEAD,
    "technician": Role.TECHNICIAN,
    "lawyer": Role.LEGAL_REVIEWER,
    "engineer": Role.TECHNICAL_REVIEWER,
}


class SetClock:
    """The time a test says it is."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **length: float) -> None:
        self.at += timedelta(**length)


@cache
def _template() -> Path:
    """A data folder with the demo county and accounts, made once and copied for each test."""
    folder = Path(tempfile.mkdtemp(prefix="teawatch-centre-"))
    (folder / FILE_NAME).write_text(f"tenant: {TENANT}\n")
    settings = load_settings(folder)
    make_secrets(settings)
    office = make_office(settings, load_keyring(settings))
    migrate(office.database)
    with office.database.writing() as session:
        seed(session, tenant=TENANT, now=NOW)
        for name, role in PEOPLE.items():
            add_user(session, tenant=TENANT, name=name, role=role, password=PASSWORD, language="en", at=NOW)
    office.database.close()
    return folder


def make_settings(folder: Path, **more: Any) -> Settings:
    """Settings of a fresh copy of the demo county."""
    if not folder.exists():
        shutil.copytree(_template(), folder)
    return load_settings(folder, **more)


@dataclass
class Stage:
    """A centre whose receipts are caught instead of sent."""

    office: Office
    clock: SetClock
    desk: Desk
    sent: list[tuple[Topic, bytes]] = field(default_factory=list)

    def hear(
        self, raw: bytes, *, device: str = BOX, channel: Channel = Channel.JOURNAL, tenant: str = TENANT
    ) -> Outcome:
        """What became of these bytes under the topic of this box."""
        return self.desk.receive(Topic(tenant, device, channel), raw)

    def hear_all(self, raws: Sequence[bytes], *, device: str = BOX) -> Sequence[Incoming]:
        """A batch; those that could not be taken in."""
        return self.desk.receive_all([Incoming(Topic(TENANT, device, Channel.JOURNAL), raw) for raw in raws])

    def receipts(self) -> list[tuple[Event, Receipt]]:
        """Receipts sent so far, verified with the centre's key."""
        key = self.office.keyring.signing_key.verify_key
        opened = [open_event(raw, {Receipt.TYPE: Receipt}, {key.key_id: key}.get) for _, raw in self.sent]
        return [(sealed.event, sealed.data) for sealed in opened]

    def last_receipt(self) -> Receipt:
        return self.receipts()[-1][1]

    def count(self, table: type[Any]) -> int:
        with self.office.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def all(self, table: type[Any]) -> Sequence[Any]:
        with self.office.database.reading() as session:
            rows = session.scalars(select(table)).all()
            session.expunge_all()
            return rows

    def looks(self, sha256: str) -> list[Handled]:
        """Who looked at this file or took it away."""
        with self.office.database.reading() as session:
            chain = chain_of(session, tenant=TENANT, lead_id="", files=[sha256])
        return [handled for handled in chain if handled.act in (Act.VIEWED, Act.DOWNLOADED)]

    def quarantined(self) -> dict[str, int]:
        """How often each reason occurred."""
        counts: dict[str, int] = {}
        for entry in self.all(QuarantineEntry):
            counts[entry.reason] = counts.get(entry.reason, 0) + entry.count
        return counts

    def with_database(self, database: Database) -> "Stage":
        """The same centre at another connection to its database."""
        return set_stage(replace(self.office, database=database), self.clock)

    def enrol_box(self, name: str = BOX, key: SigningKey | None = None) -> "Box":
        """A box whose key the centre knows."""
        key = key or SigningKey.generate()
        with self.office.database.writing() as session:
            register(session, tenant=TENANT, name=name, key=key.verify_key, enrolment="e-1", at=self.clock())
        return Box(identity_of(name, key, self.office.keyring.signing_key.verify_key))


@dataclass
class Web:
    """A centre's pages and JSON, without broker, and the desk behind them."""

    stage: Stage
    client: httpx.Client

    def sign_in(self, name: str = "officer-a", password: str = PASSWORD) -> str:
        """Sign this browser in; the token for what changes something."""
        answer = self.client.post("/api/v1/session", json={"username": name, "password": password})
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["csrf_token"]
        self.client.headers["X-CSRF-Token"] = token
        return token

    def bring(self, box: "Box", data: bytes, **more: Any) -> httpx.Response:
        """The box puts a file."""
        sha256 = hashlib.sha256(data).hexdigest()
        token = upload_token(box.identity, more.pop("sha256", sha256), more.pop("size_bytes", len(data)))
        headers = {"Authorization": token} | more.pop("headers", {})
        path = f"/api/v1/evidence/{more.pop('address', sha256)}"
        return self.client.put(path, content=data, headers=headers)


@contextmanager
def open_web(folder: Path, **more: Any) -> Iterator[Web]:
    """A centre in this folder that answers HTTP on a port of its own."""
    clock = SetClock()
    app = create_app(make_settings(folder, **more), machine=SetMachine(clock), listening=False)
    office: Office = app.state.office
    pair = keep_server_pair(office.settings, office.keyring.authority, clock())[0] if office.settings.web.tls else None
    trusted = ssl.create_default_context(cadata=office.keyring.authority.pem) if pair else True
    with serving(app, pair) as url, httpx.Client(base_url=url, timeout=60, verify=trusted) as client:
        yield Web(set_stage(office, clock), client)


@contextmanager
def serving(app: FastAPI, pair: Path | None = None) -> Iterator[str]:
    """The address of this application, served by a thread until the block ends; `pair` is for https."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        log_config=None,
        timeout_graceful_shutdown=2,
        lifespan="on",
        ssl_certfile=pair,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="web")
    thread.start()
    try:
        yield f"{'https' if pair else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def open_stage(folder: Path, **more: Any) -> Iterator[Stage]:
    """A centre in this folder, nothing started."""
    clock = SetClock()
    settings = make_settings(folder, **more)
    office = make_office(settings, load_keyring(settings), SetMachine(clock))
    try:
        yield set_stage(office, clock)
    finally:
        office.database.close()


def set_stage(office: Office, clock: SetClock) -> Stage:
    """The desk of this office, its receipts caught."""
    sent: list[tuple[Topic, bytes]] = []
    rules = FilingRules(TENANT, office.keyring.signing_key, timedelta(hours=1), 64 * 1024, Limits(4096, 100))
    desk = Desk(office.database, rules, send=lambda topic, raw: sent.append((topic, raw)), now=clock)
    return Stage(office, clock, desk, sent)


def identity_of(name: str, key: SigningKey, centre: VerifyKey, *, port: int = 1, password: str = "") -> Identity:
    return Identity(
        tenant=TENANT,
        device=name,
        signing_key=key,
        centre_key=centre,
        center_url="http://127.0.0.1:1",
        mqtt_host="127.0.0.1",
        mqtt_port=port,
        mqtt_username=name,
        mqtt_password=password,
    )


class Box:
    """A box that writes its journal, record after record, without an outbox."""

    def __init__(self, identity: Identity, epoch: str = "epoch-1") -> None:
        self.identity = identity
        self.epoch = epoch
        self.records: list[Record] = []

    def write(self, data: JournalData, *, at: datetime = NOW) -> Record:
        """The next record of the chain."""
        before = self.records[-1].sha256 if self.records else FIRST_PREVHASH
        number = len(self.records) + 1
        record = write_record(data, identity=self.identity, epoch=self.epoch, sequence=number, prevhash=before, at=at)
        self.records.append(record)
        return record

    def clone(self) -> "Box":
        """Another box with this one's identity and journal so far."""
        twin = Box(self.identity, self.epoch)
        twin.records = list(self.records)
        return twin

    def rotate(self, key: SigningKey | None = None) -> Record:
        """The record by which this box changes its key; what it writes afterwards is signed with the new one."""
        key, old = key or SigningKey.generate(), self.identity.signing_key
        before = self.records[-1].sha256 if self.records else FIRST_PREVHASH
        record = write_record(
            KeyRotation(key=key.verify_key.to_text(), retires=old.key_id),
            identity=self.identity,
            epoch=self.epoch,
            sequence=len(self.records) + 1,
            prevhash=before,
            at=NOW,
            cosigner=key,
        )
        self.records.append(record)
        self.identity = replace(self.identity, signing_key=key)
        return record


def make_alert(revision: int = 1, phase: Phase = Phase.OPENED, **more: Any) -> Alert:
    """An alert of the demo's street camera."""
    base = {"camera": STREET, "observed_at": NOW, "opened_at": NOW, "evidence": ()}
    base |= {"revision": revision, "phase": phase}
    return any_alert().model_copy(update=base | more)


def make_artefact(data: bytes = b"jpg", role: Any = "picture") -> Artefact:
    """A picture with these bytes."""
    sha256 = hashlib.sha256(data).hexdigest()
    return Artefact(sha256=sha256, size_bytes=len(data), media_type="image/jpeg", role=role)


def make_evidence(*artefacts: Artefact, incident: str = "i-1", camera: str = STREET) -> Evidence:
    return Evidence(incident=incident, camera=camera, artefacts=artefacts)


def make_clock(number: int = 0) -> Clock:
    return Clock(boot="boot-1", monotonic_ms=number, utc=NOW, quality=ClockQuality.SYNCHRONISED)


STORED, QUARANTINED = Disposition.STORED, Disposition.QUARANTINED
