"""Legal hold: the files of a lead stay, whatever the rules of retention say, until the head lets them go.

Why: what is evidence of a case must not be deleted because a term ran out (Public-safety video systems regulation,
State Council order 799, art. 17: deleted once the purpose is reached, unless law says otherwise). Who said so, when and
why is written down and stays.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKeyConstraint, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enforcement.actors import Actor, Role
from enforcement.errors import IllegalMove, NotAllowed, NoteMissing, Unknown
from enforcement.events import LeadHeld
from enforcement.leads import Lead
from traceability.append_only import guard
from traceability.records import Base, OfTenant

HOLDERS: Final = (Role.OFFICER, Role.HEAD)
RELEASERS: Final = (Role.HEAD,)


class HoldEvent(OfTenant, Base):
    """Somebody put a lead under legal hold, or released it. Append-only; the last line counts."""

    __tablename__ = "hold_event"
    __table_args__ = (ForeignKeyConstraint(["tenant", "lead_id"], ["lead.tenant", "lead.id"]),)

    lead_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by_user: Mapped[str] = mapped_column(String(64))
    by_role: Mapped[str] = mapped_column(String(16))
    holds: Mapped[bool]
    reason: Mapped[str]


guard(HoldEvent.metadata.tables[HoldEvent.__tablename__])


def hold_lead(session: Session, *, tenant: str, lead_id: str, by: Actor, at: datetime, reason: str) -> LeadHeld:
    """Keep every file of this lead until it is released.

    Raises:
        Unknown: there is no such lead.
        NotAllowed: the role may not.
        IllegalMove: it is held already.
        NoteMissing: no reason in words.
    """
    return _write(session, tenant=tenant, lead_id=lead_id, by=by, at=at, reason=reason, holds=True)


def release_lead(session: Session, *, tenant: str, lead_id: str, by: Actor, at: datetime, reason: str) -> LeadHeld:
    """Let the rules of retention decide again; raises as `hold_lead` does, IllegalMove if it is not held."""
    return _write(session, tenant=tenant, lead_id=lead_id, by=by, at=at, reason=reason, holds=False)


def holds_of(session: Session, *, tenant: str, lead_id: str) -> tuple[HoldEvent, ...]:
    """What was said about holding a lead, oldest first."""
    own = (HoldEvent.tenant == tenant, HoldEvent.lead_id == lead_id)
    return tuple(session.scalars(select(HoldEvent).where(*own).order_by(HoldEvent.number)))


def held_leads(session: Session, *, tenant: str) -> frozenset[str]:
    """Every lead that is under legal hold now."""
    last = select(func.max(HoldEvent.number)).where(HoldEvent.tenant == tenant).group_by(HoldEvent.lead_id)
    newest = last.add_columns(HoldEvent.lead_id).subquery()
    rows = (
        select(HoldEvent.lead_id)
        .join(newest, (newest.c.lead_id == HoldEvent.lead_id) & (newest.c[0] == HoldEvent.number))
        .where(HoldEvent.tenant == tenant, HoldEvent.holds)
    )
    return frozenset(session.scalars(rows))


def _write(
    session: Session, *, tenant: str, lead_id: str, by: Actor, at: datetime, reason: str, holds: bool
) -> LeadHeld:
    if session.get(Lead, (tenant, lead_id), with_for_update=True) is None:
        raise Unknown(f"there is no lead {lead_id!r}")
    if by.role not in (HOLDERS if holds else RELEASERS):
        raise NotAllowed(f"the role {by.role.value} may not {'set' if holds else 'release'} a legal hold")
    before = holds_of(session, tenant=tenant, lead_id=lead_id)
    if holds == bool(before and before[-1].holds):
        raise IllegalMove(f"lead {lead_id} is {'' if holds else 'not '}under legal hold already")
    if not reason.strip():
        raise NoteMissing("a legal hold is set and released with a reason in words")
    session.add(
        HoldEvent(
            tenant=tenant,
            lead_id=lead_id,
            number=len(before) + 1,
            at=at,
            by_user=by.user_id,
            by_role=by.role.value,
            holds=holds,
            reason=reason.strip(),
        )
    )
    session.flush()
    return LeadHeld(tenant, at, lead_id, holds, by.user_id, reason.strip())
