"""GET /api/v1/cameras/{camera}/coverage and …/violations: when a camera was watched, and what that says."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, HTTPException, Path, Query, Request
from pydantic import AwareDatetime
from sqlalchemy.orm import Session

from center.accounts.guards import Officer, Staff
from center.api.schemas import Answer, LeadOut
from center.api.security import reading_router
from center.coverage import account_of, doubtful_clock, incidents_between
from center.database import Reading
from center.office import office_of
from center.watching import SEEN, UNKNOWN, Account, BadSpan, span
from center.watching import Answer as Verdict
from center.web.problems import responses
from traceability.cameras import Camera

router: Final = reading_router("coverage")
MOST_LEADS: Final = 200

CameraId = Annotated[str, Path(min_length=1, max_length=200)]
FromAt = Annotated[AwareDatetime, Query(alias="from", description="with its time zone")]
UntilAt = Annotated[
    AwareDatetime, Query(alias="until", description="at most 31 days later; what is not yet is left out")
]


class StretchOut(Answer):
    """A stretch of time in one state: `seen`, `unknown` (no box reported) or what hindered."""

    from_at: datetime
    until_at: datetime
    state: str


class CoverageOut(Answer):
    """When a camera was watched: stretches without a gap, and how long each hindrance held.

    `unknown_ms` is time no box has reported on (yet): nobody is known to have looked. `clock_doubtful`: some of it
    was reported by a box whose clock was not synchronised.
    """

    camera: str
    from_at: datetime
    until_at: datetime
    watched: bool
    seen_ms: int
    unknown_ms: int
    hindered_ms: dict[str, int]
    clock_doubtful: bool
    stretches: list[StretchOut]


class VerdictOut(Answer):
    """Whether there was a violation: `incidents`, `none` (and the whole time was watched) or `unwatched`.

    `unwatched` means that nothing was reported, and that for `unseen_ms` nobody was looking. With `incidents`, too,
    there may have been more of them in that time. `incidents` lists the newest 200.
    """

    answer: Verdict
    unseen_ms: int
    coverage: CoverageOut
    incidents: list[LeadOut]


def asked(request: Request, from_at: FromAt, until_at: UntilAt) -> tuple[datetime, datetime]:
    """The time asked about, as far as it has come. Raises 422."""
    try:
        return span(from_at, until_at, office_of(request).now())
    except BadSpan as error:
        raise HTTPException(422, str(error)) from None


Asked = Annotated[tuple[datetime, datetime], Depends(asked)]


@router.get("/cameras/{camera}/coverage", responses=responses(401, 403, 404, 422))
def read_coverage(request: Request, session: Reading, _person: Staff, camera: CameraId, when: Asked) -> CoverageOut:
    """When this camera was watched."""
    return _coverage(session, _known(request, session, camera), camera, when)[0]


@router.get("/cameras/{camera}/violations", responses=responses(401, 403, 404, 422))
def read_violations(request: Request, session: Reading, _person: Officer, camera: CameraId, when: Asked) -> VerdictOut:
    """Was there a violation at this camera between two moments? Yes; no; or nobody was looking."""
    tenant = _known(request, session, camera)
    coverage, account = _coverage(session, tenant, camera, when)
    leads = incidents_between(
        session, tenant=tenant, camera=camera, from_at=when[0], until_at=when[1], limit=MOST_LEADS
    )
    return VerdictOut(
        answer=account.answer(len(leads)),
        unseen_ms=account.length_ms - account.seen_ms,
        coverage=coverage,
        incidents=[LeadOut.of(lead) for lead in leads],
    )


def _known(request: Request, session: Session, camera: str) -> str:
    tenant = office_of(request).settings.tenant
    if session.get(Camera, (tenant, camera)) is None:
        raise HTTPException(404, f"there is no camera {camera!r}")
    return tenant


def _coverage(
    session: Session, tenant: str, camera: str, when: tuple[datetime, datetime]
) -> tuple[CoverageOut, Account]:
    account = account_of(session, tenant=tenant, camera=camera, from_at=when[0], until_at=when[1])
    totals = account.totals_ms
    answer = CoverageOut(
        camera=camera,
        from_at=account.from_at,
        until_at=account.until_at,
        watched=account.was_watched,
        seen_ms=account.seen_ms,
        unknown_ms=totals.get(UNKNOWN, 0),
        hindered_ms={state: length for state, length in totals.items() if state not in (SEEN, UNKNOWN)},
        clock_doubtful=doubtful_clock(session, tenant=tenant, camera=camera, from_at=when[0], until_at=when[1]),
        stretches=[StretchOut.model_validate(each) for each in account.stretches],
    )
    return answer, account
