"""The rows findings are kept in; what may be done with them stands in `findings`."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

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


def findings_of(session: Session, *, tenant: str, lead_id: str) -> tuple[Finding, ...]:
    """Every finding of a lead, oldest first, for the officer's page."""
    rows = session.scalars(
        select(Finding)
        .where(Finding.tenant == tenant, Finding.lead_id == lead_id)
        .order_by(Finding.reviewed_at, Finding.id)
    )
    return tuple(rows)
