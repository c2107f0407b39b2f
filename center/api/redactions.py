"""Redacted copies of a lead's pictures: asked for, looked at, released or withheld; below /api/v1/leads/{id}."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import HTTPException, Request
from pydantic import Field
from sqlalchemy.orm import Session

from alerts.messages import Box
from alerts.redaction import MOST_BY_HAND, Covered
from center.accounts.guards import Viewer
from center.api.leads import RowId
from center.api.schemas import Answer
from center.api.security import CHANGES, reading_router
from center.api.uploads import Hash
from center.database import Reading, Writing
from center.errors import CannotRedact
from center.evidence.copying import make_copy
from center.evidence.redactions import (
    CopyWord,
    RedactedCopy,
    Word,
    copies_of,
    say,
    standing_of,
    words_on,
)
from center.office import office_of
from center.web.problems import responses
from center.web.words import NO_NUL

router: Final = reading_router("leads")

Reason = Annotated[str, Field(min_length=1, max_length=1000, pattern=NO_NUL)]


class RedactionIn(Answer):
    """A wish for a redacted copy of `original`; `boxes` are covered besides what is found, in pixels as it is shown."""

    original: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    reason: Reason
    boxes: Annotated[tuple[Box, ...], Field(max_length=MOST_BY_HAND)] = ()


class WordIn(Answer):
    """What is said of a copy: whether it may leave the officers' side, and why."""

    word: Word
    reason: Reason


class WordOut(Answer):
    """One word on a copy."""

    word: str
    reason: str
    by_user: str
    at: datetime

    @classmethod
    def of(cls, row: CopyWord) -> "WordOut":
        """From the row."""
        return cls.model_validate(row)


class RedactedCopyOut(Answer):
    """A copy, what was covered in it, and what was said of it. Its bytes are at `url` as long as they are kept.

    `coarse`: of these kinds no small ones were looked for, as the picture is too large.
    """

    lead_id: str
    original_sha256: str
    sha256: str
    standing: str
    reason: str
    asked_by: str
    made_at: datetime
    covered: list[Covered]
    models: dict[str, str]
    coarse: list[str]
    words: list[WordOut]
    url: str

    @classmethod
    def of(cls, session: Session, row: RedactedCopy) -> "RedactedCopyOut":
        """From the row, its report and the words."""
        told, words = row.told, words_on(session, tenant=row.tenant, sha256=row.sha256)
        return cls(
            lead_id=row.lead_id,
            original_sha256=row.original_sha256,
            sha256=row.sha256,
            standing=standing_of(words).value,
            reason=row.reason,
            asked_by=row.asked_by,
            made_at=row.made_at,
            covered=list(told.covered),
            models={what.value: f"{model.name} {model.sha256}" for what, model in told.models.items()},
            coarse=[what.value for what in told.coarse],
            words=[WordOut.of(word) for word in words],
            url=f"/api/v1/evidence/{row.sha256}",
        )


@router.get("/leads/{lead_id}/redactions", responses=responses(401, 403, 422))
def list_redactions(request: Request, session: Reading, _person: Viewer, lead_id: RowId) -> list[RedactedCopyOut]:
    """The redacted copies made of a lead's pictures, the latest first."""
    tenant = office_of(request).settings.tenant
    return [RedactedCopyOut.of(session, row) for row in copies_of(session, tenant=tenant, lead_id=lead_id)]


@router.post(
    "/leads/{lead_id}/redactions",
    status_code=201,
    responses=responses(400, 401, 403, 404, 409, 422, 503, 507),
    dependencies=CHANGES,
)
def redact(request: Request, person: Viewer, lead_id: RowId, wish: RedactionIn) -> RedactedCopyOut:
    """Have a redacted copy of a sealed picture made. It may leave the officers' side only once somebody released it."""
    office = office_of(request)
    try:
        sha256 = make_copy(office, person.actor, lead_id, original=wish.original, reason=wish.reason, boxes=wish.boxes)
    except CannotRedact as error:
        raise HTTPException(422, str(error)) from error
    with office.database.reading() as session:
        copies = copies_of(session, tenant=office.settings.tenant, lead_id=lead_id)
        return RedactedCopyOut.of(session, next(row for row in copies if row.sha256 == sha256))


@router.post(
    "/leads/{lead_id}/redactions/{sha256}/words",
    status_code=201,
    responses=responses(400, 401, 403, 404, 409, 422, 503),
    dependencies=CHANGES,
)
def speak(
    request: Request, session: Writing, person: Viewer, *, lead_id: RowId, sha256: Hash, wish: WordIn
) -> list[RedactedCopyOut]:
    """Release a copy, after looking at it, or withhold it."""
    office = office_of(request)
    tenant = office.settings.tenant
    say(
        session,
        tenant=tenant,
        lead_id=lead_id,
        sha256=sha256,
        word=wish.word,
        reason=wish.reason,
        by=person.actor,
        at=office.now(),
    )
    session.flush()
    return [RedactedCopyOut.of(session, row) for row in copies_of(session, tenant=tenant, lead_id=lead_id)]
