"""What the centre could not accept: kept to be looked at, counted, never dropped without a trace.

The same bytes again only count up. When the table is full, further arrivals count on the newest entry of the same
reason, so that a flood cannot fill the disk and cannot hide either.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import LargeBinary, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from center.log.entries import enter_quarantine
from traceability.records import WIDE, Base, Identified


class Reason(StrEnum):
    """Why something stands in quarantine; a page has words for each."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown_key"
    RETIRED_KEY = "retired_key"
    REVOKED_KEY = "revoked_key"
    BAD_SIGNATURE = "bad_signature"
    UNSUPPORTED_ALGORITHM = "unsupported_algorithm"
    WRONG_DEVICE = "wrong_device"
    WRONG_TOPIC = "wrong_topic"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_CAMERA = "unknown_camera"
    CAMERA_OF_ANOTHER = "camera_of_another"
    CONTRADICTION = "contradiction"


class QuarantineEntry(Identified, Base):
    """One thing put aside. `authentic` tells what a known box signed from what anybody may have sent."""

    __tablename__ = "quarantine"

    reason: Mapped[str] = mapped_column(index=True)
    detail: Mapped[str]
    authentic: Mapped[bool]
    topic: Mapped[str]
    device: Mapped[str] = mapped_column(index=True)
    sha256: Mapped[str] = mapped_column(index=True)
    size_bytes: Mapped[int] = mapped_column(WIDE)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    count: Mapped[int] = mapped_column(WIDE)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)
    settled_at: Mapped[datetime | None]
    """Since when it need not concern anybody: it was put aside for want of a key, and the key came."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is put aside."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept: bytes of each entry, and entries."""

    raw_bytes: int
    rows: int


def put_aside(
    session: Session,
    refusal: Refusal,
    *,
    tenant: str,
    topic: str,
    device: str,
    raw: bytes,
    authentic: bool,
    limits: Limits,
    at: datetime,
) -> QuarantineEntry:
    """Keep what could not be accepted, or count it on the entry it repeats."""
    sha256 = hashlib.sha256(raw).hexdigest()
    entry = _same(session, tenant, refusal, topic, sha256) or _when_full(session, tenant, refusal, limits.rows)
    if entry is not None:
        entry.count += 1
        entry.last_at = at
        return entry
    entry = QuarantineEntry(
        tenant=tenant,
        id=secrets.token_hex(8),
        reason=refusal.reason.value,
        detail=refusal.detail[:500],
        authentic=authentic,
        topic=topic[:300],
        device=device[:64],
        sha256=sha256,
        size_bytes=len(raw),
        raw=raw[: limits.raw_bytes],
        count=1,
        first_at=at,
        last_at=at,
        settled_at=None,
    )
    session.add(entry)
    session.flush()
    enter_quarantine(session, tenant=tenant, entry=entry.id, reason=entry.reason, sha256=sha256, at=at)
    return entry


def _same(session: Session, tenant: str, refusal: Refusal, topic: str, sha256: str) -> QuarantineEntry | None:
    twin = (
        QuarantineEntry.tenant == tenant,
        QuarantineEntry.sha256 == sha256,
        QuarantineEntry.topic == topic[:300],
        QuarantineEntry.reason == refusal.reason.value,
    )
    return session.scalars(select(QuarantineEntry).where(*twin).limit(1)).first()


def _when_full(session: Session, tenant: str, refusal: Refusal, rows: int) -> QuarantineEntry | None:
    kept = session.scalar(select(func.count()).where(QuarantineEntry.tenant == tenant)) or 0
    if kept < rows:
        return None
    alike = (QuarantineEntry.tenant == tenant, QuarantineEntry.reason == refusal.reason.value)
    newest = select(QuarantineEntry).where(*alike).order_by(QuarantineEntry.last_at.desc()).limit(1)
    return session.scalars(newest).first()


def waiting_for_key(session: Session, tenant: str, device: str) -> tuple[QuarantineEntry, ...]:
    """What was put aside, whole, because nobody vouched for its key, the oldest first."""
    rows = select(QuarantineEntry).where(
        QuarantineEntry.tenant == tenant,
        QuarantineEntry.device == device,
        QuarantineEntry.reason == Reason.UNKNOWN_KEY.value,
        QuarantineEntry.settled_at.is_(None),
        QuarantineEntry.size_bytes == func.length(QuarantineEntry.raw),
    )
    return tuple(session.scalars(rows.order_by(QuarantineEntry.first_at, QuarantineEntry.id)))


def list_entries(session: Session, tenant: str, *, limit: int = 50, offset: int = 0) -> tuple[QuarantineEntry, ...]:
    """Entries, the latest first."""
    rows = select(QuarantineEntry).where(QuarantineEntry.tenant == tenant)
    ordered = rows.order_by(QuarantineEntry.last_at.desc(), QuarantineEntry.id)
    return tuple(session.scalars(ordered.limit(limit).offset(offset)))


def count_entries(session: Session, tenant: str) -> dict[str, int]:
    """How often each reason occurred, repetitions counted."""
    rows = (
        select(QuarantineEntry.reason, func.sum(QuarantineEntry.count))
        .where(QuarantineEntry.tenant == tenant)
        .group_by(QuarantineEntry.reason)
    )
    return {reason: int(count) for reason, count in session.execute(rows)}
