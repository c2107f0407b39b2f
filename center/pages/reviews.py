"""A reviewer's word on a lead, as a plain form. Nothing here needs a script."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from center.accounts.guards import CsrfChecked, Reviewer
from center.evidence.reviewing import files_seen
from center.handlers import route
from center.office import office_of
from center.pages.leads import lead_page
from center.pages.rendering import language_of, render
from center.pages.reviewviews import review_of, review_trouble
from center.web.problems import status_of
from center.web.words import NO_NUL
from enforcement.errors import EnforcementError
from enforcement.leads import Lead
from enforcement.reviews import Verdict, review_lead

router: Final = APIRouter(include_in_schema=False, dependencies=[CsrfChecked])

Words = Annotated[str, Form(max_length=4000, pattern=NO_NUL)]


@router.post("/leads/{lead_id}/reviews")
def review(
    request: Request,
    *,
    person: Reviewer,
    lead_id: str,
    verdict: Annotated[Verdict, Form()],
    opinion: Words = "",
    grounds: Words = "",
    shown: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Say whether the lead may serve as evidence; the answer is its page, or for htmx the card alone."""
    office = office_of(request)
    tenant, language, trouble, status = office.settings.tenant, language_of(request), "", 200
    try:
        with office.database.writing() as session:
            happened = review_lead(
                session,
                tenant=tenant,
                lead_id=lead_id,
                verdict=verdict,
                opinion=opinion,
                grounds=grounds,
                files=files_seen(session, tenant=tenant, lead_id=lead_id, shown=shown),
                by=person.actor,
                at=office.now(),
            )
            route(session, (happened,))
    except EnforcementError as error:
        trouble, status = review_trouble(language, error), status_of(error)
    with office.database.reading() as session:
        lead = session.get(Lead, (tenant, lead_id))
        if lead is None:
            raise HTTPException(404, f"there is no lead {lead_id!r}")
        if "hx-request" in request.headers:
            panel = review_of(session, language, person, lead)
            return render(request, "_review.html", status=status, review=panel, review_trouble=trouble)
        if trouble:
            return lead_page(request, session, person, lead_id, status=status, review_trouble=trouble)
    return RedirectResponse(f"/leads/{lead_id}#review", status_code=303)
