"""Legal hold on a lead, as a plain form. Nothing here needs a script."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from center.accounts.guards import CsrfChecked, Officer
from center.evidence.files import files_of
from center.handlers import route
from center.office import office_of
from center.pages.keepviews import hold_trouble, keeping_of
from center.pages.leads import lead_page
from center.pages.rendering import language_of, render
from center.web.problems import status_of
from center.web.words import NO_NUL
from enforcement.errors import EnforcementError
from enforcement.holds import hold_lead, release_lead
from enforcement.leads import Lead

router: Final = APIRouter(include_in_schema=False, dependencies=[CsrfChecked])


@router.post("/leads/{lead_id}/holds")
def hold(
    request: Request,
    *,
    person: Officer,
    lead_id: str,
    holds: Annotated[bool, Form()],
    reason: Annotated[str, Form(max_length=2000, pattern=NO_NUL)] = "",
) -> Response:
    """Put the lead under legal hold, or release it; the answer is its page, or for htmx the card alone."""
    office, act = office_of(request), hold_lead if holds else release_lead
    tenant, language, trouble, status = office.settings.tenant, language_of(request), "", 200
    try:
        with office.database.writing() as session:
            happened = act(session, tenant=tenant, lead_id=lead_id, by=person.actor, at=office.now(), reason=reason)
            route(session, (happened,))
    except EnforcementError as error:
        trouble, status = hold_trouble(language, error), status_of(error)
    with office.database.reading() as session:
        lead = session.get(Lead, (tenant, lead_id))
        if lead is None:
            raise HTTPException(404, f"there is no lead {lead_id!r}")
        if "hx-request" in request.headers:
            files = files_of(session, tenant=tenant, device=lead.device, incident=lead.incident)
            keeping = keeping_of(session, language, person, lead, files=files, settings=office.settings.retention)
            return render(request, "_keeping.html", status=status, keeping=keeping, hold_trouble=trouble)
        if trouble:
            return lead_page(request, session, person, lead_id, status=status, hold_trouble=trouble)
    return RedirectResponse(f"/leads/{lead_id}#keeping", status_code=303)
