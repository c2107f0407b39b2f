"""The log: its newest signed head, the days to be pinned up outside, what its last check found, and proofs in words."""

from datetime import date, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from center.accounts.guards import Staff
from center.database import Reading
from center.log.printing import print_digest
from center.log.publishing import publish_due
from center.log.records import LogCheckpoint, LogTimestamp
from center.log.selfcheck import last_check
from center.log.stamping import authority_of
from center.log.tree import head_of
from center.office import Office, office_of
from center.pages.logsearch import MOST_FOUND, find_leaves
from center.pages.logviews import check_of, days_of, has_digest, prove, view_leaves
from center.pages.rendering import language_of, render
from center.web.words import NO_NUL

router: Final = APIRouter(include_in_schema=False)
STAMPS_SHOWN: Final = 10
LAST_PAGE: Final = 10_000
LONGEST_SEARCH: Final = 200


@router.get("/log")
def show(request: Request, session: Reading, _person: Staff, page: int = 1) -> Response:
    """The log as it stands; with `page`, earlier days."""
    office, number = office_of(request), max(1, min(page, LAST_PAGE))
    tenant, zone, now = office.settings.tenant, ZoneInfo(office.settings.time_zone), office.now()
    head = _newest_head(office)
    days, more = days_of(session, tenant=tenant, zone=zone, now=now, page=number)
    return render(
        request,
        "log.html",
        head=head,
        since=head_of(session, tenant).size - head.size,
        notary=office.notary,
        check=check_of(last_check(session, tenant, now), now),
        days=days,
        number=number,
        more=more,
        stamps=_stamps(session, tenant),
        stamps_asked=bool(office.settings.log.timestamp_url),
        words="",
    )


@router.get("/log/find")
def find(
    request: Request,
    session: Reading,
    _person: Staff,
    q: Annotated[str, Query(max_length=LONGEST_SEARCH, pattern=NO_NUL)] = "",
) -> Response:
    """The entries that these words mean; of a single one the proof as well."""
    office, language, words = office_of(request), language_of(request), q.strip()
    head = _newest_head(office)
    leaves = find_leaves(session, tenant=office.settings.tenant, words=words) if words else ()
    return render(
        request,
        "log_found.html",
        words=words,
        head=head,
        notary=office.notary,
        found=view_leaves(session, language, leaves[:MOST_FOUND]),
        more=len(leaves) > MOST_FOUND,
        proof=prove(session, language, leaves[0], head) if len(leaves) == 1 else None,
    )


@router.get("/log/digests/{on}")
def digest(request: Request, session: Reading, _person: Staff, on: date) -> Response:
    """The digest of a day, to be printed."""
    return render(request, "log_digest.html", on=on, text=_digest(office_of(request), session, on))


@router.get("/log/digests/{on}/text")
def digest_text(request: Request, session: Reading, _person: Staff, on: date) -> Response:
    """The same as text alone, to the letter."""
    headers = {
        "Content-Disposition": f'attachment; filename="digest-{on.isoformat()}.txt"',
        "Cache-Control": "no-store",
    }
    return PlainTextResponse(_digest(office_of(request), session, on), headers=headers)


def _digest(office: Office, session: Session, on: date) -> str:
    zone, settings = ZoneInfo(office.settings.time_zone), office.settings
    if not has_digest(session, tenant=settings.tenant, zone=zone, now=office.now(), on=on):
        raise HTTPException(404, f"there is no digest of {on.isoformat()}")
    return print_digest(office.database, office.notary, on=on, zone=zone, name=settings.name, at=office.now())


def _newest_head(office: Office) -> LogCheckpoint:
    every = timedelta(seconds=office.settings.log.publish_every_s)
    return publish_due(office.database, office.notary, at=office.now(), every=every)


def _stamps(session: Session, tenant: str) -> list[tuple[LogTimestamp, str]]:
    """The newest time-stamps, each with whom was asked for it."""
    rows = select(LogTimestamp).where(LogTimestamp.tenant == tenant).order_by(LogTimestamp.stamped_at.desc())
    return [(stamp, authority_of(stamp.url)) for stamp in session.scalars(rows.limit(STAMPS_SHOWN))]
