"""The rows tasks and their histories are kept in; what may be done with them stands in `tasks`."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enforcement.errors import Unknown
from enforcement.transitions import State
from traceability.append_only import guard
from traceability.records import Base, Identified, JsonObject, OfTenant

CHECK_LEAD: Final = "check_lead"
FINISHED: Final = (State.CLOSED, State.FALSE_ALARM)


class Note(StrEnum):
    """Lines of the history that are no move: who did them is in the line, `system` where nobody did."""

    OPEN = "open"
    ASSIGN = "assign"
    INCIDENT_CLOSED = "incident_closed"
    INCIDENT_REOPENED = "incident_reopened"
    DISTRUSTED = "distrusted"


class Task(Identified, Base):
    """A lead to check. `version` grows with every move, so that two people cannot move it at once unnoticed.

    `assignment_reason` is a key with parameters: grid_officer {grid, level}, grid_without_officer {grid, level},
    no_grid {camera}, camera_not_registered {camera}; `deadline_source` names the policy the deadlines follow, empty
    when none was in force, and `calendar_complete` says whether the public holidays of every year touched were known.
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

    `move` is a `transitions.Move` or a `Note`.
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


def task_by_id(session: Session, *, tenant: str, task_id: str) -> Task:
    """The task as the database has it now.

    Raises:
        Unknown: there is no such task.
    """
    task = session.get(Task, (tenant, task_id), populate_existing=True)
    if task is None:
        raise Unknown(f"there is no task {task_id!r}")
    return task


def history_of(session: Session, *, tenant: str, task_id: str) -> tuple[TaskEvent, ...]:
    """A task's history, oldest first."""
    rows = session.scalars(
        select(TaskEvent).where(TaskEvent.tenant == tenant, TaskEvent.task_id == task_id).order_by(TaskEvent.number)
    )
    return tuple(rows)
