"""Leads (线索): one per incident of one box, folded from its alerts (`folding`), linked with what it saw (`leadlinks`).

A lead is not evidence and not a finding: it is a reason to look (Administrative Penalty Law 2021, art. 41).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Index, String, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.messages import ClockQuality
from traceability.append_only import guard
from traceability.records import WIDE, Base, Identified, JsonList, JsonObject, OfTenant
from traceability.rows import change_rows, read_rows


class TimeSource(StrEnum):
    """On whose word a lead's times are what they are."""

    BOX = "box"  # the box's clock, as it wrote
    BOOT = "boot"  # reckoned: a time server set the box's clock later in the same boot
    CENTRE = "centre"  # reckoned: in the same boot box and centre heard of each other
    ARRIVAL = "arrival"  # nothing is known but when the record came


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What one alert says of one incident. `record_sha256` is the hash of the signed record it came in.

    `phase` is opened, updated or closed; `footage` live or recording; `clock` synchronised, unsynchronised or
    unknown, as the box says; `because` and `objects` are the alert's own JSON. Where `opened_at` and `observed_at` are
    not what the box wrote, because that cannot be, what it wrote stands in `box_opened_at` and `box_observed_at`;
    `time_source` says how they were found. Then it was observed `boot_ms` after the start of the box called `boot`.
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
    box_opened_at: datetime | None = None
    box_observed_at: datetime | None = None
    time_source: TimeSource = TimeSource.BOX
    boot: str = ""
    boot_ms: int = 0


class Lead(Identified, Base):
    """One incident as its highest revision tells it. `id` is derived from device and incident: see `lead_id`.

    `received_at` is when the first of its alerts came; `linked_for` and `linked_camera` say for which sight its links
    were found, `links_id` which they are: see `leadlinks`.
    """

    __tablename__ = "lead"
    __table_args__ = (
        UniqueConstraint("tenant", "device", "incident"),
        Index(None, "tenant", "opened_at"),
        Index(None, "tenant", "camera", "opened_at"),
    )

    device: Mapped[str] = mapped_column(String(64))
    incident: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int] = mapped_column(WIDE)
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
    box_opened_at: Mapped[datetime | None]
    box_observed_at: Mapped[datetime | None]
    time_source: Mapped[str] = mapped_column(String(16), default=TimeSource.BOX, server_default=TimeSource.BOX)
    boot: Mapped[str] = mapped_column(String(64), default="", server_default="")
    boot_ms: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    received_at: Mapped[datetime]
    linked_for: Mapped[datetime | None]
    linked_camera: Mapped[str | None] = mapped_column(String(64))
    links_id: Mapped[str | None] = mapped_column(String(64))


class LeadLink(OfTenant, Base):
    """One thing that leads concern, under the name it had then, with the reason (`traceability.links.Reason`).

    The leads of one view concern the same until the register changes: their links are kept once, and `links_id`, their
    hash, is in each of the leads. What it stands for never changes.
    """

    __tablename__ = "shared_link"
    __table_args__ = (Index(None, "tenant", "target_kind", "target_id"),)

    links_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    target_kind: Mapped[str] = mapped_column(String(16))
    target_id: Mapped[str] = mapped_column(String(128))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    reason_key: Mapped[str] = mapped_column(String(32))
    params: Mapped[JsonObject]


guard(LeadLink.metadata.tables[LeadLink.__tablename__])


def lead_id(device: str, incident: str) -> str:
    """The lead's id: the same for the same incident, so that a link to it can be made before it is stored.

    >>> lead_id("box-demo-01", "i7")
    'box-demo-01.i7'
    """
    return f"{device}.{incident}"


def links_of(session: Session, *, tenant: str, lead_id: str) -> tuple[LeadLink, ...]:
    """A lead's links in the order they were found."""
    rows = select(LeadLink).join(Lead, of_lead()).where(Lead.tenant == tenant, Lead.id == lead_id)
    return tuple(session.scalars(rows.order_by(LeadLink.number)))


def of_lead() -> ColumnElement[bool]:
    """SQL: a link is one of this lead's."""
    return (LeadLink.tenant == Lead.tenant) & (LeadLink.links_id == Lead.links_id)


class Sight(NamedTuple):
    """What of a lead its links and its task depend on: what was seen by which camera, and `at` which time.

    `at` is when the register is to be read: at the lead's opening, or, if the box had lost the time and it could not be
    reckoned, at its arrival.
    """

    tenant: str
    lead_id: str
    kind: str
    phase: str
    camera: str
    at: datetime
    linked_for: datetime | None = None
    linked_camera: str | None = None

    @classmethod
    def first(cls, facts: LeadFacts, received_at: datetime) -> "Sight":
        """The sight of a lead that begins with these facts."""
        at = _sighted_at(facts.clock, facts.time_source, received_at, facts.opened_at)
        return cls(facts.tenant, lead_id(facts.device, facts.incident), facts.kind, facts.phase, facts.camera, at)


def sighted_at(lead: Lead) -> datetime:
    """When the register is to be read for a lead."""
    return _sighted_at(lead.clock, lead.time_source, lead.received_at, lead.opened_at)


def sights_of(session: Session, tenant: str, lead_ids: Iterable[str]) -> tuple[Sight, ...]:
    """The sights of these leads, by id."""
    rows = read_rows(session, _SIGHTS, {"tenant": tenant, "lead_ids": sorted(set(lead_ids))})
    return tuple(
        Sight(tenant, key, kind, phase, camera, _sighted_at(clock, source, *times), linked_for, linked_camera)
        for key, kind, phase, camera, clock, source, *times, linked_for, linked_camera in rows
    )


_SIGHTS: Final = (
    select(
        Lead.id,
        Lead.kind,
        Lead.phase,
        Lead.camera,
        Lead.clock,
        Lead.time_source,
        Lead.received_at,
        Lead.opened_at,
        Lead.linked_for,
        Lead.linked_camera,
    )
    .where(Lead.tenant == bindparam("tenant"), Lead.id.in_(bindparam("lead_ids", expanding=True)))
    .order_by(Lead.id)
)


def _sighted_at(clock: str, source: str, received_at: datetime, opened_at: datetime) -> datetime:
    is_lost = clock == ClockQuality.UNSYNCHRONISED and source == TimeSource.ARRIVAL
    return received_at if is_lost else opened_at


def change_leads(session: Session, tenant: str, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Set columns of many leads at once, by id: the same columns of each."""
    change_rows(session, Lead, [{"tenant": tenant, "id": lead, **columns} for lead, columns in changes.items()])
