"""Findings (核查结果): what a reviewed lead amounts to, in an officer's words. Only these reach the public.

Administrative Penalty Law 2021: what nobody reviewed is no basis for anything (art. 41); what is published and then
revoked is withdrawn within three working days (art. 48).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from enforcement.actors import Actor
from enforcement.events import FindingPublished, FindingWithdrawn, FindingWritten
from traceability.records import Base, Identified


class FindingStatus(StrEnum):
    """draft -> published -> withdrawn; nothing else."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Finding(Identified, Base):
    """One reviewed result of one lead. `language` is that of `result` and `measure`."""

    __tablename__ = "finding"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "lead_id"], ["lead.tenant", "lead.id"]),
        ForeignKeyConstraint(["tenant", "task_id"], ["task.tenant", "task.id"]),
        Index(None, "tenant", "lead_id"),
        Index(None, "tenant", "status"),
    )

    lead_id: Mapped[str] = mapped_column(String(128))
    task_id: Mapped[str] = mapped_column(String(128))
    status: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(16))
    result: Mapped[str]
    measure: Mapped[str]
    reviewed_by: Mapped[str] = mapped_column(String(64))
    reviewed_at: Mapped[datetime]
    published_by: Mapped[str | None] = mapped_column(String(64))
    published_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    withdraw_by: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(String(64))
    withdrawn_at: Mapped[datetime | None]
    withdrawal_reason: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class PublishedFinding:
    """What a shopper may read: no officer, no party, no picture."""

    finding_id: str
    kind: str
    observed_on: datetime
    language: str
    result: str
    measure: str
    published_at: datetime


def write_finding(
    session: Session,
    *,
    tenant: str,
    task_id: str,
    result: str,
    measure: str,
    language: str,
    by: Actor,
    at: datetime,
) -> FindingWritten:
    """Write down, as a draft, what the check of a lead found.

    Raises:
        Unknown: there is no such task.
        NotAllowed: the role may not review.
        IllegalMove: nobody has started on the task, or it was a false alarm.
        NoteMissing: the result is empty.
    """
    raise AssertionError((session, tenant, task_id, result, measure, language, by, at))


def publish_finding(session: Session, *, tenant: str, finding_id: str, by: Actor, at: datetime) -> FindingPublished:
    """Let the public see a draft.

    Raises:
        Unknown: there is no such finding.
        NotAllowed: the role may not publish.
        IllegalMove: it is no draft, or its lead turned out to be a false alarm.
    """
    raise AssertionError((session, tenant, finding_id, by, at))


def withdraw_finding(
    session: Session,
    *,
    tenant: str,
    finding_id: str,
    by: Actor,
    at: datetime,
    reason: str,
    revoked_at: datetime | None = None,
) -> FindingWithdrawn:
    """Take a published finding back; when it was revoked, art. 48 gives three working days from `revoked_at`.

    Raises:
        Unknown: there is no such finding.
        NotAllowed: the role may not withdraw.
        IllegalMove: it is not published.
        NoteMissing: no reason was given.
    """
    raise AssertionError((session, tenant, finding_id, by, at, reason, revoked_at))


def findings_of(session: Session, *, tenant: str, lead_id: str) -> tuple[Finding, ...]:
    """Every finding of a lead, oldest first, for the officer's page."""
    raise AssertionError((session, tenant, lead_id))


def published_for_lots(session: Session, tenant: str, lot_ids: Iterable[str]) -> tuple[PublishedFinding, ...]:
    """Published findings that concern these lots: linked with them, or with a plot their leaf was picked on then."""
    raise AssertionError((session, tenant, lot_ids))
