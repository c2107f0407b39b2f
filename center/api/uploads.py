"""PUT and HEAD /api/v1/evidence/{sha256}: boxes bring announced files, from where they broke off.

An upload cannot hold the centre up: each has a place of its own (`center.store.gate`), what says nothing or trickles is
sent away and goes on another time, and what cannot be stored is said so, so that the box keeps it.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Final

import anyio
import anyio.from_thread
import anyio.to_thread
import structlog
from fastapi import Header, HTTPException, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from alerts.errors import (
    BlobBusy,
    BlobDamaged,
    BlobElsewhere,
    BlobError,
    BlobStoreFull,
    BlobStoreUnreachable,
    MessageError,
)
from alerts.uploader import OFFSET_HEADER, Claim, read_content_range, read_upload_token
from center.api.security import PREFIX, open_router
from center.boxes.devices import find_signer, finder
from center.errors import TooManyUploads
from center.evidence.custody import Act, note_custody
from center.evidence.files import announced_by, note_arrival
from center.feed.hub import announce
from center.office import Office, office_of
from center.store.shelf import Shelf
from center.web.problems import responses
from enforcement.leads import lead_id

PATH: Final = f"{PREFIX}/evidence/"
SILENCE_S: Final = 30.0
"""A box that says nothing for so long in the middle of a file has gone."""

GRACE_S: Final = 60.0
LEAST_BYTES_PER_S: Final = 256
"""Whoever is slower on the average, once GRACE_S are over, gives the place to others. Boxes on a bad link trickle eight
times as fast."""

RETRY_AFTER_S: Final = "30"

router: Final = open_router("evidence")
"""No session, but each request signed."""

Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
BYTES: Final[dict[str, Any]] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
BLOB_ANSWERS: Final[dict[type[BlobError], int]] = {
    BlobElsewhere: 416,
    BlobBusy: 423,
    BlobDamaged: 422,
    BlobStoreFull: 507,
    BlobStoreUnreachable: 503,
}

log = structlog.get_logger()


@router.put(
    "/evidence/{sha256}",
    status_code=201,
    response_class=Response,
    responses={
        200: {"description": "the centre has it already"},
        201: {"description": "stored"},
        **responses(401, 403, 408, 411, 413, 416, 422, 423, 503, 507),
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
    try:
        with office.gate.place_for(claim.device):
            chunks = _chunks(aiter(request.stream()))
            status = await anyio.to_thread.run_sync(
                _take, office.evidence, chunks, claim, offset, limiter=office.gate.threads
            )
    except ClientDisconnect:
        return Response(status_code=408)  # nobody reads it; what came is kept
    except TooManyUploads as error:
        raise HTTPException(503, str(error), headers={"Retry-After": RETRY_AFTER_S}) from error
    await run_in_threadpool(_note, office, claim)
    return Response(status_code=status)


@router.head(
    "/evidence/{sha256}",
    response_class=Response,
    responses={
        200: {
            "description": "how many bytes of it are here",
            "headers": {OFFSET_HEADER: {"schema": {"type": "integer"}}},
        },
        **responses(401, 403, 422, 503),
    },
)
def head(request: Request, sha256: Hash, authorization: Annotated[str, Header()] = "") -> Response:
    """A box whose transfer broke off asks where to go on."""
    office = office_of(request)
    claim, _ = _check_claim(office, authorization, sha256)
    try:
        begun = office.evidence.begun(sha256, by=claim.device)
    except BlobError as error:
        raise _refusal(error, claim) from error
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


def _chunks(stream: AsyncIterator[bytes], now_s: Callable[[], float] = time.monotonic) -> Iterator[bytes]:
    """The body, piece by piece, for a thread: each piece is fetched on the event loop when it is asked for."""

    async def fetch() -> bytes | None:
        try:
            with anyio.fail_after(SILENCE_S):
                return await anext(stream, None)
        except TimeoutError as error:
            raise HTTPException(408, f"nothing came for {SILENCE_S:.0f} s; what came is kept") from error

    began_s, came = now_s(), 0
    while (chunk := anyio.from_thread.run(fetch)) is not None:
        yield chunk
        came += len(chunk)
        passed_s = now_s() - began_s
        if passed_s > GRACE_S and came < LEAST_BYTES_PER_S * passed_s:
            raise HTTPException(408, f"slower than {LEAST_BYTES_PER_S} bytes a second; what came is kept")


def _take(store: Shelf, chunks: Iterator[bytes], claim: Claim, offset: int) -> int:
    """201 for what was stored, 200 for what was there. Raises HTTPException."""
    try:
        if store.has(claim.sha256):
            return 200
        store.append(chunks, sha256=claim.sha256, size_bytes=claim.size_bytes, offset=offset, by=claim.device)
    except BlobError as error:
        raise _refusal(error, claim) from error
    return 201


def _refusal(error: BlobError, claim: Claim) -> HTTPException:
    """Why it was not taken. Where the centre is to blame its log says so; the box keeps the file and comes again."""
    status = BLOB_ANSWERS.get(type(error), 500)
    if isinstance(error, BlobStoreFull):
        log.error("evidence_store_full", device=claim.device, reason=str(error))
        return HTTPException(
            status, "the centre's store of evidence is full, or takes nothing; the file was not stored"
        )
    if isinstance(error, BlobStoreUnreachable):
        log.error("evidence_store_unreachable", device=claim.device, reason=str(error))
        return HTTPException(status, "the centre's store of evidence does not answer; the file was not stored")
    return HTTPException(status, str(error))


def _note(office: Office, claim: Claim) -> None:
    tenant = office.settings.tenant
    with office.database.writing() as session:
        if note_arrival(session, tenant=tenant, sha256=claim.sha256, at=(at := office.now())):
            note_custody(session, tenant=tenant, act=Act.RECEIVED, sha256=claim.sha256, who=claim.device, at=at)
        for row in announced_by(session, tenant=tenant, device=claim.device, sha256=claim.sha256):
            announce(session, "evidence", lead_id(row.device, row.incident))
