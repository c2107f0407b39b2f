"""/api/v1/evidence/{sha256}: boxes bring announced files, officers look at them, and each look is noted."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Annotated, Any, Final

import anyio
import anyio.from_thread
import structlog
from fastapi import Header, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from alerts.blobs import BlobStore
from alerts.errors import BlobBusy, BlobDamaged, BlobElsewhere, BlobMissing, BlobStoreFull, MessageError
from alerts.uploader import OFFSET_HEADER, Claim, read_content_range, read_upload_token
from center.accounts.guards import Viewer
from center.api.security import PREFIX, open_router, reading_router
from center.custody import Act, has_viewed, note_custody
from center.database import Writing
from center.devices import find_signer, finder
from center.evidence import Announced, announced_by, find_deleted, find_file, note_arrival
from center.feed import announce
from center.office import Office, office_of
from center.web.problems import responses
from enforcement.leads import lead_id

PATH: Final = f"{PREFIX}/evidence/"
CHECKED_BYTES: Final = 32 * 2**20
"""Files up to this size are hashed again at each viewing; longer ones (long clips) are streamed as they lie."""

SILENCE_S: Final = 30.0
"""A box that says nothing for so long in the middle of a file has gone."""

VIEWING: Final = timedelta(hours=1)
"""A player fetches a clip piece by piece: pieces from further on belong to the look that began with the first."""

ONE_RANGE: Final = re.compile(r"bytes=(?:(?P<first>\d{1,18})-(?P<last>\d{0,18})|-(?P<end>\d{1,18}))")
NO_NUL: Final = r"^[^\x00]*$"
EXTENSIONS: Final = {"video/matroska": "mkv"}
"""Where a file's name does not end as its media type does."""

router: Final = reading_router("evidence")
boxes: Final = open_router("evidence")
"""The boxes' side: no session, but each request signed."""

Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
BYTES: Final[dict[str, Any]] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}

log = structlog.get_logger()


@boxes.put(
    "/evidence/{sha256}",
    status_code=201,
    response_class=Response,
    responses={
        200: {"description": "the centre has it already"},
        201: {"description": "stored"},
        **responses(401, 403, 408, 411, 413, 416, 422, 423, 507),
    },
    openapi_extra={"requestBody": {"required": True, "content": BYTES}},
)
async def put(
    request: Request,
    sha256: Hash,
    authorization: Annotated[str, Header()] = "",
    content_range: Annotated[str, Header()] = "",
) -> Response:
    """A box brings a file that one of its verified records announced, by hash and size, or the rest of it.

    What was deleted under a rule of retention is not taken again.
    """
    office = office_of(request)
    claim, is_wanted = await run_in_threadpool(_check_claim, office, authorization, sha256)
    if not is_wanted:
        return Response(status_code=200)
    offset = _check_place(office, claim, request.headers.get("content-length"), content_range)
    if not await run_in_threadpool(office.evidence.has, sha256):
        chunks = _chunks(aiter(request.stream()))
        await run_in_threadpool(_take, office.evidence, chunks, claim, offset)
        status = 201
    else:
        status = 200
    await run_in_threadpool(_note, office, claim)
    return Response(status_code=status)


@boxes.head(
    "/evidence/{sha256}",
    response_class=Response,
    responses={
        200: {
            "description": "how many bytes of it are here",
            "headers": {OFFSET_HEADER: {"schema": {"type": "integer"}}},
        },
        **responses(401, 403, 422),
    },
)
def head(request: Request, sha256: Hash, authorization: Annotated[str, Header()] = "") -> Response:
    """A box whose transfer broke off asks where to go on."""
    office = office_of(request)
    claim, _ = _check_claim(office, authorization, sha256)
    begun = office.evidence.begun(sha256, by=claim.device)
    return Response(headers={OFFSET_HEADER: str(begun), "Cache-Control": "no-store"})


def _check_claim(office: Office, header: str, sha256: str) -> tuple[Claim, bool]:
    """Who brings what: a known box, a file that its own record announced; and whether it was not deleted since.

    Raises HTTPException 401, 403.
    """
    tenant = office.settings.tenant
    with office.database.reading() as session:
        try:
            claim = read_upload_token(header, finder(session, tenant))
        except MessageError as error:
            raise HTTPException(401, f"not signed by a known box: {error}") from error
        signer = find_signer(session, tenant, claim.key_id)
        if signer is None or (claim.tenant, claim.device, claim.sha256) != (tenant, signer.device, sha256):
            raise HTTPException(401, "the signature is for another box or another file")
        announced = announced_by(session, tenant=tenant, device=claim.device, sha256=sha256)
        if claim.size_bytes not in {row.size_bytes for row in announced}:
            raise HTTPException(403, "no verified record of this box announced a file of this hash and size")
        return claim, any(row.deleted_at is None for row in announced)


def _check_place(office: Office, claim: Claim, length: str | None, content_range: str) -> int:
    """Where the piece begins, which is as long as it says and reaches to the end. Raises HTTPException."""
    if length is None or not length.isdecimal():
        raise HTTPException(411, "a file comes with its Content-Length")
    most_mib = office.settings.evidence.max_file_mib
    if claim.size_bytes > most_mib * 2**20:
        raise HTTPException(413, f"{claim.size_bytes} bytes; the centre takes files up to {most_mib} MiB")
    try:
        offset = read_content_range(content_range, claim.size_bytes) if content_range else 0
    except MessageError as error:
        raise HTTPException(416, str(error)) from error
    expected = claim.size_bytes - offset
    if int(length) != expected:
        raise HTTPException(413 if int(length) > expected else 422, f"{length} bytes; {expected} were announced")
    return offset


def _chunks(stream: AsyncIterator[bytes]) -> Iterator[bytes]:
    """The body, piece by piece, for a thread: each piece is fetched on the event loop when it is asked for."""

    async def fetch() -> bytes | None:
        try:
            with anyio.fail_after(SILENCE_S):
                return await anext(stream, None)
        except TimeoutError as error:
            raise HTTPException(408, f"nothing came for {SILENCE_S:.0f} s; what came is kept") from error

    while (chunk := anyio.from_thread.run(fetch)) is not None:
        yield chunk


def _take(store: BlobStore, chunks: Iterator[bytes], claim: Claim, offset: int) -> None:
    try:
        store.append(chunks, sha256=claim.sha256, size_bytes=claim.size_bytes, offset=offset, by=claim.device)
    except BlobElsewhere as error:
        raise HTTPException(416, str(error)) from error
    except BlobBusy as error:
        raise HTTPException(423, str(error)) from error
    except BlobDamaged as error:
        raise HTTPException(422, str(error)) from error
    except BlobStoreFull as error:
        log.error("evidence_disk_full", device=claim.device)  # noqa: TRY400 - one line says it
        raise HTTPException(507, "the centre's disk is full; the file was not stored") from error


def _note(office: Office, claim: Claim) -> None:
    tenant = office.settings.tenant
    with office.database.writing() as session:
        if note_arrival(session, tenant=tenant, sha256=claim.sha256, at=(at := office.now())):
            note_custody(session, tenant=tenant, act=Act.RECEIVED, sha256=claim.sha256, who=claim.device, at=at)
        for row in announced_by(session, tenant=tenant, device=claim.device, sha256=claim.sha256):
            announce(session, "evidence", lead_id(row.device, row.incident))


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
    session: Writing,
    person: Viewer,
    sha256: Hash,
    *,
    reason: Annotated[str, Query(max_length=200, pattern=NO_NUL)] = "check_lead",
    lead: Annotated[str, Query(max_length=128, pattern=NO_NUL)] = "",
    download: bool = False,
) -> Response:
    """The file itself, or one `Range` of it. That this person looked at it, when and why, is registered first.

    `lead` is the lead it was looked at for; `download` says that a copy is taken away.
    """
    office = office_of(request)
    tenant = office.settings.tenant
    file = find_file(session, tenant=tenant, sha256=sha256)
    if file is None:
        raise nothing_there(find_deleted(session, tenant=tenant, sha256=sha256))
    since = office.now() - VIEWING
    goes_on = _begins_at(request.headers.get("range", ""), file.size_bytes) > 0
    if not (goes_on and has_viewed(session, tenant=tenant, user_id=person.user_id, sha256=sha256, since=since)):
        act = Act.DOWNLOADED if download else Act.VIEWED
        who, at = person.user_id, office.now()
        note_custody(session, tenant=tenant, act=act, sha256=sha256, who=who, reason=reason, lead_id=lead, at=at)
    extension = EXTENSIONS.get(file.media_type) or file.media_type.rpartition("/")[2].partition("+")[0]
    place = "attachment" if download else "inline"
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'{place}; filename="{file.role}-{sha256[:12]}.{extension}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if file.size_bytes <= CHECKED_BYTES:
        _check(office.evidence, sha256)
    return FileResponse(office.evidence.path(sha256), media_type=file.media_type, headers=headers)


def nothing_there(deleted: Announced | None) -> HTTPException:
    """404 for what never came, 410 with the reason for what was deleted."""
    if deleted is None or deleted.deleted_at is None:
        return HTTPException(404, "there is no such file, or it has not come yet")
    rule, _, days = deleted.deleted_rule.partition(":")
    day = f"{deleted.deleted_at:%Y-%m-%d}"
    return HTTPException(410, f"deleted on {day} under the retention rule {rule}: {days} days; its hash stays known")


def _begins_at(wanted: str, size_bytes: int) -> int:
    """The first byte that is asked for; raises HTTPException 416 for what is no single range within the file."""
    if not wanted:
        return 0
    match = ONE_RANGE.fullmatch(wanted)
    if match is not None and match["end"]:
        first, last = max(0, size_bytes - int(match["end"])), size_bytes - 1
    elif match is not None:
        first, last = int(match["first"]), int(match["last"] or size_bytes)
    else:
        first, last = 0, -1
    if not first <= last or first >= size_bytes:
        problem = f"the file has {size_bytes} bytes; ask for one range of them"
        raise HTTPException(416, problem, headers={"Content-Range": f"bytes */{size_bytes}"})
    return first


def _check(store: BlobStore, sha256: str) -> None:
    try:
        store.read(sha256)
    except (BlobMissing, BlobDamaged) as error:
        log.error("evidence_lost", sha256=sha256, reason=str(error))  # noqa: TRY400 - one line says it
        raise HTTPException(500, "the file on the disk is missing or no longer what it was; it is not shown") from error
