"""Distrust: records that leads rest on and that are trusted no more, because their key's last trusted one lies before.

A box's key is found to have been in wrong hands since some record. What was made of later ones is not deleted, for
somebody may be at work on it; but a lead that rests on one is no evidence and no basis of a penalty, whatever reviewers
said before (Administrative Penalty Law 2021, art. 41: what is not true is not usable, art. 46: nor is what was not
verified). A key never regains trust, so nothing here is ever taken back.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enforcement.events import LeadDistrusted
from enforcement.leads import Lead
from traceability.append_only import guard
from traceability.records import Base, OfTenant
from traceability.rows import insert_rows


class Doubt(NamedTuple):
    """A record that lies beyond `last`, the last of its journal that is trusted of the key that signed it.

    `lead_id` is the lead of its incident, which may not have come yet.
    """

    lead_id: str
    record_sha256: str
    epoch: str
    sequence: int
    last: int
    key_id: str


class DistrustedRecord(OfTenant, Base):
    """A `Doubt`, and when it was written down. Append-only."""

    __tablename__ = "distrusted_record"

    lead_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    record_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    epoch: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    key_id: Mapped[str] = mapped_column(String(64))
    noted_at: Mapped[datetime]


guard(DistrustedRecord.metadata.tables[DistrustedRecord.__tablename__])


def distrust_records(
    session: Session, *, tenant: str, doubts: Iterable[Doubt], at: datetime
) -> tuple[LeadDistrusted, ...]:
    """Write down which leads' records are trusted no more; the leads of which something new was written down."""
    told = {(doubt.lead_id, doubt.record_sha256): doubt for doubt in doubts}
    leads = sorted({doubt.lead_id for doubt in told.values()})
    held = select(Lead.id).where(Lead.tenant == tenant, Lead.id.in_(leads)).order_by(Lead.id).with_for_update()
    session.execute(held).all()  # whoever takes a step of a penalty just now is before this, or knows of it
    known = {
        (row.lead_id, row.record_sha256)
        for lead in leads
        for row in distrusted_of(session, tenant=tenant, lead_id=lead)
    }
    new = [doubt for place, doubt in told.items() if place not in known]
    insert_rows(session, DistrustedRecord, [{"tenant": tenant, **doubt._asdict(), "noted_at": at} for doubt in new])
    return tuple(LeadDistrusted(tenant, at, lead) for lead in sorted({doubt.lead_id for doubt in new}))


def distrusted_of(session: Session, *, tenant: str, lead_id: str) -> tuple[DistrustedRecord, ...]:
    """The records of a lead that are trusted no more, in the order of their journals."""
    own = (DistrustedRecord.tenant == tenant, DistrustedRecord.lead_id == lead_id)
    rows = select(DistrustedRecord).where(*own).order_by(DistrustedRecord.epoch, DistrustedRecord.sequence)
    return tuple(session.scalars(rows))


def distrusted_among(session: Session, *, tenant: str, lead_ids: Collection[str]) -> frozenset[str]:
    """Which of these leads rest on a record that is trusted no more."""
    rows = select(DistrustedRecord.lead_id).where(
        DistrustedRecord.tenant == tenant, DistrustedRecord.lead_id.in_(sorted(lead_ids))
    )
    return frozenset(session.scalars(rows.distinct()))
