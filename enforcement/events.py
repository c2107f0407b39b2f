"""What happened, as frozen values: functions here return them and `center/handlers` routes them."""

from dataclasses import dataclass
from datetime import datetime

from enforcement.leads import Sight


@dataclass(frozen=True, slots=True)
class Happening:
    """Base of every domain event: whose, and when."""

    tenant: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LeadOpened(Happening):
    """An incident is heard of for the first time, in whatever phase; its lead is linked with what was in sight."""

    lead_id: str
    sight: Sight


@dataclass(frozen=True, slots=True)
class LeadUpdated(Happening):
    """A newer revision of a known incident."""

    lead_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class LeadClosed(Happening):
    """The incident ended by itself: the vehicle drove away, the person left."""

    lead_id: str


@dataclass(frozen=True, slots=True)
class LeadReopened(Happening):
    """A newer revision says that a closed incident goes on."""

    lead_id: str


@dataclass(frozen=True, slots=True)
class TaskOpened(Happening):
    """A task was made for a lead; `officer` is none when it went to the county pool."""

    task_id: str
    lead_id: str
    officer: str | None


@dataclass(frozen=True, slots=True)
class TaskMoved(Happening):
    """A task went from one state to another, or to another officer."""

    task_id: str
    lead_id: str
    move: str
    from_state: str
    to_state: str
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class TaskNoted(Happening):
    """Something about a task's incident was written into its history; the state stays."""

    task_id: str
    lead_id: str
    move: str


@dataclass(frozen=True, slots=True)
class FindingWritten(Happening):
    """An officer wrote down what a reviewed lead amounts to."""

    finding_id: str
    lead_id: str


@dataclass(frozen=True, slots=True)
class FindingPublished(Happening):
    """From now on the shopper sees it."""

    finding_id: str
    lead_id: str


@dataclass(frozen=True, slots=True)
class FindingWithdrawn(Happening):
    """From now on the shopper no longer sees it."""

    finding_id: str
    lead_id: str


@dataclass(frozen=True, slots=True)
class LeadHeld(Happening):
    """A lead was put under legal hold, or released from it (`holds` false)."""

    lead_id: str
    holds: bool
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class LeadReviewed(Happening):
    """A reviewer said whether a lead may serve as evidence; `number` is which word on it that is."""

    lead_id: str
    number: int


@dataclass(frozen=True, slots=True)
class LeadDistrusted(Happening):
    """Records that this incident rests on are trusted no more; whether its lead has come is not said."""

    lead_id: str
