"""POST /api/v1/enrol: a box redeems its one-time code."""

from typing import Any, Final

import structlog
from fastapi import HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from alerts.errors import CodeRefused, MessageError
from center.accounts.throttle import ADDRESS
from center.api.security import open_router
from center.boxes.enrolment import CodeExpired, CodeUsed, KeyOfAnother, redeem
from center.errors import KeySpent
from center.feed.hub import announce
from center.office import Office, office_of
from center.web.problems import responses

router: Final = open_router("enrolment")
ENVELOPE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "a DSSE envelope",
    "required": ["payload", "payloadType", "signatures"],
    "properties": {
        "payload": {"type": "string"},
        "payloadType": {"type": "string"},
        "signatures": {"type": "array", "items": {"type": "object"}},
    },
}

log = structlog.get_logger()


@router.post(
    "/enrol",
    response_class=Response,
    responses={
        200: {"description": "the centre's sealed answer", "content": {"application/json": {"schema": ENVELOPE}}},
        **responses(400, 403, 409, 410, 429, 503),
    },
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": ENVELOPE}}}},
)
async def enrol(request: Request) -> Response:
    """The request is sealed with the box's new key and proves knowledge of the code; so is the answer with ours."""
    raw = await request.body()
    address = request.client.host if request.client else ""
    answer = await run_in_threadpool(_redeem, office_of(request), raw, f"{ADDRESS}enrol:{address}")
    return Response(answer, media_type="application/json")


def _redeem(office: Office, raw: bytes, origin: str) -> bytes:
    """The answer, once the broker knows the box. Raises HTTPException."""
    at = office.now()
    wait_s = office.throttle.wait_s(origin, at=at)
    if wait_s:
        raise HTTPException(429, f"too many wrong codes; wait {wait_s} s", {"Retry-After": str(wait_s)})
    try:
        with office.database.writing() as session:
            redeemed = redeem(
                session,
                raw,
                tenant=office.settings.tenant,
                key=office.keyring.signing_key,
                secret=office.keyring.broker_seed,
                broker=office.works.boxes_connect_to,
                authority=office.keyring.authority,
                certificate_days=office.settings.tls.box_days,
                web_tls=office.settings.web.tls,
                at=at,
            )
            announce(session, "device", redeemed.device)
    except MessageError as error:
        raise HTTPException(400, f"not an enrolment request: {error}") from error
    except CodeRefused as error:
        office.throttle.failed(origin, at=at)
        log.warning("enrolment_refused", reason=str(error))
        raise HTTPException(403, str(error)) from error
    except CodeExpired as error:
        raise HTTPException(410, str(error)) from error
    except (CodeUsed, KeyOfAnother, KeySpent) as error:
        raise HTTPException(409, str(error)) from error
    office.works.let_in()
    log.info("box_enrolled", device=redeemed.device)
    return redeemed.answer
