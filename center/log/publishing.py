"""Heads are published while the centre runs: as soon as one is due, whoever asks."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DatabaseError

from center.background import Background
from center.database import Database
from center.log.heads import Notary, is_due, last_head, publish_head
from center.log.records import LogCheckpoint

log = structlog.get_logger()


def publish_due(database: Database, notary: Notary, *, at: datetime, every: timedelta = timedelta()) -> LogCheckpoint:
    """The newest head; signed anew if the log has grown and the last is at least `every` old."""
    with database.reading() as session:
        due = is_due(session, notary.tenant, at=at, every=every)
        last = last_head(session, notary.tenant)
        session.expunge_all()
    if last is not None and not due:
        return last
    with database.writing() as session:
        head = publish_head(session, notary, at)
        session.flush()
        session.expunge(head)
    return head


class HeadClock(Background):
    """A thread that publishes heads; `start()` and `stop()` belong to the centre's."""

    def __init__(self, database: Database, notary: Notary, *, every: timedelta, now: Callable[[], datetime]) -> None:
        self._database = database
        self._notary = notary
        self._every = every
        self._now = now
        super().__init__("log-heads")

    def stop(self) -> None:
        """Publish what came last, and end."""
        was_running = self._thread.is_alive()
        super().stop()
        if was_running:
            self._publish(timedelta())

    def _run(self) -> None:
        while not self._stopping.wait(self._every.total_seconds()):
            self._publish(self._every)

    def _publish(self, every: timedelta) -> None:
        try:
            publish_due(self._database, self._notary, at=self._now(), every=every)
        except DatabaseError as error:
            log.error("log_head_not_published", reason=str(error.orig))  # noqa: TRY400 - one line says it
