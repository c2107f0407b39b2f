"""/api/v1/recordings/{lead}: recordings that officers made themselves, added to a lead."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import File, Form, HTTPException, Path, Request, UploadFile
from pydantic import AwareDatetime

from alerts.errors import BlobError, BlobStoreFull
from center.accounts.guards import Officer, Viewer
from center.accounts.people import Person
from center.api.schemas import Answer
from center.api.security import CHANGES, PREFIX, reading_router
from center.database import Reading
from center.errors import RecordingRefused
from center.evidence.recordings import Recording, Source, add_recording, check_recording, keep, recordings_of, seal
from center.feed.hub import announce
from center.office import Office, office_of
from center.web.problems import responses
from center.web.words import NO_NUL

PATH: Final = f"{PREFIX}/recordings/"

router: Final = reading_router("recordings")

LeadId = Annotated[str, Path(min_length=1, max_length=200)]
Upload = Annotated[UploadFile, File(description="a picture or video; what it is, its bytes say")]
Note = Annotated[str, Form(min_length=1, max_length=4000, pattern=NO_NUL)]


class RecordingOut(Answer):
    """A recording somebody added. `taken_at` and `note` are the officer's words; the bytes are at `url`."""

    lead_id: str
    sha256: str
    size_bytes: int
    media_type: str
    source: str
    note: str
    taken_at: datetime | None
    added_by: str
    added_at: datetime
    url: str

    @classmethod
    def of(cls, row: Recording) -> "RecordingOut":
        """From the row."""
        values = {name: getattr(row, name) for name in cls.model_fields if name != "url"}
        return cls(**values, url=f"/api/v1/evidence/{row.sha256}")


@router.get("/recordings/{lead_id}", responses=responses(401, 403, 422))
def list_recordings(request: Request, session: Reading, _person: Viewer, lead_id: LeadId) -> list[RecordingOut]:
    """The recordings people added to a lead, the first first."""
    tenant = office_of(request).settings.tenant
    return [RecordingOut.of(row) for row in recordings_of(session, tenant=tenant, lead_id=lead_id)]


@router.post(
    "/recordings/{lead_id}",
    status_code=201,
    responses=responses(400, 401, 403, 404, 409, 413, 422, 503, 507),
    dependencies=CHANGES,
)
def add(
    request: Request,
    person: Officer,
    lead_id: LeadId,
    *,
    file: Upload,
    source: Annotated[Source, Form()],
    note: Note,
    taken_at: Annotated[AwareDatetime | None, Form()] = None,
) -> RecordingOut:
    """Add a picture or video to a lead: hashed as it arrives, kept unchanged, entered into the log."""
    office = office_of(request)
    try:
        return take_in(office, person, lead_id, file=file, source=source, note=note, taken_at=taken_at)
    except RecordingRefused as error:
        raise HTTPException(422, str(error)) from error


def take_in(
    office: Office,
    person: Person,
    lead_id: str,
    *,
    file: UploadFile,
    source: Source,
    note: str,
    taken_at: datetime | None,
) -> RecordingOut:
    """Seal an upload and add it. Raises RecordingRefused, EnforcementError, HTTPException 503, 507."""
    tenant = office.settings.tenant
    sealed = seal(file.file, max_bytes=office.settings.evidence.max_file_mib * 2**20)
    with office.database.writing() as session:
        at = office.now()
        check_recording(session, sealed, tenant=tenant, lead_id=lead_id, note=note, taken_at=taken_at, at=at)
    try:
        keep(office.evidence, file.file, sealed)
    except BlobStoreFull as error:
        raise HTTPException(
            507, "the centre's store of evidence is full, or takes nothing; the file was not stored"
        ) from error
    except BlobError as error:
        raise HTTPException(503, f"the file was not stored, try again in a moment: {error}") from error
    with office.database.writing() as session:
        recording = add_recording(
            session,
            sealed,
            tenant=tenant,
            lead_id=lead_id,
            source=source,
            note=note,
            taken_at=taken_at,
            by=person.actor,
            at=office.now(),
        )
        announce(session, "evidence", lead_id)
        return RecordingOut.of(recording)
