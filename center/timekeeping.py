"""What a centre remembers of its clock, so that it notices a leap also where it was off meanwhile.

Only two things are done about one. Nothing is deleted for its age until somebody has said that the clock is right: that
cannot be undone. And a centre does not start on a clock that stands before its own last entries: boxes keep what they
have meanwhile.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import insert
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Mapped, Session

from center.background import Rounds
from center.clock import LEAP, Leap, OfficeClock
from center.database import Database
from center.errors import ClockDoubtful
from traceability.records import Base, OfTenant

LONG_AWAY: Final = timedelta(days=7)
"""A centre that was off for longer deletes nothing until somebody has looked at the clock."""

NOTE_EVERY_S: Final = 60.0
WHAT_TO_DO: Final = "set the clock, or, if it is right: teawatch center clock --accept"

log = structlog.get_logger()


class ClockMark(OfTenant, Base):
    """The newest time of this centre, and the leap that nobody has judged yet. `accepted` counts people's words.

    `is_followed` is false while the centre does not go by the machine's clock.
    """

    __tablename__ = "clock_mark"

    at: Mapped[datetime]
    leapt_from: Mapped[datetime | None]
    leapt_to: Mapped[datetime | None]
    is_followed: Mapped[bool]
    accepted: Mapped[int]


def doubt_of(session: Session, tenant: str, at: datetime) -> Leap | None:
    """The leap that is to be settled, if now is `at`."""
    mark = session.get(ClockMark, tenant)
    if mark is None:
        return None
    if mark.leapt_from is not None and mark.leapt_to is not None:
        return Leap(mark.leapt_from, mark.leapt_to, mark.is_followed)
    is_near = mark.at - LEAP < at <= mark.at + LONG_AWAY
    return None if is_near else Leap(mark.at, at, is_followed=True)


def in_words(leap: Leap) -> str:
    """One line that says what to do."""
    went = f"the clock went from {leap.before:%Y-%m-%d %H:%M} to {leap.after:%Y-%m-%d %H:%M} UTC"
    goes = "" if leap.is_followed else "; the centre reckons on from the time before"
    return f"{went}{goes}; no file is deleted for its age until somebody has looked at it: {WHAT_TO_DO}"


def accept(session: Session, tenant: str, at: datetime) -> None:
    """Somebody says that the machine's clock is right; a centre that runs goes by it within a minute."""
    mark = _mark(session, tenant, at)
    _settle(mark)
    mark.at = at
    mark.accepted += 1


class Timekeeper:
    """Keeps the mark of one running centre; `start()` and `stop()` belong to the centre's."""

    def __init__(self, database: Database, tenant: str, clock: OfficeClock) -> None:
        self._database = database
        self._tenant = tenant
        self._clock = clock
        self._accepted = 0
        self._is_own = False
        self._doubt: Leap | None = None
        self._rounds = Rounds("timekeeper", self._go, first_s=NOTE_EVERY_S)

    @property
    def doubt(self) -> Leap | None:
        """The leap that is to be settled, as it was known a minute ago at most."""
        return self._doubt

    def start(self) -> None:
        """Compare the clock with what is remembered, then keep it in mind. Raises ClockDoubtful."""
        at, is_kept = self._clock(), self._clock.machine.is_kept()
        with self._database.writing() as session:
            mark = _mark(session, self._tenant, at)
            self._accepted = mark.accepted
            if not is_kept and (at <= mark.at - LEAP or (not mark.is_followed and at >= mark.at + LEAP)):
                raise ClockDoubtful(
                    f"the clock says {at:%Y-%m-%d %H:%M} UTC, but this centre was at work until"
                    f" {mark.at:%Y-%m-%d %H:%M} UTC: {WHAT_TO_DO}"
                )
            self._doubt = doubt_of(session, self._tenant, at)
            if self._doubt is not None:
                mark.leapt_from, mark.leapt_to = self._doubt.before, self._doubt.after
                log.warning("clock_to_be_looked_at", what=in_words(self._doubt))
            mark.at, mark.is_followed = at, True
        self._rounds.start()

    def stop(self) -> None:
        """End."""
        self._rounds.stop()

    def note(self) -> Leap | None:
        """Write down the time, and a leap if there was one; the leap that is to be settled."""
        self._doubt = self._clock.leap or self._doubt
        with self._database.writing() as session:
            mark = _mark(session, self._tenant, self._clock())
            if mark.accepted != self._accepted:
                self._accepted = mark.accepted
                self._clock.follow()
            leap = self._clock.leap
            if leap is not None and mark.leapt_from is None:
                mark.leapt_from, mark.leapt_to = leap.before, leap.after
                self._is_own = not leap.is_followed
            elif leap is None and self._is_own:
                _settle(mark)
            self._is_own = self._is_own and leap is not None
            mark.is_followed = leap is None or leap.is_followed
            mark.at = self._clock()
            self._doubt = doubt_of(session, self._tenant, mark.at)
        return self._doubt

    def _go(self) -> float:
        try:
            self.note()
        except DatabaseError as error:
            log.error("time_not_noted", reason=str(error.orig))  # noqa: TRY400 - one line says it
        return NOTE_EVERY_S


def _mark(session: Session, tenant: str, at: datetime) -> ClockMark:
    mark = session.get(ClockMark, tenant, with_for_update=True)
    if mark is not None:
        return mark
    with suppress(IntegrityError), session.begin_nested():  # a worker may begin it at the same time
        session.execute(insert(ClockMark).values(tenant=tenant, at=at, is_followed=True, accepted=0))
    return session.get_one(ClockMark, tenant, with_for_update=True)


def _settle(mark: ClockMark) -> None:
    mark.leapt_from = mark.leapt_to = None
    mark.is_followed = True
