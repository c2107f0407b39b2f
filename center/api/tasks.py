"""Tasks: list, read, move, assign, write a finding; below /api/v1/tasks."""

from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from center.accounts.guards import Officer
from center.accounts.people import Person, require_officer
from center.api.leads import RowId
from center.api.paging import Limit, Offset, PageOf, page_of
from center.api.schemas import FindingOut, ProposalOut, StepOut, TaskDetail, TaskOut
from center.api.security import CHANGES, reading_router
from center.database import Reading, Writing
from center.handlers import route
from center.office import office_of
from center.web.problems import responses
from center.web.words import NO_NUL
from enforcement.findings import Finding, write_finding
from enforcement.penalties import proposal_of
from enforcement.task_records import Task, history_of, task_by_id
from enforcement.tasks import assign_task, move_task
from enforcement.transitions import Move, State, moves_open_to

router: Final = reading_router("tasks")
OF_OTHER_TABLES: Final = frozenset({"history", "moves", "proposal"})


class MoveIn(BaseModel):
    """What to do with the task. With `version`, a task that moved on in the meantime answers 409."""

    move: Move
    note: Annotated[str, Field(max_length=4000, pattern=NO_NUL)] = ""
    version: Annotated[int | None, Field(ge=1, le=2**31)] = None


class AssignmentIn(BaseModel):
    """To whom the head gives the task."""

    officer: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)]
    note: Annotated[str, Field(max_length=4000, pattern=NO_NUL)] = ""
    version: Annotated[int | None, Field(ge=1, le=2**31)] = None


class FindingIn(BaseModel):
    """What the check found, in the words shoppers will read once it is published."""

    result: Annotated[str, Field(min_length=1, max_length=4000, pattern=NO_NUL)]
    measure: Annotated[str, Field(max_length=4000, pattern=NO_NUL)] = ""
    language: Annotated[str, Field(pattern=r"^(zh-CN|en)$")] = "zh-CN"


@router.get("/tasks", responses=responses(401, 403, 422))
def list_tasks(
    request: Request,
    session: Reading,
    _person: Officer,
    *,
    state: State | None = None,
    officer: Annotated[str, Query(max_length=64, pattern=NO_NUL)] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> PageOf[TaskOut]:
    """Tasks, the most urgent first."""
    rows = select(Task).where(Task.tenant == office_of(request).settings.tenant)
    if state is not None:
        rows = rows.where(Task.state == state.value)
    if officer:
        rows = rows.where(Task.officer == officer)
    rows = rows.order_by(Task.finish_by.is_(None), Task.finish_by, Task.id)
    return page_of(session, rows, read=TaskOut.of, limit=limit, offset=offset)


@router.get("/tasks/{task_id}", responses=responses(401, 403, 404, 422))
def read_task(request: Request, session: Reading, person: Officer, task_id: RowId) -> TaskDetail:
    """One task with its whole history and the moves open to whoever asks."""
    tenant = office_of(request).settings.tenant
    return _detail(session, task_by_id(session, tenant=tenant, task_id=task_id), person)


@router.post("/tasks/{task_id}/moves", responses=responses(400, 401, 403, 404, 409, 422, 503), dependencies=CHANGES)
def move(request: Request, session: Writing, person: Officer, task_id: RowId, wish: MoveIn) -> TaskDetail:
    """Move the task; 409 if its state does not allow that, and then nothing has changed.

    `propose_penalty` and `hand_over` are steps of a penalty: 409 as well, with the review that is missing, while the
    lead is no evidence.
    """
    office = office_of(request)
    happened = move_task(
        session,
        tenant=office.settings.tenant,
        task_id=task_id,
        move=wish.move,
        by=person.actor,
        at=office.now(),
        note=wish.note,
        expected_version=wish.version,
    )
    route(session, (happened,))
    return _detail(session, task_by_id(session, tenant=office.settings.tenant, task_id=task_id), person)


@router.post("/tasks/{task_id}/officer", responses=responses(400, 401, 403, 404, 409, 422, 503), dependencies=CHANGES)
def assign(request: Request, session: Writing, person: Officer, task_id: RowId, wish: AssignmentIn) -> TaskDetail:
    """The head gives the task to an officer."""
    office = office_of(request)
    happened = assign_task(
        session,
        tenant=office.settings.tenant,
        task_id=task_id,
        officer=wish.officer,
        by=person.actor,
        at=office.now(),
        note=wish.note,
        expected_version=wish.version,
    )
    require_officer(session, tenant=office.settings.tenant, name=wish.officer)
    route(session, (happened,))
    return _detail(session, task_by_id(session, tenant=office.settings.tenant, task_id=task_id), person)


@router.post(
    "/tasks/{task_id}/findings",
    status_code=201,
    responses=responses(400, 401, 403, 404, 409, 422, 503),
    dependencies=CHANGES,
)
def find(request: Request, session: Writing, person: Officer, task_id: RowId, wish: FindingIn) -> FindingOut:
    """Write down, as a draft, what the check found."""
    office = office_of(request)
    written = write_finding(
        session,
        tenant=office.settings.tenant,
        task_id=task_id,
        result=wish.result,
        measure=wish.measure,
        language=wish.language,
        by=person.actor,
        at=office.now(),
    )
    route(session, (written,))
    return FindingOut.of(session.get_one(Finding, (office.settings.tenant, written.finding_id)))


def _detail(session: Session, task: Task, person: Person) -> TaskDetail:
    own = {name: getattr(task, name) for name in TaskDetail.model_fields if name not in OF_OTHER_TABLES}
    proposal = proposal_of(session, task)
    return TaskDetail(
        **own,
        history=[StepOut.of(step) for step in history_of(session, tenant=task.tenant, task_id=task.id)],
        moves=[row.move.value for row in moves_open_to(State(task.state), person.role)],
        proposal=ProposalOut.model_validate(proposal) if proposal else None,
    )
