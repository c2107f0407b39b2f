"""Tasks: "check this lead" (核实线索), one per lead, with deadlines, an officer and a history nobody can rewrite."""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from enforcement.actors import Actor
from enforcement.events import TaskMoved, TaskNoted, TaskOpened
from enforcement.leads import Lead
from enforcement.transitions import Move
from traceability.append_only import guard
from traceability.records import Base, Identified, JsonObject, OfTenant

CHECK_LEAD: Final = "check_lead"


class Task(Identified, Base):
    """A lead to check. `version` grows with every move, so that two people cannot move it at once unnoticed.

    `assignment_reason` is a key with parameters: grid_officer {grid, level}, grid_without_officer {grid, level},
    no_grid {}, camera_not_registered {camera}; `deadline_source` names the policy the deadlines follow, empty when none
    was in force, and `calendar_complete` says whether the public holidays of every year touched were known.
    """

    __tablename__ = "task"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "lead_id"], ["lead.tenant", "lead.id"]),
        UniqueConstraint("tenant", "lead_id"),
        CheckConstraint("version > 0", name="version_is_positive"),
        Index(None, "tenant", "state", "finish_by"),
        Index(None, "tenant", "officer", "state"),
    )

    lead_id: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    opened_at: Mapped[datetime]
    acknowledge_by: Mapped[datetime | None]
    finish_by: Mapped[datetime | None]
    deadline_clock: Mapped[str] = mapped_column(String(16))
    deadline_source: Mapped[str]
    calendar_complete: Mapped[bool]
    grid_id: Mapped[str | None] = mapped_column(String(128))
    officer: Mapped[str | None] = mapped_column(String(64))
    assignment_reason: Mapped[str] = mapped_column(String(32))
    assignment_params: Mapped[JsonObject]


class TaskEvent(OfTenant, Base):
    """One line of a task's history: who did what when, from which state to which, in what words. Append-only.

    `move` is a `transitions.Move`, or open, assign, incident_closed, incident_reopened.
    """

    __tablename__ = "task_event"
    __table_args__ = (ForeignKeyConstraint(["tenant", "task_id"], ["task.tenant", "task.id"]),)

    task_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by_user: Mapped[str] = mapped_column(String(64))
    by_role: Mapped[str] = mapped_column(String(16))
    move: Mapped[str] = mapped_column(String(32))
    from_state: Mapped[str] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    note: Mapped[str]


guard(TaskEvent.metadata.tables[TaskEvent.__tablename__])


def open_task(session: Session, lead: Lead, *, at: datetime) -> TaskOpened | None:
    """Make the task of a lead, assigned and with deadlines; None when it has one already."""
    raise AssertionError((session, lead, at))


def move_task(
    session: Session,
    *,
    tenant: str,
    task_id: str,
    move: Move,
    by: Actor,
    at: datetime,
    note: str = "",
    expected_version: int | None = None,
) -> TaskMoved:
    """Move a task along `TRANSITIONS` and write it into the history.

    Raises:
        Unknown: there is no such task.
        NotAllowed: the role may not make this move.
        IllegalMove: the state does not allow it.
        NoteMissing: the move needs a reason in words.
        StaleTask: the task is no longer at `expected_version`.
    """
    raise AssertionError((session, tenant, task_id, move, by, at, note, expected_version))


def assign_task(
    session: Session, *, tenant: str, task_id: str, officer: str, by: Actor, at: datetime, note: str = ""
) -> TaskMoved:
    """The head gives a task to an officer."""
    raise AssertionError((session, tenant, task_id, officer, by, at, note))


def note_incident(session: Session, lead: Lead, *, at: datetime) -> TaskNoted | None:
    """Write into the task's history that the incident ended by itself, or goes on again; the state stays."""
    raise AssertionError((session, lead, at))


def history_of(session: Session, *, tenant: str, task_id: str) -> tuple[TaskEvent, ...]:
    """A task's history, oldest first."""
    raise AssertionError((session, tenant, task_id))
