"""GET /api/v1/quarantine: what the centre could not accept."""

from datetime import datetime
from typing import Final

from fastapi import Request
from sqlalchemy import func, select

from center.accounts.guards import Staff
from center.api.paging import Limit, Offset, PageOf
from center.api.schemas import Answer
from center.api.security import reading_router
from center.database import Reading
from center.intake.quarantine import QuarantineEntry, count_entries, list_entries
from center.office import office_of
from center.web.problems import responses

router: Final = reading_router("quarantine")


class QuarantineOut(Answer):
    """Something put aside, and why. `authentic`: a known box signed it. `settled_at`: its key came, it was taken in."""

    id: str
    reason: str
    detail: str
    authentic: bool
    topic: str
    device: str
    sha256: str
    size_bytes: int
    count: int
    first_at: datetime
    last_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, row: QuarantineEntry) -> "QuarantineOut":
        """From the quarantine."""
        return cls.model_validate(row)


class QuarantinePage(PageOf[QuarantineOut]):
    """Entries, and how often each reason occurred, repetitions counted."""

    counts: dict[str, int]


@router.get("/quarantine", responses=responses(401, 403, 422))
def read_quarantine(
    request: Request, session: Reading, _person: Staff, *, limit: Limit = 50, offset: Offset = 0
) -> QuarantinePage:
    """The latest first. The bytes themselves are not given out here."""
    tenant = office_of(request).settings.tenant
    total = session.scalar(select(func.count()).where(QuarantineEntry.tenant == tenant)) or 0
    return QuarantinePage(
        items=[QuarantineOut.of(row) for row in list_entries(session, tenant, limit=limit, offset=offset)],
        total=total,
        limit=limit,
        offset=offset,
        counts=count_entries(session, tenant),
    )
