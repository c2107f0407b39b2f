"""Alerts folded into leads: the highest revision is the truth, whatever order alerts come in.

A lead's row is a function of the set of its alerts. They come by the hundred, so they are folded by the hundred: one
question and one answer to the database for all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from alerts.messages import Phase
from enforcement.events import Happening, LeadClosed, LeadOpened, LeadReopened, LeadUpdated
from enforcement.leadlinks import first_links
from enforcement.leads import Lead, LeadFacts, Sight, change_leads, lead_id
from traceability.rows import insert_rows, read_rows

_TOLD: Final = tuple(field.name for field in fields(LeadFacts) if field.name != "tenant")


class Told(NamedTuple):
    """What an alert says, and when it came."""

    facts: LeadFacts
    received_at: datetime

    @property
    def lead_id(self) -> str:
        """The lead it belongs to."""
        return lead_id(self.facts.device, self.facts.incident)


class _Known(NamedTuple):
    """What must be known of a lead to fold an alert into it."""

    id: str
    revision: int
    record_sha256: str
    phase: str
    received_at: datetime
    opened_at: datetime
    box_opened_at: datetime | None


def fold_alerts(session: Session, tenant: str, told: Iterable[Told]) -> tuple[Happening, ...]:
    """Take a tenant's alerts, at most one of each incident, into their leads; what happened, in their order.

    Of two different alerts of one revision (a cloned box) the one with the greater record hash stays, so that this too
    does not depend on the order.
    """
    alerts = {alert.lead_id: alert for alert in told}
    known = _known(session, tenant, alerts)
    opened: list[tuple[Told, Sight]] = []
    changed: dict[str, dict[str, Any]] = {}
    earlier: dict[str, dict[str, Any]] = {}
    happened: list[Happening] = []
    for key, alert in alerts.items():
        facts, at = alert
        lead = known.get(key)
        if lead is None:
            sight = Sight.first(facts, at)
            opened.append((alert, sight))
            happened.append(LeadOpened(tenant, at, key, sight))
            if facts.phase == Phase.CLOSED:
                happened.append(LeadClosed(tenant, at, key))
            continue
        first_at = min(lead.received_at, at)
        if (facts.revision, facts.record_sha256) > (lead.revision, lead.record_sha256):
            opened_at = _opened(facts.opened_at, facts.box_opened_at, first_at)
            changed[key] = {**_columns(facts), "received_at": first_at, "opened_at": opened_at}
            happened.append(_turn(lead, facts, at))
        elif first_at != lead.received_at:
            opened_at = _opened(lead.opened_at, lead.box_opened_at, first_at)
            earlier[key] = {"received_at": first_at, "opened_at": opened_at}
    _open(session, tenant, opened)
    change_leads(session, tenant, changed)
    change_leads(session, tenant, earlier)
    return tuple(happened)


def _open(session: Session, tenant: str, opened: Sequence[tuple[Told, Sight]]) -> None:
    """Insert new leads, with their links."""
    links = first_links(session, tenant, [sight for _, sight in opened])
    rows = [
        {"tenant": tenant, "id": sight.lead_id, "received_at": at, **_columns(facts), **linked}
        for ((facts, at), sight), linked in zip(opened, links, strict=True)
    ]
    insert_rows(session, Lead, rows)


def _known(session: Session, tenant: str, lead_ids: Iterable[str]) -> dict[str, _Known]:
    """The leads that are there already, held against other writers until the end of the transaction."""
    rows = read_rows(session, _HELD, {"tenant": tenant, "lead_ids": sorted(lead_ids)})
    return {row.id: _Known(*row) for row in rows}


_HELD: Final = (
    select(
        Lead.id,
        Lead.revision,
        Lead.record_sha256,
        Lead.phase,
        Lead.received_at,
        Lead.opened_at,
        Lead.box_opened_at,
    )
    .where(Lead.tenant == bindparam("tenant"), Lead.id.in_(bindparam("lead_ids", expanding=True)))
    .order_by(Lead.id)
    .with_for_update()
)


def _columns(facts: LeadFacts) -> dict[str, Any]:
    """The columns an alert decides, by name; identity apart."""
    told = {name: getattr(facts, name) for name in _TOLD}
    told["objects"] = list(facts.objects)
    told["closed_at"] = facts.observed_at if facts.phase == Phase.CLOSED else None
    return told


def _opened(opened_at: datetime, box_opened_at: datetime | None, first_at: datetime) -> datetime:
    """When the incident began: a time that the centre reckoned is never later than the first it heard of it.

    It is reckoned from how long ago the box made the record, as if that came at once; the last may have come late.
    """
    return opened_at if box_opened_at is None else min(opened_at, first_at)


def _turn(lead: _Known, facts: LeadFacts, at: datetime) -> Happening:
    before, after = lead.phase == Phase.CLOSED, facts.phase == Phase.CLOSED
    if after and not before:
        return LeadClosed(facts.tenant, at, lead.id)
    if before and not after:
        return LeadReopened(facts.tenant, at, lead.id)
    return LeadUpdated(facts.tenant, at, lead.id, facts.revision)
