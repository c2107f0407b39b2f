"""Leads (线索): one per incident of one box, folded from its alerts in whatever order they arrive.

A lead is not evidence and not a finding: it is a reason to look (Administrative Penalty Law 2021, art. 41).
The highest revision is the truth, so the row is a function of the set of alerts and not of their order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.messages import ClockQuality, Phase
from enforcement.assignment import grid_links
from enforcement.events import Happening, LeadClosed, LeadOpened, LeadReopened, LeadUpdated
from traceability.links import links_for
from traceability.records import Base, Identified, JsonList, JsonObject, OfTenant


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What one alert says of one incident. `record_sha256` is the hash of the signed record it came in.

    `phase` is opened, updated or closed; `footage` live or recording; `clock` synchronised, unsynchronised or
    unknown; `because` and `objects` are the alert's own JSON.
    """

    tenant: str
    device: str
    incident: str
    revision: int
    phase: str
    kind: str
    rule: str
    config_sha256: str
    camera: str
    zone: str
    observed_at: datetime
    opened_at: datetime
    stream_ms: int
    footage: str
    frame_width: int
    frame_height: int
    objects: tuple[Mapping[str, Any], ...]
    because: Mapping[str, Any]
    model_name: str
    model_sha256: str
    clock: str
    unobserved_ms: int
    record_sha256: str


class Lead(Identified, Base):
    """One incident as its highest revision tells it. `id` is derived from device and incident: see `lead_id`.

    `received_at` is when the first of its alerts came; `linked_for` and `linked_camera` say for which sight its links
    were made: see `link_lead`.
    """

    __tablename__ = "lead"
    __table_args__ = (
        UniqueConstraint("tenant", "device", "incident"),
        Index(None, "tenant", "opened_at"),
        Index(None, "tenant", "camera", "opened_at"),
    )

    device: Mapped[str] = mapped_column(String(64))
    incident: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int]
    phase: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(64))
    config_sha256: Mapped[str] = mapped_column(String(64))
    camera: Mapped[str] = mapped_column(String(64))
    zone: Mapped[str] = mapped_column(String(64))
    observed_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    stream_ms: Mapped[int] = mapped_column(BigInteger)
    footage: Mapped[str] = mapped_column(String(16))
    frame_width: Mapped[int]
    frame_height: Mapped[int]
    objects: Mapped[JsonList]
    because: Mapped[JsonObject]
    model_name: Mapped[str] = mapped_column(String(64))
    model_sha256: Mapped[str] = mapped_column(String(64))
    clock: Mapped[str] = mapped_column(String(16))
    unobserved_ms: Mapped[int] = mapped_column(BigInteger)
    record_sha256: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]
    linked_for: Mapped[datetime | None]
    linked_camera: Mapped[str | None] = mapped_column(String(64))


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


@dataclass(frozen=True, slots=True)
class LeadChange:
    """The lead after folding, and the events to route: none where the alert told nothing new."""

    lead: Lead
    events: tuple[Happening, ...]


def lead_id(device: str, incident: str) -> str:
    """The lead's id: the same for the same incident, so that a link to it can be made before it is stored.

    >>> lead_id("box-demo-01", "i7")
    'box-demo-01.i7'
    """
    return f"{device}.{incident}"


def fold_alert(session: Session, facts: LeadFacts, *, received_at: datetime) -> LeadChange:
    """Take one alert into its lead: the highest revision wins, whatever order they come in.

    Of two different alerts of one revision (a cloned box) the one with the greater record hash stays, so that this
    too does not depend on the order.
    """
    key = lead_id(facts.device, facts.incident)
    lead = session.get(Lead, (facts.tenant, key), with_for_update=True)
    if lead is None:
        lead = Lead(tenant=facts.tenant, id=key, received_at=received_at, **_told(facts))
        session.add(lead)
        session.flush()
        opened = LeadOpened(facts.tenant, received_at, key, facts.kind)
        closed = (LeadClosed(facts.tenant, received_at, key),) if facts.phase == Phase.CLOSED else ()
        return LeadChange(lead, (opened, *closed))
    lead.received_at = min(lead.received_at, received_at)
    if (facts.revision, facts.record_sha256) <= (lead.revision, lead.record_sha256):
        return LeadChange(lead, ())
    event = _turn(lead, facts, received_at)
    for column, value in _told(facts).items():
        setattr(lead, column, value)
    session.flush()
    return LeadChange(lead, (event,))


def _told(facts: LeadFacts) -> dict[str, Any]:
    """The columns an alert decides, by name; identity apart."""
    told = {field.name: getattr(facts, field.name) for field in fields(facts) if field.name != "tenant"}
    told["objects"] = [dict(seen) for seen in facts.objects]
    told["because"] = dict(facts.because)
    told["closed_at"] = facts.observed_at if facts.phase == Phase.CLOSED else None
    return told


def _turn(lead: Lead, facts: LeadFacts, at: datetime) -> Happening:
    before, after = lead.phase == Phase.CLOSED, facts.phase == Phase.CLOSED
    if after and not before:
        return LeadClosed(lead.tenant, at, lead.id)
    if before and not after:
        return LeadReopened(lead.tenant, at, lead.id)
    return LeadUpdated(lead.tenant, at, lead.id, facts.revision)


def sighted_at(lead: Lead) -> datetime:
    """When the register is to be read for a lead: at its opening, or, if the box had lost the time, at its arrival."""
    return lead.received_at if lead.clock == ClockQuality.UNSYNCHRONISED else lead.opened_at


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
