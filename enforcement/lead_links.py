"""What a lead concerns and why: the register's links for the camera's sight, and the grids it lies in."""

from sqlalchemy import ForeignKeyConstraint, Index, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enforcement.assignment import grid_links
from enforcement.leads import Lead, sighted_at
from traceability.links import links_for
from traceability.records import Base, JsonObject, OfTenant


class LeadLink(OfTenant, Base):
    """One thing a lead concerns, under the name it had then, with the reason (`traceability.links.Reason`)."""

    __tablename__ = "lead_link"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "lead_id"], ["lead.tenant", "lead.id"]),
        Index(None, "tenant", "target_kind", "target_id"),
    )

    lead_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    target_kind: Mapped[str] = mapped_column(String(16))
    target_id: Mapped[str] = mapped_column(String(128))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    reason_key: Mapped[str] = mapped_column(String(32))
    params: Mapped[JsonObject]


def link_lead(session: Session, lead: Lead) -> tuple[LeadLink, ...]:
    """Link a lead with what its camera saw, as the register stood then.

    Links once made stay as they are, whatever the register says later; only when another camera or another time of
    the same incident becomes known are they made anew. Call it after every fold.
    """
    at = sighted_at(lead)
    if (lead.linked_for, lead.linked_camera) == (at, lead.camera):
        return links_of(session, tenant=lead.tenant, lead_id=lead.id)
    session.execute(delete(LeadLink).where(LeadLink.tenant == lead.tenant, LeadLink.lead_id == lead.id))
    found = (
        *links_for(session, tenant=lead.tenant, camera=lead.camera, at=at),
        *grid_links(session, tenant=lead.tenant, camera=lead.camera, at=at),
    )
    session.add_all(
        LeadLink(
            tenant=lead.tenant,
            lead_id=lead.id,
            number=number,
            target_kind=link.target_kind.value,
            target_id=link.target_id,
            name_zh=link.name_zh,
            name_en=link.name_en,
            reason_key=link.reason_key.value,
            params=dict(link.params),
        )
        for number, link in enumerate(found, start=1)
    )
    lead.linked_for, lead.linked_camera = at, lead.camera
    session.flush()
    return links_of(session, tenant=lead.tenant, lead_id=lead.id)


def links_of(session: Session, *, tenant: str, lead_id: str) -> tuple[LeadLink, ...]:
    """A lead's links in the order they were found."""
    rows = session.scalars(
        select(LeadLink).where(LeadLink.tenant == tenant, LeadLink.lead_id == lead_id).order_by(LeadLink.number)
    )
    return tuple(rows)
