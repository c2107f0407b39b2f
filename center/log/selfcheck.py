"""The centre recomputes its own log once a day, and remembers what it found.

A log that was tampered with is found by whoever recomputes it; nobody does so by hand every day. What is found stands
on the page of the log, and on every page if anything did not hold.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import JSON, BigInteger, Integer, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from center.database import Database
from center.errors import CheckBrokenOff
from center.log.heads import Notary
from center.log.verification import Report, verify_log
from traceability.append_only import guard
from traceability.records import Base, OfTenant

CHECK_EVERY: Final = timedelta(days=1)
KEPT_TROUBLES: Final = 20
LONGEST_PAUSE_S: Final = 1.0

log = structlog.get_logger()


class LogCheck(OfTenant, Base):
    """One recomputation of the whole log: how much there was, and what did not hold, the first few in words."""

    __tablename__ = "log_check"

    at: Mapped[datetime] = mapped_column(primary_key=True)
    leaves: Mapped[int] = mapped_column(BigInteger)
    heads: Mapped[int]
    stamps: Mapped[int]
    trouble_count: Mapped[int]
    troubles: Mapped[list[str]] = mapped_column(JSON)
    took_ms: Mapped[int] = mapped_column(Integer)

    @property
    def holds(self) -> bool:
        """Whether nothing was wrong."""
        return not self.trouble_count


guard(LogCheck.metadata.tables[LogCheck.__tablename__])


def last_check(session: Session, tenant: str, at: datetime) -> LogCheck | None:
    """The newest check until an instant: while the clock was ahead, there may have been later ones."""
    rows = select(LogCheck).where(LogCheck.tenant == tenant, LogCheck.at <= at).order_by(LogCheck.at.desc())
    return session.scalars(rows.limit(1)).first()


class SelfCheck:
    """Checks of one running centre's log, done in turn with its other chores."""

    def __init__(self, database: Database, notary: Notary, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._notary = notary
        self._now = now
        self._holds = True

    @property
    def holds(self) -> bool:
        """Whether the newest check that this process knows of found nothing wrong; true before the first."""
        return self._holds

    def run_due(self, is_stopping: Callable[[], bool]) -> None:
        """Check the log if the newest check is a day old; else remember what it found."""
        at = self._now()
        with self._database.reading() as session:
            last = last_check(session, self._notary.tenant, at)
            if last is not None:
                self._holds = last.holds
            is_young = last is not None and at < last.at + CHECK_EVERY
        if not is_young:
            self.run(is_stopping)

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Recompute the log, working half of the time at most, and write down what was found."""
        began_s, at = time.perf_counter(), self._now()
        try:
            with self._database.reading(snapshot=True) as session:
                report = verify_log(session, self._notary, pulse=_Pulse(is_stopping))
        except CheckBrokenOff:
            return
        took_ms = round((time.perf_counter() - began_s) * 1000)
        with self._database.writing() as session:
            session.add(_row(self._notary.tenant, report, at=at, took_ms=took_ms))
        self._holds = report.holds
        if not report.holds:
            log.error("log_does_not_hold", troubles=len(report.troubles), first=report.troubles[0])


def _row(tenant: str, report: Report, *, at: datetime, took_ms: int) -> LogCheck:
    return LogCheck(
        tenant=tenant,
        at=at,
        leaves=report.leaves,
        heads=report.heads,
        stamps=report.stamps,
        trouble_count=len(report.troubles),
        troubles=report.troubles[:KEPT_TROUBLES],
        took_ms=took_ms,
    )


class _Pulse:
    """Pauses as long as the work before took, so that officers and boxes are served meanwhile."""

    def __init__(self, is_stopping: Callable[[], bool]) -> None:
        self._is_stopping = is_stopping
        self._went_on_s = time.perf_counter()

    def __call__(self) -> None:
        if self._is_stopping():
            raise CheckBrokenOff
        time.sleep(min(LONGEST_PAUSE_S, time.perf_counter() - self._went_on_s))
        self._went_on_s = time.perf_counter()
