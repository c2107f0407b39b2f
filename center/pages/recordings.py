"""Adding one's own recording to a lead, as a plain form. Nothing here needs a script."""

from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, File, Form, HTTPException, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from center.accounts.guards import CsrfChecked, Officer
from center.api.recordings import take_in
from center.errors import RecordingRefused
from center.evidence.recordings import Source
from center.office import office_of
from center.pages.leads import lead_page
from center.pages.rendering import language_of
from center.web.problems import status_of
from center.web.words import NO_NUL
from center.words import N_
from enforcement.errors import Conflict, EnforcementError, NoteMissing, Unknown

PATH: Final = "/recordings/"

router: Final = APIRouter(include_in_schema=False, dependencies=[CsrfChecked])

TROUBLE: Final = {
    RecordingRefused: N_("This file cannot be added: a picture or video, not too large, taken before now."),
    Conflict: N_("This lead has this very file already."),
    NoteMissing: N_("Please say what the recording shows. Nothing was added."),
}


@router.post("/recordings/{lead_id}")
def add(
    request: Request,
    *,
    person: Officer,
    lead_id: str,
    file: Annotated[UploadFile, File()],
    source: Annotated[Source, Form()],
    note: Annotated[str, Form(max_length=4000, pattern=NO_NUL)] = "",
    taken_at: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Add a recording; the answer is the lead's page."""
    office = office_of(request)
    try:
        taken = _local(taken_at, ZoneInfo(office.settings.time_zone))
        take_in(office, person, lead_id, file=file, source=source, note=note, taken_at=taken)
    except (RecordingRefused, EnforcementError) as error:
        if isinstance(error, Unknown):
            raise HTTPException(404, str(error)) from error
        said = next((words for kind, words in TROUBLE.items() if isinstance(error, kind)), str(error))
        status = 422 if isinstance(error, RecordingRefused) else status_of(error)
        trouble = language_of(request).gettext(said)
        with office.database.reading() as session:
            return lead_page(request, session, person, lead_id, status=status, recording_trouble=trouble)
    return RedirectResponse(f"/leads/{lead_id}#recordings", status_code=303)


def _local(text: str, zone: ZoneInfo) -> datetime | None:
    """A moment as a form's `datetime-local` gives it, in the county's time; None where none was given."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise RecordingRefused(f"{text[:40]!r} is no time") from None
