"""Leads: all of them with filters, and each in full with the reasons, the places and the record behind it."""

from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from alerts.catalogue import KINDS
from center.accounts.guards import Viewer
from center.accounts.people import TASK_ROLES, Person
from center.database import Reading
from center.evidence.files import files_of
from center.evidence.redactions import ROLE as REDACTED
from center.office import office_of
from center.pages.doubts import doubt_of
from center.pages.keepviews import keeping_of
from center.pages.leadpage import clauses_of, links_in_words, records_of, replaced_time
from center.pages.leadviews import camera_names, newest_leads, view_leads
from center.pages.pairs import chosen_of, pairs_of
from center.pages.rendering import language_of, render
from center.pages.reviewviews import SOURCES, custody_of, recordings_shown, review_of
from center.pages.taskpanel import panel_of
from center.pages.terms import ARTEFACTS, CLOCKS, kind_name, name_of
from enforcement.leads import Lead

router: Final = APIRouter(include_in_schema=False)
PAGE_SIZE: Final = 24


@router.get("/leads")
def show_list(
    request: Request,
    session: Reading,
    _person: Viewer,
    *,
    camera: str = "",
    kind: str = "",
    before: datetime | None = None,
) -> Response:
    """Every lead, the newest first, by camera and kind if wished; `before` turns the page."""
    tenant, language = office_of(request).settings.tenant, language_of(request)
    if before is not None and before.tzinfo is None:
        raise HTTPException(422, "`before` needs a time zone")
    rows = newest_leads(session, tenant, limit=PAGE_SIZE + 1, before=before, camera=camera, kind=kind)
    return render(
        request,
        "leads.html",
        leads=view_leads(session, language, rows[:PAGE_SIZE]),
        next_before=rows[PAGE_SIZE - 1].opened_at if len(rows) > PAGE_SIZE else None,
        turned=before is not None,
        camera=camera,
        kind=kind,
        cameras=camera_names(session, language, tenant),
        kinds={key: kind_name(language, key) for key in KINDS},
        sees_pictures=True,
    )


@router.get("/leads/{lead_id}")
def show(request: Request, session: Reading, person: Viewer, lead_id: str, picture: int = 1) -> Response:
    """One lead in full; `picture` is which of its pairs of pictures is shown large."""
    return lead_page(request, session, person, lead_id, picture)


def lead_page(
    request: Request,
    session: Session,
    person: Person,
    lead_id: str,
    picture: int = 1,
    *,
    status: int = 200,
    hold_trouble: str = "",
    review_trouble: str = "",
    recording_trouble: str = "",
) -> Response:
    """The page of a lead, saying what was wrong if something was."""
    values = _everything(request, session, person, lead_id, picture)
    troubles = {
        "hold_trouble": hold_trouble,
        "review_trouble": review_trouble,
        "recording_trouble": recording_trouble,
    }
    return render(request, "lead.html", status=status, **values | troubles)


@router.get("/leads/{lead_id}/head")
def show_head(request: Request, session: Reading, person: Viewer, lead_id: str, picture: int = 1) -> Response:
    """Title and pictures alone, fetched anew when evidence arrives or the incident goes on."""
    return render(request, "_lead_head.html", **_everything(request, session, person, lead_id, picture))


@router.get("/leads/{lead_id}/more")
def show_more(request: Request, session: Reading, person: Viewer, lead_id: str) -> Response:
    """Reasons and record alone."""
    return render(request, "_lead_more.html", **_everything(request, session, person, lead_id))


def _everything(request: Request, session: Session, person: Person, lead_id: str, picture: int = 1) -> dict[str, Any]:
    language = language_of(request)
    lead = session.get(Lead, (office_of(request).settings.tenant, lead_id))
    if lead is None:
        raise HTTPException(404, f"there is no lead {lead_id!r}")
    view = view_leads(session, language, [lead])[0]
    files = files_of(session, tenant=lead.tenant, device=lead.device, incident=lead.incident)
    pairs = pairs_of(files)
    handles = person.role in TASK_ROLES
    return {
        "view": view,
        "pairs": pairs,
        "chosen": chosen_of(pairs, picture),
        "lead": lead,
        "doubt": doubt_of(session, language, lead),
        "replaced_time": replaced_time(session, language, lead),
        "clauses": clauses_of(language, lead),
        "links": links_in_words(session, language, lead),
        "records": records_of(session, lead),
        "clips": [file for file in files if file.role == "clip"],
        "files": [(name_of(language, ARTEFACTS, file.role), file) for file in files],
        "clock": name_of(language, CLOCKS, lead.clock),
        "panel": panel_of(session, language, person, view.task) if view.task and handles else None,
        "handles": handles,
        "review": review_of(session, language, person, lead),
        "review_trouble": "",
        "recordings": recordings_shown(session, lead, files),
        "recording_sources": {key: name_of(language, SOURCES, key) for key in SOURCES},
        "recording_trouble": "",
        "copies": len({file.sha256 for file in files if file.role == REDACTED}),
        "custody": custody_of(session, language, lead, files),
        "keeping": keeping_of(
            session, language, person, lead, files=files, settings=office_of(request).settings.retention
        ),
        "hold_trouble": "",
        "back": f"/leads/{lead.id}",
        "trouble": "",
    }
