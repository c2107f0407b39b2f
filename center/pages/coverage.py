"""Coverage: when each camera was watched, day by day, and whether "no violation" means anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from center.accounts.guards import Staff
from center.accounts.people import TASK_ROLES
from center.coverage import account_of, accounts_of, doubtful_clock, incidents_between, reported_until
from center.database import Reading
from center.office import office_of
from center.pages.coverageviews import BarView, bar_of, day_bounds, length_of
from center.pages.formats import Formats
from center.pages.leadviews import camera_names, view_leads
from center.pages.rendering import language_of, render
from center.watching import EARLIEST, BadSpan, span
from traceability.cameras import Camera, camera_at, cameras_at

router: Final = APIRouter(include_in_schema=False)
DAYS: Final = 7
MOST_LEADS: Final = 12


@router.get("/coverage")
def show(request: Request, session: Reading, _person: Staff, *, day: str = "") -> Response:
    """Every camera's day; `day` is a date of the county, today if it is none."""
    office, formats = office_of(request), _formats(request)
    tenant, now = office.settings.tenant, office.now()
    today = now.astimezone(formats.zone).date()
    chosen = min(_date(day) or today, today)
    first_at, last_at = day_bounds(chosen, formats.zone)
    entries = cameras_at(session, tenant=tenant, at=min(now, last_at - timedelta(seconds=1)))
    cameras = [entry.id for entry in entries]
    accounts = accounts_of(session, tenant=tenant, cameras=cameras, from_at=first_at, until_at=min(last_at, now))
    names = camera_names(session, formats.language, tenant)
    lines = [
        {
            "id": entry.id,
            "name": names.get(entry.id, entry.id),
            "place": formats.language.named(entry, "place"),
            "bar": bar_of(formats, accounts[entry.id], first_at, last_at),
        }
        for entry in entries
    ]
    step = timedelta(days=1)
    days: dict[str, Any] = {"day": chosen, "today": today, "before": chosen - step, "after": chosen + step}
    return render(request, "coverage.html", cameras=lines, **days)


@router.get("/coverage/{camera}")
def show_camera(
    request: Request,
    session: Reading,
    person: Staff,
    *,
    camera: str,
    from_: Annotated[str, Query(alias="from")] = "",
    until: str = "",
) -> Response:
    """One camera: the question whether there was a violation between two moments, and its last days."""
    office, formats = office_of(request), _formats(request)
    tenant, now = office.settings.tenant, office.now()
    if session.get(Camera, (tenant, camera)) is None:
        raise HTTPException(404, f"there is no camera {camera!r}")
    today = now.astimezone(formats.zone).date()
    from_at = _moment(from_, formats.zone) or day_bounds(today, formats.zone)[0]
    until_at = _moment(until, formats.zone) or reported_until(session, tenant=tenant, camera=camera, at=now)
    if until_at <= from_at and not until:
        until_at = now
    subject = _Subject(session, formats, tenant, camera)
    try:
        asked = subject.ask(*span(from_at, until_at, now), sees=person.role in TASK_ROLES)
    except BadSpan:
        asked = None
    entry = camera_at(session, tenant=tenant, camera=camera, at=now)
    return render(
        request,
        "coverage_camera.html",
        camera=camera,
        name=camera_names(session, formats.language, tenant)[camera],
        place=formats.language.named(entry, "place") if entry else "",
        asked=asked,
        from_value=_field(from_at, formats.zone),
        until_value=_field(until_at, formats.zone),
        days=list(subject.days(today, now)),
    )


@dataclass(frozen=True, slots=True)
class _Subject:
    """The camera a page is about, and who reads it."""

    session: Session
    formats: Formats
    tenant: str
    camera: str

    def ask(self, from_at: datetime, until_at: datetime, *, sees: bool) -> dict[str, Any]:
        """The answer; without what was found for somebody who may not see that."""
        when = {"from_at": from_at, "until_at": until_at}
        place: dict[str, Any] = {"tenant": self.tenant, "camera": self.camera} | when
        account = account_of(self.session, **place)
        leads = incidents_between(self.session, **place, limit=MOST_LEADS + 1) if sees else []
        return {
            "answer": account.answer(len(leads)).value if sees else "",
            "unseen": length_of(self.formats, account.length_ms - account.seen_ms),
            "watched": account.was_watched,
            "seen_ms": account.seen_ms,
            "bar": bar_of(self.formats, account, from_at, until_at),
            "leads": view_leads(self.session, self.formats.language, leads[:MOST_LEADS]),
            "more": len(leads) > MOST_LEADS,
            "doubtful": doubtful_clock(self.session, **place),
        }

    def days(self, today: date, now: datetime) -> Iterator[tuple[date, BarView]]:
        """The last days, the latest first."""
        for number in range(DAYS):
            day = today - timedelta(days=number)
            first_at, last_at = day_bounds(day, self.formats.zone)
            account = account_of(
                self.session, tenant=self.tenant, camera=self.camera, from_at=first_at, until_at=min(last_at, now)
            )
            yield day, bar_of(self.formats, account, first_at, last_at)


def _formats(request: Request) -> Formats:
    return Formats(language_of(request), ZoneInfo(office_of(request).settings.time_zone))


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return max(found, EARLIEST.date())


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    """What a field for a moment sends: local time without a zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _field(at: datetime, zone: ZoneInfo) -> str:
    try:
        return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    except OverflowError:
        return ""
