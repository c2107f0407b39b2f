"""What boxes ask of the centre's authority: GET /api/v1/trust, POST /api/v1/certificate."""

from functools import partial
from typing import Annotated, Any, Final

import structlog
from fastapi import HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from alerts.errors import MessageError
from alerts.keys import VerifyKey
from alerts.messages import KeyRotation
from alerts.records import read_record
from alerts.renewal import read_request, read_rotations, write_answer
from alerts.topics import Channel, Topic
from alerts.trust import write_trust
from center.api.enrol import ENVELOPE
from center.api.security import open_router
from center.boxes.certificates import issue
from center.boxes.devices import find_signer, find_signers, finder
from center.office import Office, office_of
from center.web.problems import responses

router: Final = open_router("enrolment")
SEALED: Final[dict[str, Any]] = {"application/json": {"schema": ENVELOPE}}

log = structlog.get_logger()


@router.get(
    "/trust",
    response_class=Response,
    responses={200: {"description": "the centre's sealed statement", "content": SEALED}, **responses(422)},
)
def trust(request: Request, nonce: Annotated[str, Query(pattern=r"^[0-9a-f]{32}$")]) -> Response:
    """The authority's certificate and the time, sealed with the centre's key for whoever chose this number."""
    office = office_of(request)
    keyring = office.keyring
    raw = write_trust(
        key=keyring.signing_key,
        nonce=nonce,
        now=office.now(),
        ca=keyring.authority.pem,
        web_tls=office.settings.web.tls,
    )
    return Response(raw, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.post(
    "/certificate",
    response_class=Response,
    responses={200: {"description": "the centre's sealed answer", "content": SEALED}, **responses(400, 403, 503)},
    openapi_extra={"requestBody": {"required": True, "content": SEALED}},
)
async def certificate(request: Request) -> Response:
    """An enrolled box gets a certificate for a new TLS key; its own key has signed the request.

    If that is so new that the centre has not heard of it, the request brings the records that name it: without a
    certificate the box could not bring them over the broker. They are taken in like any other.
    """
    raw = await request.body()
    answer = await run_in_threadpool(_certify, office_of(request), raw)
    return Response(answer, media_type="application/json")


def _certify(office: Office, raw: bytes) -> bytes:
    tenant = office.settings.tenant
    try:
        _take_in_rotations(office, raw)
    except MessageError as error:
        raise HTTPException(403, f"no certificate for this request: {error}") from error
    with office.database.writing() as session:
        try:
            asked, key_id = read_request(raw, finder(session, tenant))
            signer = find_signer(session, tenant, key_id)
            if signer is None or (asked.tenant, asked.device) != (tenant, signer.device):
                raise HTTPException(403, "the request is for another box than the one that signed it")
            pem = issue(
                session,
                office.keyring.authority,
                asked.csr,
                tenant=tenant,
                device=asked.device,
                at=office.now(),
                days=office.settings.tls.box_days,
            )
        except MessageError as error:
            log.warning("certificate_refused", reason=str(error))
            raise HTTPException(403, f"no certificate for this request: {error}") from error
    log.info("certificate_issued", device=asked.device)
    return write_answer(asked, key=office.keyring.signing_key, certificate=pem, ca=office.keyring.authority.pem)


def _take_in_rotations(office: Office, raw: bytes) -> None:
    """Only what a key that is or was this box's has signed. Raises the classes under MessageError."""
    tenant = office.settings.tenant
    device, rotations = read_rotations(raw)
    for rotation in rotations:
        with office.database.reading() as session:
            record = read_record(rotation, partial(_key_of, session, tenant, device))
        if isinstance(record.data, KeyRotation):
            office.desk.receive(Topic(tenant, device, Channel.JOURNAL), rotation)


def _key_of(session: Session, tenant: str, device: str, key_id: str) -> VerifyKey | None:
    signer = find_signers(session, tenant, [key_id]).get(key_id)
    return signer.key if signer is not None and signer.device == device else None
