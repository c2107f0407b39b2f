"""What follows from what happened: this table reads like an index.

A handler gets the session of the transaction in which something happened, the tenant, and the events of one sort and
moment, hundreds when intake is busy; what it returns happens next. Nothing leaves the house here: pages are told after
the commit (`feed.announce`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from center.evidence.custody import Act, note_custody
from center.feed.hub import announce
from center.log.entries import enter_hold, enter_review
from enforcement.events import (
    FindingPublished,
    FindingWithdrawn,
    FindingWritten,
    Happening,
    LeadClosed,
    LeadDistrusted,
    LeadHeld,
    LeadOpened,
    LeadReopened,
    LeadReviewed,
    LeadUpdated,
    TaskMoved,
    TaskNoted,
    TaskOpened,
)
from enforcement.leadlinks import link_leads
from enforcement.leads import Lead
from enforcement.reviews import Review, standing_of
from enforcement.tasks import note_distrust, note_incidents, open_tasks
from enforcement.transitions import Move, transition_of

Handler = Callable[[Session, str, Sequence[Happening]], Iterable[Happening]]

PENALTY_STEPS = frozenset(move.value for move in Move if transition_of(move).needs_evidence)


def link_the_leads(session: Session, tenant: str, events: Sequence[Happening]) -> Iterable[Happening]:
    """Tie the leads to garden, plot, party, cards and lots anew, where they turn out to be about something else."""
    link_leads(session, tenant, _ids(events, "lead_id"))
    return ()


def open_their_tasks(session: Session, tenant: str, events: Sequence[Happening]) -> Iterable[Happening]:
    """Somebody must check these leads; each has exactly one task."""
    sights = [event.sight for event in events if isinstance(event, LeadOpened)]
    return open_tasks(session, tenant, sights, at=events[0].at)


def note_in_their_tasks(session: Session, tenant: str, events: Sequence[Happening]) -> Iterable[Happening]:
    """The officer sees in the history that the incident ended, or goes on, by itself."""
    return note_incidents(session, tenant, _ids(events, "lead_id"), at=events[0].at)


def enter_the_holds(session: Session, tenant: str, events: Sequence[Happening]) -> Iterable[Happening]:
    """Who held or released a lead, and why, can be proven from the centre's log."""
    for event in events:
        if isinstance(event, LeadHeld):
            enter_hold(
                session,
                tenant=tenant,
                lead=event.lead_id,
                who=event.by,
                holds=event.holds,
                reason=event.reason,
                at=event.at,
            )
    return ()


def enter_the_reviews(session: Session, tenant: str, events: Sequence[Happening]) -> Iterable[Happening]:
    """The log keeps reviewers' words, and the chain of custody which files they are about."""
    for event in events:
        if isinstance(event, LeadReviewed):
            review = session.get_one(Review, (tenant, event.lead_id, event.number))
            enter_review(session, review)
            for sha256 in review.files:
                note_custody(
                    session,
                    tenant=tenant,
                    act=Act.REVIEWED,
                    sha256=sha256,
                    who=review.reviewer,
                    at=event.at,
                    reason=f"{review.part}: {review.verdict}",
                    lead_id=event.lead_id,
                )
    return ()


def note_what_penalties_rest_on(session: Session, tenant: str, events: Sequence[Happening]) -> Iterable[Happening]:
    """Each file that both reviews are about is on record as used for a step of a penalty: by whom, and why."""
    moves = [event for event in events if isinstance(event, TaskMoved) and event.move in PENALTY_STEPS]
    for event in moves:
        reviewed = standing_of(session, session.get_one(Lead, (tenant, event.lead_id)))
        files = {sha256 for word in (reviewed.legal, reviewed.technical) if word is not None for sha256 in word.files}
        for sha256 in sorted(files):
            note_custody(
                session,
                tenant=tenant,
                act=Act.RELIED_ON,
                sha256=sha256,
                who=event.by,
                at=event.at,
                reason=event.note.strip() or event.move,
                lead_id=event.lead_id,
            )
    return ()


def note_distrust_in_their_tasks(session: Session, tenant: str, events: Sequence[Happening]) -> Iterable[Happening]:
    """The officer sees in the history that a record of the lead is trusted no more."""
    return note_distrust(session, tenant, _ids(events, "lead_id"), at=events[0].at)


def show_leads(session: Session, _tenant: str, events: Sequence[Happening]) -> Iterable[Happening]:
    """Open pages fetch these leads anew."""
    for lead in _ids(events, "lead_id"):
        announce(session, "lead", lead)
    return ()


def show_tasks(session: Session, _tenant: str, events: Sequence[Happening]) -> Iterable[Happening]:
    """Open pages fetch these tasks anew."""
    for task in _ids(events, "task_id"):
        announce(session, "task", task)
    return ()


HANDLERS: Mapping[type[Happening], tuple[Handler, ...]] = {
    LeadOpened: (open_their_tasks, show_leads),
    LeadUpdated: (link_the_leads, show_leads),
    LeadClosed: (link_the_leads, note_in_their_tasks, show_leads),
    LeadReopened: (link_the_leads, note_in_their_tasks, show_leads),
    TaskOpened: (show_tasks,),
    TaskMoved: (note_what_penalties_rest_on, show_tasks, show_leads),
    TaskNoted: (show_tasks,),
    FindingWritten: (show_leads,),
    FindingPublished: (show_leads,),
    FindingWithdrawn: (show_leads,),
    LeadHeld: (enter_the_holds, show_leads),
    LeadReviewed: (enter_the_reviews, show_leads),
    LeadDistrusted: (note_distrust_in_their_tasks, show_leads),
}


def route(session: Session, happenings: Iterable[Happening]) -> None:
    """Call the handlers of what happened, and of what follows from it.

    What happened at once is handled at once, sort by sort in the order of the table: all openings before all endings.
    """
    waiting = tuple(happenings)
    while waiting:
        following: list[Happening] = []
        for kind, handlers in HANDLERS.items():
            for (tenant, _at), events in _by_moment(event for event in waiting if type(event) is kind):
                for handler in handlers:
                    following.extend(handler(session, tenant, events))
        waiting = tuple(following)


def _by_moment(
    happenings: Iterable[Happening],
) -> Iterable[tuple[tuple[str, datetime], Sequence[Happening]]]:
    groups: dict[tuple[str, datetime], list[Happening]] = {}
    for event in happenings:
        groups.setdefault((event.tenant, event.at), []).append(event)
    return groups.items()


def _ids(events: Iterable[Happening], name: str) -> tuple[str, ...]:
    return tuple(str(getattr(event, name)) for event in events)
