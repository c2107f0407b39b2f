"""What follows from what happened: this table reads like an index.

A handler gets the session of the transaction in which the event happened and the event; what it returns happens
next. Nothing leaves the house here: pages are told after the commit (`feed.announce`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy.orm import Session

from center.feed import announce
from center.log.entries import enter_hold
from enforcement.events import (
    FindingPublished,
    FindingWithdrawn,
    FindingWritten,
    Happening,
    LeadClosed,
    LeadHeld,
    LeadOpened,
    LeadReopened,
    LeadUpdated,
    TaskMoved,
    TaskNoted,
    TaskOpened,
)
from enforcement.leads import Lead, link_lead
from enforcement.tasks import note_incident, open_task

Handler = Callable[[Session, Happening], Iterable[Happening]]


def link_the_lead(session: Session, event: Happening) -> Iterable[Happening]:
    """Tie the lead to garden, plot, party, cards and lots, as the register stood at capture."""
    link_lead(session, _lead(session, event))
    return ()


def open_its_task(session: Session, event: Happening) -> Iterable[Happening]:
    """Somebody must check this lead; it has exactly one task."""
    opened = open_task(session, _lead(session, event), at=event.at)
    return (opened,) if opened is not None else ()


def note_in_its_task(session: Session, event: Happening) -> Iterable[Happening]:
    """The officer sees in the history that the incident ended, or goes on, by itself."""
    noted = note_incident(session, _lead(session, event), at=event.at)
    return (noted,) if noted is not None else ()


def enter_the_hold(session: Session, event: Happening) -> Iterable[Happening]:
    """Who held or released a lead, and why, can be proven from the centre's log."""
    if isinstance(event, LeadHeld):
        enter_hold(
            session,
            tenant=event.tenant,
            lead=event.lead_id,
            who=event.by,
            holds=event.holds,
            reason=event.reason,
            at=event.at,
        )
    return ()


def show_lead(session: Session, event: Happening) -> Iterable[Happening]:
    """Open pages fetch this lead anew."""
    announce(session, "lead", _row_id(event, "lead_id"))
    return ()


def show_task(session: Session, event: Happening) -> Iterable[Happening]:
    """Open pages fetch this task anew."""
    announce(session, "task", _row_id(event, "task_id"))
    return ()


HANDLERS: Mapping[type[Happening], tuple[Handler, ...]] = {
    LeadOpened: (link_the_lead, open_its_task, show_lead),
    LeadUpdated: (link_the_lead, show_lead),
    LeadClosed: (link_the_lead, note_in_its_task, show_lead),
    LeadReopened: (link_the_lead, note_in_its_task, show_lead),
    TaskOpened: (show_task,),
    TaskMoved: (show_task, show_lead),
    TaskNoted: (show_task,),
    FindingWritten: (show_lead,),
    FindingPublished: (show_lead,),
    FindingWithdrawn: (show_lead,),
    LeadHeld: (enter_the_hold, show_lead),
}


def route(session: Session, happenings: Iterable[Happening]) -> None:
    """Call the handlers of each event, and of what follows from it, in order."""
    waiting = deque(happenings)
    while waiting:
        event = waiting.popleft()
        for handler in HANDLERS[type(event)]:
            waiting.extend(handler(session, event))


def _lead(session: Session, event: Happening) -> Lead:
    return session.get_one(Lead, (event.tenant, _row_id(event, "lead_id")))


def _row_id(event: Happening, name: str) -> str:
    return str(getattr(event, name))
