"""What enforcement does with many leads at once, done with one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from enforcement.events import TaskNoted, TaskOpened
from enforcement.folding import Happening, Told, fold_alerts
from enforcement.leadlinks import link_leads
from enforcement.leads import Lead, LeadFacts, LeadLink, links_of, sights_of
from enforcement.tasks import note_incidents, open_tasks


@dataclass(frozen=True, slots=True)
class LeadChange:
    """The lead after folding, and the events to route: none where the alert told nothing new."""

    lead: Lead
    events: tuple[Happening, ...]


def fold_alert(session: Session, facts: LeadFacts, *, received_at: datetime) -> LeadChange:
    """`fold_alerts` of one alert."""
    told = Told(facts, received_at)
    events = fold_alerts(session, facts.tenant, [told])
    return LeadChange(session.get_one(Lead, (facts.tenant, told.lead_id), populate_existing=True), events)


def link_lead(session: Session, lead: Lead) -> tuple[LeadLink, ...]:
    """`link_leads` of one lead; its links."""
    link_leads(session, lead.tenant, [lead.id])
    session.refresh(lead)
    return links_of(session, tenant=lead.tenant, lead_id=lead.id)


def open_task(session: Session, lead: Lead, *, at: datetime) -> TaskOpened:
    """`open_tasks` of one lead."""
    (opened,) = open_tasks(session, lead.tenant, sights_of(session, lead.tenant, [lead.id]), at=at)
    return opened


def note_incident(session: Session, lead: Lead, *, at: datetime) -> TaskNoted | None:
    """`note_incidents` of one lead; None where its history says so already, or there is no task."""
    noted = note_incidents(session, lead.tenant, [lead.id], at=at)
    return noted[0] if noted else None
