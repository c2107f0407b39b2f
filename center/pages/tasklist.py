"""Lists of tasks: which, in which order, and each with its lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, case, func, select, true
from sqlalchemy.orm import Session

from center.pages.deadlines import deadline
from center.pages.leadviews import LeadView, view_leads
from center.pages.terms import TASK_STATES, Toned, toned
from center.words import Language
from enforcement.leads import Lead
from enforcement.task_records import Task
from enforcement.transitions import State

TIMED: Final = (State.OPENED, State.ACKNOWLEDGED, State.STARTED)
ACTIVE: Final = (*TIMED, State.PENALTY_PROPOSED)
FILTERS: Final = ("mine", "open", "overdue", "all")


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task in a list. `due` is the deadline that counts now, `due_for` what must be done by then."""

    task: Task
    lead: LeadView
    state: Toned
    due: datetime | None
    due_for: str


def list_tasks(
    session: Session, tenant: str, wanted: ColumnElement[bool], *, limit: int, offset: int
) -> Sequence[Task]:
    """Tasks that still need somebody first, by their next deadline; then the finished ones, the newest first."""
    return session.scalars(
        select(Task)
        .where(Task.tenant == tenant, wanted)
        .order_by(Task.state.not_in(ACTIVE), _due().asc().nulls_last(), Task.opened_at.desc(), Task.id)
        .limit(limit)
        .offset(offset)
    ).all()


def next_due(session: Session, tenant: str, *, limit: int) -> Sequence[Task]:
    """The tasks whose deadline comes first."""
    return list_tasks(session, tenant, Task.state.in_(TIMED), limit=limit, offset=0)


def count_tasks(session: Session, tenant: str, wanted: ColumnElement[bool]) -> int:
    """How many tasks a filter leaves."""
    return session.scalar(select(func.count()).select_from(Task).where(Task.tenant == tenant, wanted)) or 0


def chosen_by(name: str, *, officer: str, now: datetime) -> ColumnElement[bool]:
    """The condition behind one of FILTERS."""
    active = Task.state.in_(ACTIVE)
    match name:
        case "mine":
            return active & (Task.officer == officer)
        case "overdue":
            return Task.state.in_(TIMED) & (_due() < now)
        case "all":
            return true()
        case _:
            return active


def with_leads(session: Session, language: Language, tasks: Sequence[Task]) -> list[TaskLine]:
    """The tasks with all that a list shows of each."""
    if not tasks:
        return []
    wanted = (Lead.tenant == tasks[0].tenant, Lead.id.in_([task.lead_id for task in tasks]))
    views = {
        view.lead.id: view for view in view_leads(session, language, session.scalars(select(Lead).where(*wanted)).all())
    }
    lines = []
    for task in tasks:
        due, due_for = deadline(language, task)
        lines.append(TaskLine(task, views[task.lead_id], toned(language, TASK_STATES, task.state), due, due_for))
    return lines


def _due() -> ColumnElement[datetime | None]:
    return case(
        (Task.state == State.OPENED, Task.acknowledge_by),
        (Task.state == State.PENALTY_PROPOSED, None),
        else_=Task.finish_by,
    )
