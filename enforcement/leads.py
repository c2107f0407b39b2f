"""Leads (线索): one per incident of one box, folded from its alerts in whatever order they arrive.

A lead is not evidence and not a finding: it is a reason to look (Administrative Penalty Law 2021, art. 41).
The highest revision is the truth, so the row is a function of the set of alerts and not of their order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from enforcement.events import Happening
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
    """One incident as its highest revision tells it. `id` is derived from device and incident: see `lead_id`."""

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
    conflicting: Mapped[bool] = mapped_column(default=False)
    received_at: Mapped[datetime]


class LeadLink(OfTenant, Base):
    """What a lead concerns and why, as the register stood at `linked_for`; names as they were then."""

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
    linked_for: Mapped[datetime]


class Outcome(StrEnum):
    """What an alert did to its lead."""

    OPENED = "opened"
    ADVANCED = "advanced"
    OLDER = "older"
    REPEATED = "repeated"
    CONFLICTING = "conflicting"


@dataclass(frozen=True, slots=True)
class LeadChange:
    """The lead after folding, what the alert did to it, and the events to route."""

    lead: Lead
    outcome: Outcome
    events: tuple[Happening, ...]


def lead_id(device: str, incident: str) -> str:
    """The lead's id: the same for the same incident, so that a link to it can be made before it is stored.

    >>> lead_id("box-demo-01", "i7")
    'box-demo-01.i7'
    """
    return f"{device}.{incident}"


def fold_alert(session: Session, facts: LeadFacts, *, received_at: datetime) -> LeadChange:
    """Take one alert into its lead: the highest revision wins, whatever order they come in.

    Two different alerts of one revision (a cloned box) leave the one with the greater record hash and mark the lead
    as conflicting, so that this too does not depend on the order.
    """
    raise AssertionError((session, facts, received_at))


def link_lead(session: Session, lead: Lead) -> tuple[LeadLink, ...]:
    """Link a lead with what its camera saw at the time, replacing links made for another time or camera."""
    raise AssertionError((session, lead))


def links_of(session: Session, *, tenant: str, lead_id: str) -> tuple[LeadLink, ...]:
    """A lead's links in the order they were found."""
    raise AssertionError((session, tenant, lead_id))
