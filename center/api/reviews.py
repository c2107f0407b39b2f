"""What may become of a lead: reviews, and the chain of custody of its files; below /api/v1/leads/{id}."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import HTTPException, Request
from pydantic import Field
from sqlalchemy.orm import Session

from center.accounts.guards import Reviewer, Viewer
from center.api.leads import RowId
from center.api.schemas import Answer
from center.api.security import CHANGES, reading_router
from center.database import Reading, Writing
from center.evidence.custody import Handled, chain_of
from center.evidence.files import files_of
from center.evidence.reviewing import files_seen, what_lies_there
from center.handlers import route
from center.office import office_of
from center.web.problems import responses
from center.web.words import NO_NUL
from enforcement.leads import Lead
from enforcement.reviews import Review, Verdict, review_lead, reviews_of, standing_of

router: Final = reading_router("leads")

Words = Annotated[str, Field(min_length=1, max_length=4000, pattern=NO_NUL)]


class ReviewIn(Answer):
    """A reviewer's word for the part their role speaks for: whether the lead may serve as evidence, and why.

    `shown` is what the reviews of this lead were read with: it tells the record and the files the word is about.
    """

    verdict: Verdict
    opinion: Words
    grounds: Words
    shown: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ReviewOut(Answer):
    """One word on a lead; `record_sha256` and `files` say what was looked at."""

    number: int
    part: str
    verdict: str
    reviewer: str
    opinion: str
    grounds: str
    at: datetime
    record_sha256: str
    files: list[str]

    @classmethod
    def of(cls, row: Review) -> "ReviewOut":
        """From the row."""
        return cls.model_validate(row)


class ReviewsOut(Answer):
    """What a lead is by now, and every word that was said on it.

    `shown` stands for the record and the files that lie there now; a review gives it back.
    """

    standing: str
    shown: str
    reviews: list[ReviewOut]


class HandledOut(Answer):
    """One act of custody; `who` is null where the person was erased, `made_sha256` is what came out of it."""

    act: str
    sha256: str
    who: str | None
    reason: str
    at: datetime
    made_sha256: str

    @classmethod
    def of(cls, handled: Handled) -> "HandledOut":
        """From the chain."""
        return cls.model_validate(handled)


@router.get("/leads/{lead_id}/reviews", responses=responses(401, 403, 404, 422))
def list_reviews(request: Request, session: Reading, _person: Viewer, lead_id: RowId) -> ReviewsOut:
    """Every word on whether this lead may serve as evidence, the first first."""
    return _reviews(session, _lead(request, session, lead_id))


@router.post(
    "/leads/{lead_id}/reviews",
    status_code=201,
    responses=responses(400, 401, 403, 404, 409, 422, 503),
    dependencies=CHANGES,
)
def review(request: Request, session: Writing, person: Reviewer, lead_id: RowId, wish: ReviewIn) -> ReviewsOut:
    """Say whether the lead may serve as evidence, or take that back."""
    lead = _lead(request, session, lead_id)
    happened = review_lead(
        session,
        tenant=lead.tenant,
        lead_id=lead.id,
        verdict=wish.verdict,
        opinion=wish.opinion,
        grounds=wish.grounds,
        files=files_seen(session, tenant=lead.tenant, lead_id=lead.id, shown=wish.shown),
        by=person.actor,
        at=office_of(request).now(),
    )
    route(session, (happened,))
    return _reviews(session, lead)


@router.get("/leads/{lead_id}/custody", responses=responses(401, 403, 404, 422))
def read_custody(request: Request, session: Reading, _person: Viewer, lead_id: RowId) -> list[HandledOut]:
    """Whatever was done with the lead's files, the first first."""
    lead = _lead(request, session, lead_id)
    files = files_of(session, tenant=lead.tenant, device=lead.device, incident=lead.incident)
    chain = chain_of(session, tenant=lead.tenant, lead_id=lead.id, files=[file.sha256 for file in files])
    return [HandledOut.of(handled) for handled in chain]


def _lead(request: Request, session: Session, lead_id: str) -> Lead:
    lead = session.get(Lead, (office_of(request).settings.tenant, lead_id))
    if lead is None:
        raise HTTPException(404, f"there is no lead {lead_id!r}")
    return lead


def _reviews(session: Session, lead: Lead) -> ReviewsOut:
    words = reviews_of(session, tenant=lead.tenant, lead_id=lead.id)
    return ReviewsOut(
        standing=standing_of(session, lead).standing.value,
        shown=what_lies_there(session, lead),
        reviews=[ReviewOut.of(word) for word in words],
    )
