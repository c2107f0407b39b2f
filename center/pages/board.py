"""The live board: what the cameras found, as it arrives, with what is due next and how the cameras are.

Its three parts (leads, tasks due, cameras) are pages of their own too, so that each can be fetched anew by itself.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from center.accounts.guards import Staff, whoever
from center.accounts.people import TASK_ROLES, VIEWER_ROLES, Person
from center.database import Reading
from center.office import office_of
from center.pages.camerahealth import camera_health
from center.pages.leadviews import newest_leads, view_leads
from center.pages.rendering import language_of, render
from center.pages.tasklist import next_due, with_leads
from enforcement.leads import Lead

router: Final = APIRouter(include_in_schema=False)
SHOWN_LEADS: Final = 18
SHOWN_TASKS: Final = 5


@router.get("/")
def show(request: Request, session: Reading) -> Response:
    """The board; the sign-in page for whoever is not signed in."""
    person = whoever(request)
    if person is None:
        return RedirectResponse("/sign-in", status_code=303)
    parts = _leads(request, session, person) | _due(request, session, person) | _cameras(request, session)
    return render(request, "board.html", **parts)


@router.get("/board/leads")
def show_leads(request: Request, session: Reading, person: Staff) -> Response:
    """The newest leads."""
    return render(request, "_board_leads.html", **_leads(request, session, person))


@router.get("/board/due")
def show_due(request: Request, session: Reading, person: Staff) -> Response:
    """What is due next."""
    return render(request, "_board_due.html", **_due(request, session, person))


@router.get("/board/cameras")
def show_cameras(request: Request, session: Reading, _person: Staff) -> Response:
    """How the cameras are."""
    return render(request, "_board_cameras.html", **_cameras(request, session))


def sees_pictures(person: Person) -> bool:
    """Evidence is for those who check leads; a technician looks after boxes without it."""
    return person.role in VIEWER_ROLES


def _leads(request: Request, session: Session, person: Person) -> dict[str, Any]:
    tenant = office_of(request).settings.tenant
    rows = newest_leads(session, tenant, limit=SHOWN_LEADS + 1)
    views = view_leads(session, language_of(request), rows[:SHOWN_LEADS])
    return {"leads": views, "more": len(rows) > SHOWN_LEADS, "sees_pictures": sees_pictures(person)}


def _due(request: Request, session: Session, person: Person) -> dict[str, Any]:
    tenant = office_of(request).settings.tenant
    tasks = next_due(session, tenant, limit=SHOWN_TASKS)
    return {"due": with_leads(session, language_of(request), tasks), "handles": person.role in TASK_ROLES}


def _cameras(request: Request, session: Session) -> dict[str, Any]:
    office = office_of(request)
    health = camera_health(session, language_of(request), tenant=office.settings.tenant, at=office.now())
    anything = session.scalar(select(Lead.id).where(Lead.tenant == office.settings.tenant).limit(1))
    return {"cameras": health, "anything": anything is not None}
