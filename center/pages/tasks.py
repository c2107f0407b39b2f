"""Tasks: the list, each task's page, and the panel in it that keeps itself up to date."""

from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from center.accounts.guards import Officer
from center.accounts.people import Person
from center.database import Reading
from center.office import office_of
from center.pages.doubts import doubt_of
from center.pages.language import local_path
from center.pages.leadviews import view_leads
from center.pages.rendering import language_of, render
from center.pages.tasklist import FILTERS, chosen_by, count_tasks, list_tasks, with_leads
from center.pages.taskpanel import panel_of
from enforcement.leads import Lead
from enforcement.task_records import Task

router: Final = APIRouter(include_in_schema=False)
PAGE_SIZE: Final = 50
LAST_PAGE: Final = 1000


@router.get("/tasks")
def show_list(request: Request, session: Reading, person: Officer, show: str = "open", page: int = 1) -> Response:
    """Tasks by their next deadline; `show` is one of FILTERS."""
    office = office_of(request)
    tenant, now = office.settings.tenant, office.now()
    chosen, number = (show if show in FILTERS else "open"), max(1, min(page, LAST_PAGE))
    wanted = {name: chosen_by(name, officer=person.user_id, now=now) for name in FILTERS}
    counts = {name: count_tasks(session, tenant, condition) for name, condition in wanted.items()}
    tasks = list_tasks(session, tenant, wanted[chosen], limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
    return render(
        request,
        "_tasks.html" if "hx-request" in request.headers else "tasks.html",
        lines=with_leads(session, language_of(request), tasks),
        counts=counts,
        chosen=chosen,
        number=number,
        more=counts[chosen] > number * PAGE_SIZE,
    )


@router.get("/tasks/{task_id}")
def show_task(request: Request, session: Reading, person: Officer, task_id: str) -> Response:
    """One task with its lead in brief."""
    return task_page(request, session, person, find_task(request, session, task_id))


@router.get("/tasks/{task_id}/panel")
def show_panel(request: Request, session: Reading, person: Officer, task_id: str, back: str = "") -> Response:
    """The panel alone, fetched anew when the feed says that something about it changed."""
    return task_part(request, session, person, find_task(request, session, task_id), back=local_path(back))


def task_page(
    request: Request, session: Session, person: Person, task: Task, *, status: int = 200, trouble: str = ""
) -> Response:
    """The page of a task, saying what was wrong if something was."""
    language = language_of(request)
    lead = session.get_one(Lead, (task.tenant, task.lead_id))
    return render(
        request,
        "task.html",
        status=status,
        view=view_leads(session, language, [lead])[0],
        doubt=doubt_of(session, language, lead),
        panel=panel_of(session, language, person, task),
        back=f"/tasks/{task.id}",
        trouble=trouble,
    )


def task_part(
    request: Request,
    session: Session,
    person: Person,
    task: Task,
    *,
    back: str,
    status: int = 200,
    trouble: str = "",
) -> Response:
    """The panel of a task alone."""
    panel = panel_of(session, language_of(request), person, task)
    return render(request, "_task.html", status=status, panel=panel, back=back, trouble=trouble)


def find_task(request: Request, session: Session, task_id: str) -> Task:
    """The task of that id; 404 if there is none."""
    task = session.get(Task, (office_of(request).settings.tenant, task_id))
    if task is None:
        raise HTTPException(404, f"there is no task {task_id!r}")
    return task
