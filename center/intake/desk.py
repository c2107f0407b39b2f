"""The desk where boxes' messages arrive: one transaction each (`filing`), then the receipt.

While the database cannot be written nothing is acknowledged and no receipt goes out: the subscriber tries again, and
at last the box, which keeps its records until it has a receipt.
"""

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.exc import OperationalError

from alerts.topics import Topic
from center.database import Database
from center.errors import DatabaseTrouble
from center.intake.filing import FilingRules, Outcome, file_message

Send = Callable[[Topic, bytes], object]

log = structlog.get_logger()


class Desk:
    """Takes messages in, one at a time; `receive` is what the subscriber calls."""

    def __init__(self, database: Database, rules: FilingRules, *, send: Send, now: Callable[[], datetime]) -> None:
        """`send(topic, raw)` publishes a receipt; it is called after the commit only."""
        self._database = database
        self._rules = rules
        self._send = send
        self._now = now
        self.trouble = ""
        """Why the last message could not be stored; empty when it could."""

    def receive(self, topic: Topic, raw: bytes) -> Outcome:
        """Take one message in and send its receipt.

        Raises DatabaseTrouble if it could not be stored: the caller must not acknowledge it.
        """
        try:
            with self._database.writing() as session:
                answer = file_message(session, self._rules, topic, raw, self._now())
        except OperationalError as error:
            self.trouble = f"the database cannot be written: {error.orig}"
            raise DatabaseTrouble(self.trouble) from error
        self.trouble = ""
        if answer.topic is not None and answer.receipt is not None:
            self._send(answer.topic, answer.receipt)
        return answer.outcome
