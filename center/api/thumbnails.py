"""/api/v1/evidence/{sha256}/thumbnail: small copies of pictures, for lists and strips."""

from pathlib import Path
from typing import Annotated, Final

import structlog
from fastapi import HTTPException, Query, Request, Response

from alerts.errors import BlobError
from center.accounts.guards import Viewer
from center.api.evidence import nothing_there
from center.api.security import reading_router
from center.api.uploads import Hash
from center.errors import NotAPicture
from center.evidence.custody import IN_A_LIST, Act, is_looking, note_custody
from center.evidence.files import find_deleted, find_file, lead_of_file
from center.evidence.thumbnails import MEDIA_TYPE
from center.office import Office, office_of
from center.web.problems import responses
from center.web.words import NO_NUL

PICTURES: Final = ("image/jpeg", "image/png", "image/webp")
PLACEHOLDER: Final = (Path(__file__).parents[1] / "static" / "no-picture.svg").read_bytes()
HEADERS: Final = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; sandbox"}

router: Final = reading_router("evidence")
log = structlog.get_logger()


@router.get(
    "/evidence/{sha256}/thumbnail",
    response_class=Response,
    responses={
        200: {
            "description": "a small copy; a drawing in its place where the picture cannot be read",
            "content": {MEDIA_TYPE: {}, "image/svg+xml": {}},
        },
        **responses(401, 403, 404, 410, 422, 503),
    },
)
def get(
    request: Request,
    person: Viewer,
    sha256: Hash,
    lead: Annotated[str, Query(max_length=128, pattern=NO_NUL)] = "",
) -> Response:
    """A picture small enough for a list. That this person saw it is registered like every look."""
    office = office_of(request)
    _register(office, person.user_id, sha256, lead)
    try:
        return Response(office.thumbnails.of(sha256), media_type=MEDIA_TYPE, headers=HEADERS)
    except (NotAPicture, BlobError) as error:
        log.warning("no_thumbnail", sha256=sha256, reason=str(error))
        return Response(PLACEHOLDER, media_type="image/svg+xml", headers=HEADERS)


def _register(office: Office, user_id: str, sha256: str, lead: str) -> None:
    """Note the look at a picture that is here. Raises HTTPException 404, 410."""
    tenant, at = office.settings.tenant, office.now()
    with office.database.reading() as session:
        file = find_file(session, tenant=tenant, sha256=sha256)
        if file is None:
            raise nothing_there(find_deleted(session, tenant=tenant, sha256=sha256))
        if file.media_type not in PICTURES:
            raise HTTPException(404, "only pictures have small copies")
        lead = lead_of_file(session, tenant=tenant, sha256=sha256, lead_id=lead)
        if is_looking(session, tenant=tenant, user_id=user_id, sha256=sha256, at=at):
            return
    with office.database.writing() as session:
        note_custody(
            session, tenant=tenant, act=Act.VIEWED, sha256=sha256, who=user_id, reason=IN_A_LIST, lead_id=lead, at=at
        )
