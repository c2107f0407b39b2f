"""The desk where boxes' messages arrive: one transaction each (`filing`), then the receipt.

While the database cannot be written nothing is acknowledged and no receipt goes out: the box keeps its records and
sends them again.
"""

import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.exc import OperationalError

from center.database import Database
from center.errors import DatabaseTrouble
from center.intake.filing import Answer, FilingRules, Outcome, file_message

TRIES = 3
PAUSE_S = 0.5

log = structlog.get_logger()


class Desk:
    """Takes messages in, one at a time; `receive` is called by the subscriber's thread."""

    def __init__(
        self,
        database: Database,
        rules: FilingRules,
        *,
        send: Callable[[str, bytes], None],
        now: Callable[[], datetime],
    ) -> None:
        """`send(topic, raw)` publishes a receipt; it is called after the commit only."""
        self._database = database
        self._rules = rules
        self._send = send
        self._now = now
        self._stopping = threading.Event()
        self.trouble = ""

    def receive(self, topic: str, raw: bytes) -> Outcome:
        """Take one message in and send its receipt.

        Raises DatabaseTrouble if it could not be stored: the caller must not acknowledge it.
        """
        answer = self._file(topic, raw)
        if answer.receipt is not None:
            self._send(answer.topic, answer.receipt)
        return answer.outcome

    def stop(self) -> None:
        """Do not try again what the database refuses."""
        self._stopping.set()

    def _file(self, topic: str, raw: bytes) -> Answer:
        for left in reversed(range(TRIES)):
            try:
                with self._database.writing() as session:
                    answer = file_message(session, self._rules, topic, raw, self._now())
            except OperationalError as error:
                self.trouble = f"the database cannot be written: {error.orig}"
                log.error("intake_blocked", reason=str(error.orig), tries_left=left)  # noqa: TRY400 - one line says it
                if left and not self._stopping.wait(PAUSE_S):
                    continue
                raise DatabaseTrouble(self.trouble) from error
            else:
                self.trouble = ""
                return answer
        raise AssertionError(TRIES)
