"""What is entered into the log, one function for each thing that happens. Bodies hold pseudonyms and hashes only."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy.orm import Session

from alerts.control_messages import Disposition
from alerts.leaves import LeafKind
from center.log.appending import enter
from center.log.pseudonyms import Named, pseudonym_of, pseudonyms_of
from enforcement.reviews import Review


class KeyAct(StrEnum):
    """What happened to a box's right to speak."""

    ENROLLED = "enrolled"
    ROTATED = "rotated"
    REPLACED = "replaced"
    REVOKED = "revoked"
    CURTAILED = "curtailed"  # it had ended before, and is now trusted for less of what it signed


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


def enter_key(
    session: Session,
    *,
    tenant: str,
    device: str,
    act: KeyAct,
    key_id: str,
    at: datetime,
    last: Mapping[str, int] | None = None,
) -> None:
    """A box was given its key, changed it, or may speak no more; then `last` is by journal the last record trusted."""
    fields: dict[str, object] = {
        "act": act.value,
        "device": pseudonym_of(session, tenant=tenant, kind=Named.DEVICE, subject=device),
        "key_id": key_id,
    }
    if last is not None:
        fields["last"] = dict(last)
    enter(session, tenant=tenant, kind=LeafKind.KEY, fields=fields, reference=key_id, at=at)
