"""What an officer does with a task, as plain forms: moves, assignment, findings. Nothing here needs a script.

Each form names the page it stands on (`back`); the answer is that page, or for htmx the task's panel alone. What could
not be done is said in the panel, with the HTTP status that fits, and has changed nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from center.accounts.guards import CsrfChecked, Officer
from center.accounts.people import Person, require_officer
from center.handlers import route
from center.office import Office, office_of
from center.pages.language import local_path
from center.pages.rendering import language_of
from center.pages.taskpanel import read_move, trouble_in_words
from center.pages.tasks import find_task, task_page, task_part
from center.web.problems import status_of
from center.web.words import NO_NUL
from center.words import languages
from enforcement.errors import EnforcementError
from enforcement.events import Happening
from enforcement.findings import publish_finding, withdraw_finding, write_finding
from enforcement.tasks import assign_task, move_task

router: Final = APIRouter(include_in_schema=False, dependencies=[CsrfChecked])

Words = Annotated[str, Form(max_length=4000, pattern=NO_NUL)]
Back = Annotated[str, Form(max_length=2048)]


@router.post("/tasks/{task_id}/moves")
def move(
    request: Request,
    *,
    person: Officer,
    task_id: str,
    move: Annotated[str, Form(max_length=32)],
    version: Annotated[int, Form(ge=1)],
    note: Words = "",
    back: Back = "",
) -> Response:
    """Move the task along its table of transitions."""
    wished = read_move(move)
    if wished is None:
        raise HTTPException(422, f"no move {move!r}")
    office = office_of(request)
    trouble = _attempt(
        request,
        lambda session: move_task(
            session,
            tenant=office.settings.tenant,
            task_id=task_id,
            move=wished,
            by=person.actor,
            at=office.now(),
            note=note,
            expected_version=version,
        ),
    )
    return _answer(request, person, task_id, back, trouble)


@router.post("/tasks/{task_id}/officer")
def assign(
    request: Request,
    *,
    person: Officer,
    task_id: str,
    officer: Annotated[str, Form(max_length=128, pattern=NO_NUL)],
    version: Annotated[int, Form(ge=1)],
    note: Words = "",
    back: Back = "",
) -> Response:
    """The head gives the task to somebody."""
    office = office_of(request)

    def give(session: Session) -> Happening:
        tenant = office.settings.tenant
        happened = assign_task(
            session,
            tenant=tenant,
            task_id=task_id,
            officer=officer,
            by=person.actor,
            at=office.now(),
            note=note,
            expected_version=version,
        )
        require_officer(session, tenant=tenant, name=officer)
        return happened

    return _answer(request, person, task_id, back, _attempt(request, give))


@router.post("/tasks/{task_id}/findings")
def find(
    request: Request,
    *,
    person: Officer,
    task_id: str,
    result: Words = "",
    measure: Words = "",
    language: Annotated[str, Form(max_length=16)] = "",
    back: Back = "",
) -> Response:
    """Write down, as a draft, what the check found."""
    office = office_of(request)
    tongue = language if language in languages() else language_of(request).tag
    trouble = _attempt(
        request,
        lambda session: write_finding(
            session,
            tenant=office.settings.tenant,
            task_id=task_id,
            result=result,
            measure=measure,
            language=tongue,
            by=person.actor,
            at=office.now(),
        ),
    )
    return _answer(request, person, task_id, back, trouble)


@router.post("/tasks/{task_id}/findings/{finding_id}/publication")
def publish(request: Request, *, person: Officer, task_id: str, finding_id: str, back: Back = "") -> Response:
    """Let shoppers read it."""
    office = office_of(request)
    trouble = _attempt(
        request,
        lambda session: publish_finding(
            session, tenant=office.settings.tenant, finding_id=finding_id, by=person.actor, at=office.now()
        ),
    )
    return _answer(request, person, task_id, back, trouble)


@router.post("/tasks/{task_id}/findings/{finding_id}/withdrawal")
def withdraw(
    request: Request,
    *,
    person: Officer,
    task_id: str,
    finding_id: str,
    reason: Words = "",
    revoked_at: Annotated[datetime | None, Form()] = None,
    back: Back = "",
) -> Response:
    """Take it back from the public, with a reason."""
    office = office_of(request)
    trouble = _attempt(
        request,
        lambda session: withdraw_finding(
            session,
            tenant=office.settings.tenant,
            finding_id=finding_id,
            by=person.actor,
            at=office.now(),
            reason=reason,
            revoked_at=_local(office, revoked_at),
        ),
    )
    return _answer(request, person, task_id, back, trouble)


def _local(office: Office, at: datetime | None) -> datetime | None:
    """A moment as a form names it: by the county's clock."""
    return at.replace(tzinfo=at.tzinfo or ZoneInfo(office.settings.time_zone)) if at else None


def _attempt(request: Request, act: Callable[[Session], Happening]) -> EnforcementError | None:
    """Do it in one transaction with all that follows from it, or nothing of it and say what was wrong."""
    try:
        with office_of(request).database.writing() as session:
            route(session, (act(session),))
    except EnforcementError as error:
        return error
    return None


def _answer(request: Request, person: Person, task_id: str, back: str, trouble: EnforcementError | None) -> Response:
    status = status_of(trouble) if trouble else 200
    words = trouble_in_words(language_of(request), trouble) if trouble else ""
    home = local_path(back) if back else f"/tasks/{task_id}"
    with office_of(request).database.reading() as session:
        task = find_task(request, session, task_id)
        if "hx-request" in request.headers:
            return task_part(request, session, person, task, back=home, status=status, trouble=words)
        if trouble:
            return task_page(request, session, person, task, status=status, trouble=words)
    return RedirectResponse(f"{home}#task", status_code=303)
