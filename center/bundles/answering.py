"""A bundle as the answer to a request, for programs and pages alike."""

import tempfile
from collections.abc import Iterator
from typing import IO, Final

import structlog
from fastapi import HTTPException
from fastapi.responses import StreamingResponse

from center.bundles.handing import Hand, hand_out
from center.errors import BundleImpossible
from center.office import Office
from enforcement.leads import Lead

CHUNK_BYTES: Final = 1 << 18
MEDIA_TYPE: Final = "application/zip"

log = structlog.get_logger()


def answer_with_bundle(office: Office, lead_id: str, hand: Hand) -> StreamingResponse:
    """The bundle of a lead, made beside the centre's data and gone once it is sent.

    Raises HTTPException: 404 for a lead that is not there, 409 for one of which no bundle can be made, 507 for a full
    disk.
    """
    with office.database.reading() as session:
        if session.get(Lead, (office.settings.tenant, lead_id)) is None:
            raise HTTPException(404, f"there is no lead {lead_id!r}")
    file = tempfile.TemporaryFile(dir=office.settings.data)  # noqa: SIM115 - closed when it was sent
    try:
        hand_out(office, lead_id, file, hand)
    except BaseException as error:
        file.close()
        if isinstance(error, BundleImpossible):
            raise HTTPException(409, str(error)) from error
        if isinstance(error, OSError):
            log.error("bundle_not_written", lead=lead_id, reason=error.strerror)  # noqa: TRY400 - one line says it
            raise HTTPException(507, "the centre's disk does not take the bundle; nothing was handed out") from error
        raise
    size_bytes = file.seek(0, 2)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{lead_id}.teawatch.zip"',
        "Content-Length": str(size_bytes),
    }
    return StreamingResponse(_chunks(file), media_type=MEDIA_TYPE, headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
