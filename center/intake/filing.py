"""One message, inside one transaction: verify, de-duplicate, keep the bytes, make rows of it, write the receipt.

All of it is committed or none of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from alerts import dsse
from alerts.errors import MessageError
from alerts.keys import SigningKey, VerifyKey
from alerts.messages import Alert, Coverage, Disposition, Evidence, KeyRotation
from alerts.receipts import next_counter, write_receipt
from alerts.records import hash_of
from alerts.status import read_status
from alerts.topics import Channel, Topic
from center.coverage import keep_coverage
from center.devices import Device, note_status
from center.evidence import announce_files
from center.feed import announce
from center.handlers import route
from center.intake.conversion import is_credible, to_facts
from center.intake.journal import find_row, receipt_for, store_row
from center.intake.judging import judge
from center.intake.quarantine import Limits, Reason, Refusal, put_aside, waiting_for_key
from center.intake.reading import Entry, Refused, check_place, finder, read_entry, refusal_of
from center.keys import follow_rotation
from center.log.entries import enter_record
from enforcement.leads import fold_alert, lead_id

log = structlog.get_logger()


class Outcome(StrEnum):
    """What became of a message."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"  # authentic, put aside, with a receipt that says so
    REFUSED = "refused"  # not authentic, put aside, without a receipt
    NOTED = "noted"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class FilingRules:
    """Whose centre this is, which key signs its receipts and for how long, and what is too much."""

    tenant: str
    key: SigningKey
    receipt_lifetime: timedelta
    max_message_bytes: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message, and the receipt to send for it, if it deserves one."""

    outcome: Outcome
    topic: Topic | None = None
    receipt: bytes | None = None


def file_message(session: Session, rules: FilingRules, topic: Topic, raw: bytes, at: datetime) -> Answer:
    """Take in what came on this topic. Never raises for what a box may send, only for what the database refuses."""
    try:
        _check_size(rules, topic, raw)
        match topic.channel:
            case Channel.JOURNAL:
                return _file_entry(session, rules, topic, read_entry(session, topic, raw), at)
            case Channel.STATUS:
                return _file_status(session, topic, raw, at)
            case _:
                return Answer(Outcome.IGNORED)
    except Refused as refused:
        _put_aside(session, rules, refused.refusal, topic=topic, raw=raw, authentic=False, at=at)
        return Answer(Outcome.REFUSED)


def _check_size(rules: FilingRules, topic: Topic, raw: bytes) -> None:
    """Raises Refused for what is not for us, or too large to be looked at."""
    if topic.tenant != rules.tenant:
        raise Refused(Refusal(Reason.WRONG_TOPIC, f"tenant {topic.tenant!r} is not served here"))
    if len(raw) > rules.max_message_bytes:
        raise Refused(Refusal(Reason.TOO_LARGE, f"{len(raw)} bytes; at most {rules.max_message_bytes} are accepted"))


def _put_aside(
    session: Session,
    rules: FilingRules,
    refusal: Refusal,
    *,
    topic: Topic,
    raw: bytes,
    authentic: bool,
    at: datetime,
) -> None:
    entry = put_aside(
        session,
        refusal,
        tenant=rules.tenant,
        topic=topic.text,
        device=topic.device,
        raw=raw,
        authentic=authentic,
        limits=rules.limits,
        at=at,
    )
    announce(session, "quarantine", entry.id)
    log.warning("message_put_aside", reason=refusal.reason.value, device=topic.device, authentic=authentic)


def _file_status(session: Session, topic: Topic, raw: bytes, at: datetime) -> Answer:
    try:
        sealed = read_status(raw, finder(session, topic.tenant))
    except MessageError as error:
        raise Refused(refusal_of(error)) from error
    check_place(session, topic, sealed.event, sealed.key_id)
    device = session.get_one(Device, (topic.tenant, topic.device))
    if note_status(device, sealed.data, hash_of(raw), at):
        announce(session, "device", device.id)
    return Answer(Outcome.NOTED)


def _file_entry(session: Session, rules: FilingRules, topic: Topic, entry: Entry, at: datetime) -> Answer:
    """Every authentic record gets a receipt, a repeated one too: the box may have lost the first."""
    device = session.get_one(Device, (topic.tenant, topic.device))
    device.last_seen_at = at
    if find_row(session, entry) is not None:
        device.duplicates += 1
        outcome = Outcome.DUPLICATE
    else:
        outcome = _file_new(session, rules, topic, entry, at)
    receipt = _receipt(session, rules, device, entry, at)
    return Answer(outcome, Topic(topic.tenant, topic.device, Channel.RECEIPTS), receipt)


def _file_new(session: Session, rules: FilingRules, topic: Topic, entry: Entry, at: datetime) -> Outcome:
    refusal = _digest(session, entry, at)
    disposition = Disposition.STORED if refusal is None else Disposition.QUARANTINED
    row = store_row(session, entry, disposition, at)
    sha256 = entry.sha256
    enter_record(session, tenant=rules.tenant, device=topic.device, sha256=sha256, disposition=disposition, at=at)
    if row.fork:
        log.warning("journal_forked", device=topic.device, epoch=row.epoch, sequence=row.sequence)
    if row.fork or row.sequence == 1:
        announce(session, "device", topic.device)
    if refusal is None:
        if isinstance(entry.data, KeyRotation):
            _take_in_waiting(session, rules, entry.data, topic.device, at)
        return Outcome.STORED
    _put_aside(session, rules, refusal, topic=topic, raw=entry.raw, authentic=True, at=at)
    return Outcome.QUARANTINED


def _take_in_waiting(session: Session, rules: FilingRules, rotation: KeyRotation, device: str, at: datetime) -> None:
    """What the new key signed may have come before the rotation that names it: now it can be verified.

    The receipt for the rotation tells the box of these records too.
    """
    key_id = VerifyKey.from_text(rotation.key).key_id
    for waiting in waiting_for_key(session, rules.tenant, device):
        if dsse.read_envelope(waiting.raw).key_id != key_id:
            continue
        waiting.settled_at = at
        if waiting.topic == Topic(rules.tenant, device, Channel.JOURNAL).text:
            file_message(session, rules, Topic(rules.tenant, device, Channel.JOURNAL), waiting.raw, at)
        announce(session, "quarantine", waiting.id)
        log.info("waiting_record_taken_in", device=device, sha256=waiting.sha256)
    announce(session, "device", device)


def _digest(session: Session, entry: Entry, at: datetime) -> Refusal | None:
    """Judge the record and make rows of it; one that no room can digest is put aside whole and blocks nothing."""
    try:
        refusal = judge(session, entry, at)
        if refusal is not None:
            return refusal
        with session.begin_nested():
            match entry.data:
                case Alert() as alert:
                    _digest_alert(session, entry, alert, at)
                case Evidence() as evidence:
                    _digest_evidence(session, entry, evidence, at)
                case Coverage() as coverage:
                    _digest_coverage(session, entry, coverage, at)
                case KeyRotation() as rotation:
                    follow_rotation(session, entry, rotation, at)
                case _:
                    pass  # clock and drop records are kept as they are
    except OperationalError:
        raise
    except Exception as error:
        log.exception("record_indigestible", device=entry.event.device, sequence=entry.sequence)
        return Refusal(Reason.CONTRADICTION, f"{type(error).__name__}: {error}")
    return None


def _digest_alert(session: Session, entry: Entry, alert: Alert, at: datetime) -> None:
    """An alert becomes a lead, or a newer revision of one, and what follows from that."""
    facts = to_facts(entry.event, alert, record_sha256=entry.sha256, received_at=at)
    route(session, fold_alert(session, facts, received_at=at).events)
    announce_files(
        session,
        tenant=entry.event.tenant,
        device=entry.event.device,
        incident=alert.incident,
        camera=alert.camera,
        artefacts=alert.evidence,
        at=at,
    )


def _digest_evidence(session: Session, entry: Entry, evidence: Evidence, at: datetime) -> None:
    """Files sealed after the alert are expected from now on."""
    tenant, device = entry.event.tenant, entry.event.device
    announce_files(
        session,
        tenant=tenant,
        device=device,
        incident=evidence.incident,
        camera=evidence.camera,
        artefacts=evidence.artefacts,
        at=at,
    )
    announce(session, "evidence", lead_id(device, evidence.incident))


def _digest_coverage(session: Session, entry: Entry, coverage: Coverage, at: datetime) -> None:
    """What cannot be placed in time, because the box's clock was never set, is kept as it is and says nothing."""
    if is_credible(coverage.until_at, at):
        keep_coverage(
            session,
            coverage,
            tenant=entry.event.tenant,
            device=entry.event.device,
            record_sha256=entry.sha256,
            received_at=at,
        )


def _receipt(session: Session, rules: FilingRules, device: Device, entry: Entry, at: datetime) -> bytes:
    device.receipt_counter = next_counter(device.receipt_counter, at)
    return write_receipt(
        receipt_for(session, entry),
        key=rules.key,
        tenant=rules.tenant,
        device=device.id,
        epoch=entry.event.epoch,
        counter=device.receipt_counter,
        at=at,
        lifetime=rules.receipt_lifetime,
    )
