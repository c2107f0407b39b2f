"""The append-only log, for anybody: its signed head, proofs, and the leaves themselves, which name nobody.

No session is needed and no personal data given: a leaf is a kind, a time and a commitment.
"""

import base64
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import HTTPException, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.errors import ProofRejected
from center.api.security import open_router
from center.database import Reading
from center.log.heads import last_head
from center.log.publishing import publish_due
from center.log.records import LogLeaf
from center.log.stamping import stamps_of
from center.log.tree import head_of, prove_consistency, prove_inclusion
from center.office import Office, office_of
from center.web.problems import responses

router: Final = open_router("log")

Size = Annotated[int, Query(ge=0, le=2**53 - 1, description="how many leaves")]
MOST_LEAVES: Final = 1000
MOST_STAMPS: Final = 100


class InclusionOut(BaseModel):
    """The way from a leaf to the head of `size` leaves (RFC 9162, 2.1.3); hashes are hexadecimal."""

    leaf: str
    number: int
    size: int
    hashes: list[str]


class ConsistencyOut(BaseModel):
    """That the log of `second` leaves begins with that of `first` (RFC 9162, 2.1.4); hashes are hexadecimal."""

    first: int
    second: int
    hashes: list[str]


class LeavesOut(BaseModel):
    """Leaves from number `first` on, each in the exact text that is hashed behind a byte 0x00."""

    first: int
    size: int
    leaves: list[str]


class StampOut(BaseModel):
    """A head of `size` leaves and an outside authority's stamp on it (RFC 3161).

    `head` is the exact text that was stamped, `answer` the authority's answer in DER as base64.
    """

    size: int
    stamped_at: datetime
    authority: str
    head: str
    answer: str


@router.get("/log/stamps", responses=responses(422))
def stamps(
    request: Request,
    session: Reading,
    first: Size = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_STAMPS, description="how many at most")] = MOST_STAMPS,
) -> list[StampOut]:
    """The stamped heads of `first` leaves or more, the earliest first: any of them covers all before it."""
    found = stamps_of(session, office_of(request).settings.tenant, first=first, most=limit)
    return [
        StampOut(
            size=each.size,
            stamped_at=each.at,
            authority=each.authority,
            head=each.text,
            answer=base64.b64encode(each.answer).decode(),
        )
        for each in found
    ]


@router.get("/log/checkpoint", response_class=PlainTextResponse, responses=responses(503))
def checkpoint(request: Request) -> PlainTextResponse:
    """The newest published head of the log: a signed note (C2SP tlog-checkpoint)."""
    office = office_of(request)
    return PlainTextResponse(publish_due(office.database, office.notary, at=office.now(), every=_every(office)).text)


@router.get("/log/key", response_class=PlainTextResponse)
def key(request: Request) -> PlainTextResponse:
    """Name and public key of the log, to be pinned: compare it with one that reached you another way."""
    return PlainTextResponse(office_of(request).notary.verifier + "\n")


@router.get("/log/proof", responses=responses(404, 422, 500))
def proof(
    request: Request,
    session: Reading,
    leaf: Annotated[str, Query(pattern=r"^[0-9a-f]{64}$", description="the leaf's hash")],
    size: Annotated[Size | None, Query()] = None,
) -> InclusionOut:
    """The proof that a leaf is in the log of `size` leaves, of the newest published head if not given."""
    tenant = office_of(request).settings.tenant
    covered = _published_size(session, tenant) if size is None else size
    rows = select(LogLeaf.number).where(LogLeaf.tenant == tenant, LogLeaf.hash == bytes.fromhex(leaf))
    number = session.scalars(rows.order_by(LogLeaf.number).limit(1)).first()
    if number is None:
        raise HTTPException(404, "the log has no such leaf")
    _check_size(session, tenant, covered)
    try:
        path = prove_inclusion(session, tenant=tenant, number=number, size=covered)
    except ProofRejected as error:
        raise HTTPException(422, str(error)) from error
    return InclusionOut(leaf=leaf, number=number, size=covered, hashes=[digest.hex() for digest in path])


@router.get("/log/consistency", responses=responses(422, 500))
def consistency(request: Request, session: Reading, first: Size, second: Size) -> ConsistencyOut:
    """The proof that the log only grew from `first` leaves to `second`."""
    tenant = office_of(request).settings.tenant
    _check_size(session, tenant, second)
    try:
        path = prove_consistency(session, tenant=tenant, first=first, second=second)
    except ProofRejected as error:
        raise HTTPException(422, str(error)) from error
    return ConsistencyOut(first=first, second=second, hashes=[digest.hex() for digest in path])


@router.get("/log/leaves", responses=responses(422))
def leaves(
    request: Request,
    session: Reading,
    first: Size = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_LEAVES, description="how many at most")] = MOST_LEAVES,
) -> LeavesOut:
    """The leaves themselves, for whoever recomputes the log."""
    tenant = office_of(request).settings.tenant
    rows = select(LogLeaf).where(LogLeaf.tenant == tenant, LogLeaf.number >= first).order_by(LogLeaf.number)
    found = [row.leaf.spell().decode() for row in session.scalars(rows.limit(limit))]
    return LeavesOut(first=first, size=head_of(session, tenant).size, leaves=found)


def _every(office: Office) -> timedelta:
    return timedelta(seconds=office.settings.log.publish_every_s)


def _published_size(session: Session, tenant: str) -> int:
    head = last_head(session, tenant)
    return head.size if head is not None else 0


def _check_size(session: Session, tenant: str, size: int) -> None:
    if size > (now := head_of(session, tenant).size):
        raise HTTPException(422, f"the log has {now} leaves, not {size}")
