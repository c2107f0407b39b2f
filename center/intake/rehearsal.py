"""The way of an alert, walked once before the first one comes, and undone.

The first alert that a new process takes in has statements to be compiled and the register to be looked up for: some
twenty times the work of the next one, a second on a busy machine, and what comes behind it waits as long. So a centre
takes in an alert of its own making at the start, in a transaction that is never committed and of which nobody hears.
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from alerts.events import to_data
from alerts.messages import (
    Alert,
    Artefact,
    Because,
    Clause,
    Clock,
    ClockQuality,
    Event,
    Evidence,
    FrameSize,
    Model,
    Phase,
)
from alerts.records import FIRST_PREVHASH, JournalData, hash_of
from alerts.subscriber import Incoming
from alerts.topics import Channel, Topic
from center.boxes.devices import DeviceKey
from center.database import Database
from center.intake.filing import FilingRules, Outcome, file_readings
from center.intake.reading import Entry, Reading
from traceability.cameras import cameras_at

KIND = "street.illegal_parking"
NAME = "rehearsal"

log = structlog.get_logger()


def rehearse(database: Database, rules: FilingRules, at: datetime) -> None:
    """Take in what a box would report of an incident, from its beginning to its end; nothing of it stays.

    Without an enrolled box that has a camera nothing is done. If it fails, which is logged, the first alert is slower.
    """
    try:
        with database.trying() as session:
            for reading in _readings(session, rules.tenant, at):
                outcomes = file_readings(session, rules, [reading], at).outcomes
                if outcomes != (Outcome.STORED,):
                    log.warning("rehearsal_failed", reason=f"what a box says is {outcomes[0]}")
                    return
    except (SQLAlchemyError, ValueError) as error:  # ValueError: a camera whose name no box could say
        log.warning("rehearsal_failed", reason=str(error).splitlines()[0])


def _readings(session: Session, tenant: str, at: datetime) -> Sequence[Reading]:
    keys = select(DeviceKey.device, DeviceKey.key_id).where(DeviceKey.tenant == tenant, DeviceKey.retired_at.is_(None))
    key_of = {row.device: row.key_id for row in session.execute(keys)}
    for camera in cameras_at(session, tenant=tenant, at=at):
        if camera.device in key_of:
            return tuple(_say(tenant, camera.device, key_of[camera.device], _story(camera.id, at), at))
    return ()


def _say(tenant: str, device: str, key_id: str, story: Sequence[JournalData], at: datetime) -> Iterator[Reading]:
    """The records as they would come from this box, but for the signature, which is verified before any transaction."""
    topic, epoch, before = Topic(tenant, device, Channel.JOURNAL), secrets.token_hex(8), FIRST_PREVHASH
    for sequence, data in enumerate(story, start=1):
        raw = f"{NAME} {epoch} {sequence}".encode()
        event = Event(
            id=f"{epoch}-{sequence}",
            source=NAME,
            type=data.TYPE,
            time=at,
            tenant=tenant,
            device=device,
            epoch=epoch,
            sequence=sequence,
            prevhash=before,
            data=to_data(data),
        )
        yield Reading(Incoming(topic, raw), Entry(event, data, raw, hash_of(raw), key_id, sequence, before))
        before = hash_of(raw)


def _story(camera: str, at: datetime) -> tuple[JournalData, ...]:
    incident = f"{NAME}-{secrets.token_hex(8)}"
    picture, annotated = _file("picture"), _file("annotated")
    opened = Alert(
        incident=incident,
        revision=1,
        phase=Phase.OPENED,
        kind=KIND,
        rule=NAME,
        config_sha256="0" * 64,
        camera=camera,
        zone=NAME,
        observed_at=at,
        opened_at=at,
        stream_ms=0,
        footage="live",
        frame=FrameSize(width=1, height=1),
        objects=(),
        because=Because(
            clauses=(Clause(name="inside_zone", holds=True, measured=1000, threshold=500, unit="permille"),),
            first_frame_ms=0,
            last_frame_ms=0,
        ),
        model=Model(name=NAME, sha256="0" * 64),
        evidence=(picture,),
        clock=ClockQuality.SYNCHRONISED,
    )
    closed = opened.model_copy(update={"revision": 2, "phase": Phase.CLOSED, "evidence": ()})
    return (
        Clock(boot=NAME, monotonic_ms=0, utc=at, quality=ClockQuality.SYNCHRONISED),
        opened,
        Evidence(incident=incident, camera=camera, artefacts=(annotated,)),
        closed,
    )


def _file(role: str) -> Artefact:
    sha256 = hashlib.sha256(secrets.token_bytes(16)).hexdigest()
    return Artefact.model_validate({"sha256": sha256, "size_bytes": 1, "media_type": "image/jpeg", "role": role})
