"""What the tests of the wire are made of: a centre's key, an enrolled box, an alert, a small centre that answers."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from alerts.control_messages import Disposition, Recall, Receipt, Status
from alerts.downlinks import write_downlink
from alerts.errors import MessageError
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
    Coverage,
    Evidence,
    FrameSize,
    Hindrance,
    Model,
    Phase,
    SeenObject,
    Stretch,
)
from alerts.outbox import Outbox
from alerts.receipts import Kept, Ledger
from alerts.records import Record, read_record
from alerts.status import read_status
from alerts.subscriber import Incoming, Subscriber
from alerts.topics import Channel, Topic

NOON = datetime(2026, 4, 5, 12, tzinfo=UTC)
CENTRE_KEY = SigningKey.generate()
TENANT = "demo-county"
LIFETIME = timedelta(days=7)
CENTRE_USER = ("centre", 'long "quoted" password')
BOX_USER = ("box-1", "s3cret")
PASSWORDS = dict([CENTRE_USER, BOX_USER])


def make_identity(
    *, device: str = "box-1", mqtt_port: int = 1, mqtt_password: str = BOX_USER[1], **more: object
) -> Identity:
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "device": device,
        "signing_key": SigningKey.generate(),
        "centre_key": CENTRE_KEY.verify_key,
        "center_url": "http://127.0.0.1:8000",
        "mqtt_host": "127.0.0.1",
        "mqtt_port": mqtt_port,
        "mqtt_username": BOX_USER[0],
        "mqtt_password": mqtt_password,
    }
    return Identity(**fields | more)


def kept_of(outbox: Outbox, sequence: int, disposition: Disposition = Disposition.STORED) -> Kept:
    """A record that waits in the outbox, as the centre would have it."""
    with outbox.reading() as connection:
        (sha256,) = connection.execute("SELECT sha256 FROM records WHERE sequence = ?", (sequence,)).fetchone()
    return Kept(sequence, disposition, sha256)


def receipt_of(outbox: Outbox, cumulative: int, *quarantined: int) -> Receipt:
    """The centre's receipt for everything up to a record that still waits."""
    last = kept_of(outbox, cumulative)
    spans = tuple(kept_of(outbox, each, Disposition.QUARANTINED).span for each in quarantined)
    return Receipt(cumulative=cumulative, sha256=last.sha256, spans=spans)


def make_clock(n: int = 0) -> Clock:
    return Clock(boot="boot-1", monotonic_ms=n, utc=NOON, quality=ClockQuality.SYNCHRONISED)


def make_coverage() -> Coverage:
    """Fifteen minutes before noon, the last of them turned away."""
    stretches = (Stretch(length_ms=840_000), Stretch(length_ms=60_000, hindrance=Hindrance.TURNED))
    return Coverage(
        camera="cam-1",
        from_at=NOON - timedelta(minutes=15),
        until_at=NOON,
        stretches=stretches,
        clock=ClockQuality.SYNCHRONISED,
    )


def make_artefact(sha256: str = "a" * 64, size_bytes: int = 3) -> Artefact:
    return Artefact(sha256=sha256, size_bytes=size_bytes, media_type="image/jpeg", role="picture")


def make_evidence(sha256: str = "a" * 64, size_bytes: int = 3) -> Evidence:
    return Evidence(incident="i-1", camera="cam-1", artefacts=(make_artefact(sha256, size_bytes),))


def make_alert(revision: int = 1, phase: Phase = Phase.OPENED) -> Alert:
    return Alert(
        incident="i-1",
        revision=revision,
        phase=phase,
        kind="street.illegal_parking",
        rule="parking",
        config_sha256="c" * 64,
        camera="cam-1",
        zone="no-parking",
        observed_at=NOON,
        opened_at=NOON,
        stream_ms=20_000,
        footage="recording",
        frame=FrameSize(width=768, height=576),
        objects=(SeenObject(class_name="truck", score_permille=801, box=Box(x=651, y=42, width=73, height=57)),),
        because=Because(
            clauses=(Clause(name="standing_time", holds=True, measured=20_100, threshold=20_000, unit="ms"),),
            first_frame_ms=0,
            last_frame_ms=20_100,
        ),
        model=Model(name="yolov3_tiny", sha256="d" * 64),
        evidence=(make_artefact(),),
        clock=ClockQuality.SYNCHRONISED,
    )


def watch_syncs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Each file and folder that is brought to the disk from now on."""
    synced: list[Path] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return synced


@dataclass
class Desk:
    """The least a centre does: verify, keep each record once, answer with a signed receipt."""

    identity: Identity
    port: int
    answering: bool = True
    quarantine: frozenset[int] = frozenset()
    records: dict[int, Record] = field(default_factory=dict)
    arrivals: list[int] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    order: list[Channel] = field(default_factory=list)
    counter: int = 0

    def __post_init__(self) -> None:
        self._kept: dict[int, Kept] = {}
        self._changed = threading.Condition()
        self.subscriber = Subscriber(
            host="127.0.0.1",
            port=self.port,
            username=CENTRE_USER[0],
            password=CENTRE_USER[1],
            tenant=TENANT,
            on_messages=self.take_all,
        )

    def take_all(self, messages: Sequence[Incoming]) -> Sequence[Incoming]:
        for message in messages:
            self.take(*message)
        return ()

    def take(self, topic: Topic, raw: bytes) -> None:
        find_key = {self.identity.signing_key.key_id: self.identity.signing_key.verify_key}.get
        with self._changed:
            try:
                self.order.append(topic.channel)
                if topic.channel is Channel.STATUS:
                    self.statuses.append(read_status(raw, find_key).data)
                else:
                    self._store(read_record(raw, find_key))
            except MessageError:
                return
            finally:
                self._changed.notify_all()

    def _store(self, record: Record) -> None:
        self.arrivals.append(record.sequence)
        self.records.setdefault(record.sequence, record)
        aside = record.sequence in self.quarantine
        disposition = Disposition.QUARANTINED if aside else Disposition.STORED
        self._kept.setdefault(record.sequence, Kept(record.sequence, disposition, record.sha256))
        if self.answering:
            self.send(Ledger.of(self._kept.values()).receipt(self._kept[record.sequence]), epoch=record.epoch)

    def send(
        self, data: Receipt | Recall, *, epoch: str, key: SigningKey = CENTRE_KEY, counter: int | None = None
    ) -> None:
        self.counter += 1
        raw = write_downlink(
            data,
            key=key,
            tenant=TENANT,
            device=self.identity.device,
            epoch=epoch,
            counter=counter or self.counter,
            at=datetime.now(UTC),
            lifetime=LIFETIME,
        )
        channel = Channel.RECEIPTS if isinstance(data, Receipt) else Channel.COMMANDS
        self.subscriber.publish(Topic(TENANT, self.identity.device, channel), raw)

    def wait(self, condition: Callable[[], bool], timeout_s: float = 20) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, timeout_s), "it did not come about in time"

    def __enter__(self) -> Self:
        self.subscriber.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.subscriber.stop()


class Log:
    """Events of a publisher, subscriber or uploader, to be waited for."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self._changed = threading.Condition()

    def __call__(self, name: str, detail: Mapping[str, object]) -> None:
        with self._changed:
            self.events.append((name, dict(detail)))
            self._changed.notify_all()

    def named(self, name: str) -> list[dict[str, object]]:
        return [detail for event, detail in self.events if event == name]

    def wait(self, name: str, times: int = 1, timeout_s: float = 20) -> list[dict[str, object]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.named(name)) >= times, timeout_s), (name, self.events[-5:])
        return self.named(name)

    def total(self, name: str, what: str) -> int:
        return sum(int(str(detail[what])) for detail in self.named(name))

    def wait_total(self, name: str, what: str, total: int, timeout_s: float = 20) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.total(name, what) >= total, timeout_s), (
                self.total(name, what),
                self.events[-5:],
            )
