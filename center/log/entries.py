"""What is entered into the log, one function for each thing that happens. Bodies hold pseudonyms and hashes only."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.control_messages import Disposition
from alerts.leaves import LeafKind, milliseconds
from center.boxes.devices import DeviceKey, KeyReach
from center.log.appending import enter
from center.log.pseudonyms import Named, pseudonym_of, pseudonyms_of
from enforcement.reviews import Review


class KeyAct(StrEnum):
    """What happened to a box's right to speak."""

    ENROLLED = "enrolled"
    ROTATED = "rotated"  # the new key
    RETIRED = "retired"  # the one that it takes the place of
    REPLACED = "replaced"
    REVOKED = "revoked"
    CURTAILED = "curtailed"  # it had ended before, and is now trusted for less of what it signed
    FOUND = "found"  # it stood there before leaves told all of a key


def enter_records(
    session: Session, *, tenant: str, records: Sequence[tuple[str, str, Disposition]], at: datetime
) -> None:
    """Records of boxes' journals were stored: each with its device, the SHA-256 of its bytes, and its disposition."""
    names = pseudonyms_of(session, tenant=tenant, kind=Named.DEVICE, subjects=(device for device, _, _ in records))
    for device, digest, disposition in records:
        fields = {"device": names[device], "disposition": disposition.value, "record": digest}
        enter(session, tenant=tenant, kind=LeafKind.RECORD, fields=fields, reference=digest, at=at)


def enter_quarantine(session: Session, *, tenant: str, entry: str, reason: str, sha256: str, at: datetime) -> None:
    """Something was put aside instead of being accepted; `sha256` is that of its bytes."""
    fields = {"entry": entry, "reason": reason, "sha256": sha256}
    enter(session, tenant=tenant, kind=LeafKind.QUARANTINE, fields=fields, reference=entry, at=at)


def enter_hold(session: Session, *, tenant: str, lead: str, who: str, holds: bool, reason: str, at: datetime) -> None:
    """A lead was put under legal hold, or released."""
    person = pseudonym_of(session, tenant=tenant, kind=Named.PERSON, subject=who)
    fields = {"holds": int(holds), "lead": lead, "person": person, "reason_sha256": sha256(reason.encode()).hexdigest()}
    enter(session, tenant=tenant, kind=LeafKind.HOLD, fields=fields, reference=lead, at=at, person=person)


def review_fields(review: Review) -> dict[str, object]:
    """What a leaf says of a reviewer's word, the reviewer apart; opinion and grounds stand in it as hashes."""
    return {
        "files": list(review.files),
        "grounds_sha256": sha256(review.grounds.encode()).hexdigest(),
        "lead": review.lead_id,
        "number": review.number,
        "opinion_sha256": sha256(review.opinion.encode()).hexdigest(),
        "part": review.part,
        "record": review.record_sha256,
        "verdict": review.verdict,
    }


def enter_review(session: Session, review: Review) -> None:
    """A reviewer said whether a lead may serve as evidence, or took that back."""
    person = pseudonym_of(session, tenant=review.tenant, kind=Named.PERSON, subject=review.reviewer)
    enter(
        session,
        tenant=review.tenant,
        kind=LeafKind.REVIEW,
        fields=review_fields(review) | {"person": person},
        reference=f"{review.lead_id}/{review.number}",
        at=review.at,
        person=person,
    )


def key_fields(key: DeviceKey, reaches: Sequence[KeyReach]) -> dict[str, object]:
    """What a leaf says of a key, the box apart: its time, how it ended, and by journal what it vouches for.

    `first` names journals in which it vouches for nothing before that record, `last` those in which it has an end.
    """
    return {
        "key_id": key.key_id,
        "since_ms": milliseconds(key.since),
        "ended_ms": milliseconds(key.retired_at) if key.retired_at is not None else None,
        "ending": key.ending,
        "first": {reach.epoch: reach.first for reach in reaches if reach.first > 1},
        "last": {reach.epoch: reach.last for reach in reaches if reach.last is not None},
    }


def enter_key(session: Session, key: DeviceKey, act: KeyAct, at: datetime) -> None:
    """A box was given this key, gave it up, or may speak with it no more: the leaf tells what it vouches for now."""
    session.flush()
    rows = select(KeyReach).where(KeyReach.tenant == key.tenant, KeyReach.key_id == key.key_id)
    device = pseudonym_of(session, tenant=key.tenant, kind=Named.DEVICE, subject=key.device)
    fields = {"act": act.value, "device": device} | key_fields(key, session.scalars(rows).all())
    enter(session, tenant=key.tenant, kind=LeafKind.KEY, fields=fields, reference=key.key_id, at=at)
