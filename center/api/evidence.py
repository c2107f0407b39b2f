"""GET /api/v1/evidence/{sha256}: officers look at files of evidence, and each look is noted."""

import re
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Final

import structlog
from fastapi import HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from alerts.errors import BlobDamaged, BlobMissing, BlobStoreUnreachable
from alerts.media_types import extension_of
from center.accounts.guards import Viewer
from center.api.security import reading_router
from center.api.uploads import BYTES, Hash
from center.evidence.custody import Act, is_looking, note_custody
from center.evidence.files import GIVEN_UP, Announced, Stored, find_deleted, find_file, lead_of_file
from center.office import office_of
from center.store.shelf import Shelf
from center.web.problems import responses
from center.web.words import NO_NUL

CHECKED_BYTES: Final = 32 * 2**20
"""Files up to this size are hashed again at each viewing; longer ones (long clips) are streamed as they lie."""

ONE_RANGE: Final = re.compile(r"bytes=(?:(?P<first>\d{1,18})-(?P<last>\d{0,18})|-(?P<end>\d{1,18}))")

router: Final = reading_router("evidence")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The bytes that are asked for, both ends included; `is_part` where a range was asked for."""

    first: int
    last: int
    is_part: bool


@router.get(
    "/evidence/{sha256}",
    response_class=Response,
    responses={
        200: {"description": "the file", "content": {"image/*": {}, "video/*": {}} | BYTES},
        206: {"description": "the one range of bytes that `Range` asks for", "content": {"video/*": {}} | BYTES},
        **responses(401, 403, 404, 410, 416, 422, 500, 503),
    },
)
def get(
    request: Request,
    person: Viewer,
    sha256: Hash,
    *,
    reason: Annotated[str, Query(max_length=200, pattern=NO_NUL)] = "check_lead",
    lead: Annotated[str, Query(max_length=128, pattern=NO_NUL)] = "",
    download: bool = False,
) -> Response:
    """The file itself, or one `Range` of it. That this person looked at it, when and why, is registered first.

    `lead` is the lead it was looked at for, not kept where the file is none of its own; `download` says that a copy is
    taken away.
    """
    office = office_of(request)
    with office.database.writing() as session:
        tenant = office.settings.tenant
        file = find_file(session, tenant=tenant, sha256=sha256)
        if file is None:
            raise nothing_there(find_deleted(session, tenant=tenant, sha256=sha256))
        who, at = person.user_id, office.now()
        wanted = _wanted(request.headers.get("range", ""), file.size_bytes)
        may_go_on = not download and wanted.first > 0
        if not may_go_on or not is_looking(
            session, tenant=tenant, user_id=who, sha256=sha256, at=at, small_copies=False
        ):
            act = Act.DOWNLOADED if download else Act.VIEWED
            lead = lead_of_file(session, tenant=tenant, sha256=sha256, lead_id=lead)
            note_custody(session, tenant=tenant, act=act, sha256=sha256, who=who, reason=reason, lead_id=lead, at=at)
    place = "attachment" if download else "inline"
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'{place}; filename="{file.role}-{sha256[:12]}.{extension_of(file.media_type)}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return _answer(office.evidence, file, wanted, headers)


def _answer(store: Shelf, file: Stored, wanted: Wanted, headers: dict[str, str]) -> Response:
    """The bytes that are wanted; those of a file that is not long are checked first. Raises HTTPException."""
    headers |= {"Accept-Ranges": "bytes", "Content-Length": str(wanted.last - wanted.first + 1)}
    if wanted.is_part:
        headers["Content-Range"] = f"bytes {wanted.first}-{wanted.last}/{file.size_bytes}"
    status = 206 if wanted.is_part else 200
    try:
        if file.size_bytes <= CHECKED_BYTES:
            data = store.read(file.sha256)[wanted.first : wanted.last + 1]
            return Response(data, status, headers, file.media_type)
        chunks = store.stream(file.sha256, wanted.first, wanted.last)
        beginning = next(chunks)
        return StreamingResponse(chain((beginning,), chunks), status, headers, file.media_type)
    except (BlobMissing, BlobDamaged, StopIteration) as error:
        log.error("evidence_lost", sha256=file.sha256, reason=str(error))  # noqa: TRY400 - one line says it
        raise HTTPException(
            500, "the file in the store is missing or no longer what it was; it is not shown"
        ) from error
    except BlobStoreUnreachable as error:
        raise HTTPException(503, "the centre's store of evidence does not answer; try again soon") from error


def nothing_there(deleted: Announced | None) -> HTTPException:
    """404 for what never came, 410 with the reason for what was deleted."""
    if deleted is None or deleted.deleted_at is None:
        return HTTPException(404, "there is no such file, or it has not come yet")
    rule, _, days = deleted.deleted_rule.partition(":")
    if rule == GIVEN_UP:
        return HTTPException(410, "the box had to delete it before it could bring it: its disk was full")
    day = f"{deleted.deleted_at:%Y-%m-%d}"
    return HTTPException(410, f"deleted on {day} under the retention rule {rule}: {days} days; its hash stays known")


def _wanted(header: str, size_bytes: int) -> Wanted:
    """What a `Range` asks for; raises HTTPException 416 for what is no single range within the file."""
    if not header:
        return Wanted(0, size_bytes - 1, is_part=False)
    match = ONE_RANGE.fullmatch(header)
    if match is not None and match["end"]:
        first, last = max(0, size_bytes - int(match["end"])), size_bytes - 1
    elif match is not None:
        first, last = int(match["first"]), int(match["last"] or size_bytes)
    else:
        first, last = 0, -1
    if not first <= last or first >= size_bytes:
        problem = f"the file has {size_bytes} bytes; ask for one range of them"
        raise HTTPException(416, problem, headers={"Content-Range": f"bytes */{size_bytes}"})
    return Wanted(first, min(last, size_bytes - 1), is_part=True)
