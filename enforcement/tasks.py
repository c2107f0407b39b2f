"""Tasks: "check this lead" (核实线索), one per lead, with deadlines, an officer and a history nobody can rewrite."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from alerts.messages import Phase
from enforcement.actors import SYSTEM, Actor, Role
from enforcement.assignment import Assignment, assign
from enforcement.errors import IllegalMove, NotAllowed, NoteMissing, SamePerson, StaleTask
from enforcement.events import TaskMoved, TaskNoted, TaskOpened
from enforcement.finding_records import FindingStatus, findings_of
from enforcement.leads import Lead, Sight, sights_of
from enforcement.policy import response_rule, response_times, times_by
from enforcement.reviews import require_evidence
from enforcement.task_records import CHECK_LEAD, FINISHED, Note, Task, TaskEvent, task_by_id
from enforcement.transitions import Move, State, transition_of
from traceability.editions import Register, register_of
from traceability.rows import insert_rows


class Step(NamedTuple):
    """One line of the history before it is written."""

    move: Move | Note
    by: Actor
    at: datetime
    from_state: State
    to_state: State
    note: str = ""


def open_tasks(session: Session, tenant: str, sights: Sequence[Sight], *, at: datetime) -> tuple[TaskOpened, ...]:
    """Make the tasks of leads that are new and so have none, assigned and with deadlines from `at` on.

    The grid is that of the sight, the deadlines those of the day the task was opened. The database refuses a second
    task of a lead.
    """
    register = register_of(session, tenant)
    times: dict[str, dict[str, Any]] = {}
    tasks: list[dict[str, Any]] = []
    for sight in sights:
        if sight.kind not in times:
            times[sight.kind] = _times(session, register, sight, at)
        given = _assign(session, register, sight)
        tasks.append(
            {
                "tenant": sight.tenant,
                "id": sight.lead_id,
                "lead_id": sight.lead_id,
                "kind": CHECK_LEAD,
                "state": State.OPENED.value,
                "version": 1,
                "opened_at": at,
                "grid_id": given.grid_id,
                "officer": given.officer,
                "assignment_reason": given.reason.value,
                "assignment_params": given.params,
                **times[sight.kind],
            }
        )
    insert_rows(session, Task, tasks)
    step = Step(Note.OPEN, SYSTEM, at, State.OPENED, State.OPENED)
    insert_rows(session, TaskEvent, [_line(task["tenant"], task["id"], 1, step) for task in tasks])
    return tuple(TaskOpened(task["tenant"], at, task["id"], task["lead_id"], task["officer"]) for task in tasks)


def _times(session: Session, register: Register, sight: Sight, at: datetime) -> dict[str, Any]:
    place = {"tenant": sight.tenant, "kind": sight.kind}
    rule = register.recall(at, ("response", sight.kind), lambda: response_rule(session, **place, at=at))
    return times_by(rule, at).columns()


def _assign(session: Session, register: Register, sight: Sight) -> Assignment:
    place = {"tenant": sight.tenant, "camera": sight.camera}
    return register.recall(sight.at, ("assign", sight.camera), lambda: assign(session, **place, at=sight.at))


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
    """Move a task along `TRANSITIONS` and write it into the history; on an error nothing has changed.

    Who acknowledges a task of the pool takes it. A reopened task gets new deadlines.

    Raises:
        Unknown: there is no such task.
        NotAllowed: the role may not make this move.
        IllegalMove: the state does not allow it, or it would call a published finding a false alarm.
        NoteMissing: the move needs a reason in words.
        NotEvidence: it is a step of a penalty, and the lead is no evidence (Administrative Penalty Law 2021, art. 41).
        SamePerson: it is a step of a penalty, by one of those who reviewed the lead.
        StaleTask: the task is no longer at `expected_version`.
    """
    task = task_by_id(session, tenant=tenant, task_id=task_id)
    row = transition_of(move)
    if by.role not in row.roles:
        raise NotAllowed(f"the role {by.role.value} may not {move.value} a task")
    _require_version(task, expected_version)
    before = State(task.state)
    if before not in row.from_states:
        raise IllegalMove(f"task {task.id} is {before.value}; {move.value} is for {_listed(row.from_states)}")
    if row.needs_note and not note.strip():
        raise NoteMissing(f"{move.value} needs a reason in words")
    if move is Move.FALSE_ALARM:
        _require_nothing_published(session, task)
    if row.needs_evidence:
        _require_evidence(session, task, by)
    columns: dict[str, Any] = {"state": row.to_state.value}
    if move is Move.ACKNOWLEDGE and task.officer is None:
        columns["officer"] = by.user_id
    if move is Move.REOPEN:
        lead = session.get_one(Lead, (tenant, task.lead_id))
        columns |= response_times(session, tenant=tenant, kind=lead.kind, at=at).columns()
    _advance(session, task, columns)
    step = Step(move, by, at, before, row.to_state, note.strip())
    _write(session, task, step)
    return _moved(task, step)


def assign_task(
    session: Session,
    *,
    tenant: str,
    task_id: str,
    officer: str,
    by: Actor,
    at: datetime,
    note: str = "",
    expected_version: int | None = None,
) -> TaskMoved:
    """The head gives a task to an officer; the state stays.

    Raises:
        Unknown: there is no such task.
        NotAllowed: only the head assigns.
        IllegalMove: the task is finished.
        StaleTask: the task is no longer at `expected_version`.
    """
    task = task_by_id(session, tenant=tenant, task_id=task_id)
    if by.role is not Role.HEAD:
        raise NotAllowed(f"the role {by.role.value} may not assign tasks; the head may")
    _require_version(task, expected_version)
    state = State(task.state)
    if state in FINISHED:
        raise IllegalMove(f"task {task.id} is {state.value}; reopen it before giving it to somebody")
    _advance(session, task, {"officer": officer})
    step = Step(Note.ASSIGN, by, at, state, state, " · ".join(filter(None, (officer, note.strip()))))
    _write(session, task, step)
    return _moved(task, step)


def note_incidents(session: Session, tenant: str, lead_ids: Iterable[str], *, at: datetime) -> tuple[TaskNoted, ...]:
    """Write into the histories of these leads' tasks that an incident ended by itself, or goes on again.

    Safe to call after every fold: it writes only what a history does not say yet. The states stay.
    """
    phases = {sight.lead_id: sight.phase for sight in sights_of(session, tenant, lead_ids)}
    tasks = session.execute(
        select(Task.id, Task.lead_id, Task.state)
        .where(Task.tenant == tenant, Task.id.in_(phases))
        .order_by(Task.id)
        .with_for_update()
    ).all()
    moves: dict[str, list[str]] = {task.id: [] for task in tasks}
    lines = select(TaskEvent.task_id, TaskEvent.move).where(TaskEvent.tenant == tenant, TaskEvent.task_id.in_(moves))
    for task_id, move in session.execute(lines.order_by(TaskEvent.task_id, TaskEvent.number)):
        moves[task_id].append(move)
    written: list[dict[str, Any]] = []
    noted: list[TaskNoted] = []
    for task_id, lead, state in tasks:
        told = moves[task_id]
        last = next((move for move in reversed(told) if move in (Note.INCIDENT_CLOSED, Note.INCIDENT_REOPENED)), None)
        is_over = phases[lead] == Phase.CLOSED
        if (last == Note.INCIDENT_CLOSED) != is_over:
            what = Note.INCIDENT_CLOSED if is_over else Note.INCIDENT_REOPENED
            step = Step(what, SYSTEM, at, State(state), State(state))
            written.append(_line(tenant, task_id, len(told) + 1, step))
            noted.append(TaskNoted(tenant, at, task_id, lead, what.value))
    insert_rows(session, TaskEvent, written)
    return tuple(noted)


def note_distrust(session: Session, tenant: str, lead_ids: Iterable[str], *, at: datetime) -> tuple[TaskNoted, ...]:
    """Write into the histories of these leads' tasks that what they rest on is trusted no more. The states stay."""
    own = (Task.tenant == tenant, Task.lead_id.in_(sorted(set(lead_ids))))
    tasks = session.scalars(select(Task).where(*own).order_by(Task.id).with_for_update()).all()
    for task in tasks:
        _write(session, task, Step(Note.DISTRUSTED, SYSTEM, at, State(task.state), State(task.state)))
    return tuple(TaskNoted(tenant, at, task.id, task.lead_id, Note.DISTRUSTED.value) for task in tasks)


def _moved(task: Task, step: Step) -> TaskMoved:
    states = (step.from_state.value, step.to_state.value)
    return TaskMoved(task.tenant, step.at, task.id, task.lead_id, step.move.value, *states, step.by.user_id, step.note)


def _listed(states: tuple[State, ...]) -> str:
    return " or ".join(state.value for state in states)


def _require_version(task: Task, expected_version: int | None) -> None:
    if expected_version is not None and expected_version != task.version:
        raise StaleTask(f"task {task.id} is {task.state} by now; load it again before moving it")


def _require_nothing_published(session: Session, task: Task) -> None:
    for finding in findings_of(session, tenant=task.tenant, lead_id=task.lead_id):
        if finding.status == FindingStatus.PUBLISHED:
            raise IllegalMove(f"finding {finding.id} is published; withdraw it before calling this a false alarm")


def _require_evidence(session: Session, task: Task, by: Actor) -> None:
    reviewed = require_evidence(session, tenant=task.tenant, lead_id=task.lead_id)
    if by.user_id in {word.reviewer for word in (reviewed.legal, reviewed.technical) if word is not None}:
        raise SamePerson(f"lead {task.lead_id}: {by.user_id} reviewed it and cannot take a step of its penalty")


def _advance(session: Session, task: Task, columns: dict[str, Any]) -> None:
    """Change the row only if nobody else has since it was read."""
    changed = session.execute(
        update(Task)
        .where(Task.tenant == task.tenant, Task.id == task.id, Task.version == task.version)
        .values(version=Task.version + 1, **columns)
        .returning(Task.version)
        .execution_options(synchronize_session=False)
    ).all()
    session.refresh(task)
    if not changed:
        raise StaleTask(f"task {task.id} is {task.state} by now; load it again before moving it")


def _write(session: Session, task: Task, step: Step) -> None:
    """Append one line to the history."""
    lines = select(func.count()).where(TaskEvent.tenant == task.tenant, TaskEvent.task_id == task.id)
    insert_rows(session, TaskEvent, [_line(task.tenant, task.id, (session.scalar(lines) or 0) + 1, step)])


def _line(tenant: str, task_id: str, number: int, step: Step) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "task_id": task_id,
        "number": number,
        "at": step.at,
        "by_user": step.by.user_id,
        "by_role": step.by.role.value,
        "move": step.move.value,
        "from_state": step.from_state.value,
        "to_state": step.to_state.value,
        "note": step.note,
    }
