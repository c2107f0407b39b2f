"""Redacted copies of a lead's pictures: asking for one, comparing it with its original, releasing it. Plain forms.

Boxes are drawn with a script (`redaction.js`) or typed, a line for each.
"""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from alerts.messages import Box
from alerts.redaction import MOST_BY_HAND
from center.accounts.guards import CsrfChecked, Viewer
from center.database import Reading
from center.errors import CannotRedact
from center.evidence.copying import make_copy
from center.evidence.files import files_of
from center.evidence.redactions import Word, say
from center.office import office_of
from center.pages.redactionviews import copies_shown, originals_of
from center.pages.rendering import language_of, render
from center.web.problems import status_of
from center.web.words import NO_NUL
from center.words import N_, Language
from enforcement.errors import Conflict, EnforcementError, IllegalMove, NoteMissing, Unknown
from enforcement.leads import Lead

router: Final = APIRouter(include_in_schema=False, dependencies=[CsrfChecked])
reading: Final = APIRouter(include_in_schema=False)

LINE: Final = re.compile(r"\s*(-?\d{1,6})\s*[,，\s]\s*(-?\d{1,6})\s*[,，\s]\s*(\d{1,6})\s*[,，\s]\s*(\d{1,6})\s*")
NO_BOXES: Final = N_("A box is four whole numbers in a line: x,y,width,height. Nothing was made.")
TROUBLE: Final = {
    NoteMissing: N_("Please say why. Nothing was changed."),
    IllegalMove: N_("Look at the copy itself on this page before you release it, and only once. Nothing was changed."),
    Conflict: N_("This lead has this very copy already: nothing else would be covered."),
}

Words = Annotated[str, Form(max_length=1000, pattern=NO_NUL)]


@reading.get("/leads/{lead_id}/redactions")
def show(request: Request, session: Reading, _person: Viewer, lead_id: str, original: str = "") -> Response:
    """The copies of a lead, and the form for another of `original`, a hash; of the first picture if none is named."""
    return _page(request, session, lead_id, original)


@router.post("/leads/{lead_id}/redactions")
def ask(
    request: Request,
    *,
    person: Viewer,
    lead_id: str,
    original: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
    reason: Words = "",
    boxes: Annotated[str, Form(max_length=4000, pattern=NO_NUL)] = "",
) -> Response:
    """Have a copy made; the answer is the page with it."""
    office, language = office_of(request), language_of(request)
    try:
        drawn = _boxes_of(language, boxes)
        sha256 = make_copy(office, person.actor, lead_id, original=original, reason=reason, boxes=drawn)
    except (CannotRedact, EnforcementError) as error:
        status = 422 if isinstance(error, CannotRedact) else status_of(error)
        with office.database.reading() as session:
            return _page(
                request, session, lead_id, original, status=status, trouble=_said(language, error), typed=boxes
            )
    return RedirectResponse(f"/leads/{lead_id}/redactions?original={original}#copy-{sha256[:16]}", status_code=303)


@router.post("/leads/{lead_id}/redactions/{sha256}/words")
def speak(
    request: Request,
    *,
    person: Viewer,
    lead_id: str,
    sha256: str,
    word: Annotated[Word, Form()],
    reason: Words = "",
    original: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Release a copy or withhold it."""
    office, language = office_of(request), language_of(request)
    tenant = office.settings.tenant
    try:
        with office.database.writing() as session:
            say(
                session,
                tenant=tenant,
                lead_id=lead_id,
                sha256=sha256,
                word=word,
                reason=reason,
                by=person.actor,
                at=office.now(),
            )
    except EnforcementError as error:
        with office.database.reading() as session:
            return _page(request, session, lead_id, original, status=status_of(error), trouble=_said(language, error))
    return RedirectResponse(f"/leads/{lead_id}/redactions?original={original}#copy-{sha256[:16]}", status_code=303)


def _page(
    request: Request,
    session: Session,
    lead_id: str,
    original: str,
    *,
    status: int = 200,
    trouble: str = "",
    typed: str = "",
) -> Response:
    office, language = office_of(request), language_of(request)
    lead = session.get(Lead, (office.settings.tenant, lead_id))
    if lead is None:
        raise HTTPException(404, f"there is no lead {lead_id!r}")
    files = files_of(session, tenant=lead.tenant, device=lead.device, incident=lead.incident)
    originals = originals_of(files)
    return render(
        request,
        "redactions.html",
        status=status,
        lead=lead,
        originals=originals,
        chosen=next((file for file in originals if file.sha256 == original), originals[0] if originals else None),
        files={file.sha256: file for file in files},
        copies=copies_shown(session, language, lead, files),
        lacks=office.redactor.lacks,
        trouble=trouble,
        typed=typed,
    )


def _boxes_of(language: Language, text: str) -> list[Box]:
    """The boxes of a form, a line for each. Raises CannotRedact."""
    found = [LINE.fullmatch(line) for line in text.splitlines() if line.strip()]
    if len(found) > MOST_BY_HAND or any(match is None for match in found):
        raise CannotRedact(language.gettext(NO_BOXES))
    numbers = [[int(each) for each in match.groups()] for match in found if match is not None]
    return [Box(x=x, y=y, width=width, height=height) for x, y, width, height in numbers]


def _said(language: Language, error: Exception) -> str:
    """What went wrong, said to the person who tried. Raises HTTPException 404."""
    if isinstance(error, Unknown):
        raise HTTPException(404, str(error)) from error
    known = next((words for kind, words in TROUBLE.items() if isinstance(error, kind)), None)
    if known is not None:
        return language.gettext(known)
    return language.say(N_("No copy was made, so nothing can be shown: %(reason)s"), reason=str(error))
