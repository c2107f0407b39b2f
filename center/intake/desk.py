"""The desk where boxes' messages arrive: read, filed a batch in one transaction (`filing`), then receipted.

While the database cannot be written nothing is acknowledged and no receipt goes out: the subscriber tries again, and
at last the box, which keeps its records until it has a receipt.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import structlog
from sqlalchemy.exc import OperationalError

from alerts.keys import VerifyKey
from alerts.subscriber import Incoming
from alerts.topics import Topic
from center.boxes.devices import find_signers
from center.database import Database
from center.errors import DatabaseTrouble
from center.intake.filing import FilingRules, Outcome, file_readings
from center.intake.reading import Reading, read
from center.intake.rehearsal import rehearse
from center.intake.survey import Survey

Send = Callable[[Topic, bytes], object]

log = structlog.get_logger()


class Desk:
    """Takes messages in; `receive_all` is what the subscriber calls."""

    def __init__(self, database: Database, rules: FilingRules, *, send: Send, now: Callable[[], datetime]) -> None:
        """`send(topic, raw)` publishes a receipt; it is called after the commit only."""
        self._database = database
        self._rules = rules
        self._send = send
        self._now = now
        self._keys: dict[str, VerifyKey] = {}
        self._survey = Survey(database)
        self.trouble = ""
        """Why the last messages could not be stored; empty when they could."""

    def rehearse(self) -> None:
        """Get ready to take the first message in as quickly as any other."""
        rehearse(self._database, self._rules, self._now())

    def receive(self, topic: Topic, raw: bytes) -> Outcome:
        """Take one message in and send its receipt.

        Raises DatabaseTrouble if it could not be stored: the caller must not acknowledge it.
        """
        return self._file([self._read(Incoming(topic, raw))])[0]

    def receive_all(self, messages: Sequence[Incoming]) -> Sequence[Incoming]:
        """Take messages in and send their receipts; those that could not be stored.

        Raises DatabaseTrouble if the database takes nothing: the caller must not acknowledge any.
        """
        readings: list[Reading] = []
        left: list[Incoming] = []
        for message in messages:
            try:
                readings.append(self._read(message))
            except DatabaseTrouble:
                raise
            except Exception:
                log.exception("message_not_read", topic=message.topic.text)
                left.append(message)
            if readings and readings[-1].changes_keys:
                left += self._file_or_split(readings)
                readings = []
        return left + self._file_or_split(readings)

    def _read(self, message: Incoming) -> Reading:
        rules = self._rules
        return read(message, self._find_key, tenant=rules.tenant, max_bytes=rules.max_message_bytes)

    def _find_key(self, key_id: str) -> VerifyKey | None:
        """A key that is, or was, a box's. Which key a name stands for never changes: the name is the key's hash."""
        key = self._keys.get(key_id)
        if key is None:
            with self._writable(), self._database.reading() as session:
                signer = find_signers(session, self._rules.tenant, [key_id]).get(key_id)
            if signer is None:
                return None
            key = self._keys[key_id] = signer.key
        return key

    def _file_or_split(self, readings: list[Reading]) -> list[Incoming]:
        """Those that could not be filed: a message that spoils its batch is found by halving, and hurts no other."""
        if not readings:
            return []
        half = len(readings) // 2
        try:
            self._file(readings)
        except DatabaseTrouble:
            raise
        except Exception:
            if not half:
                log.exception("message_not_filed", topic=readings[0].message.topic.text)
                return [readings[0].message]
        else:
            return []
        return self._file_or_split(readings[:half]) + self._file_or_split(readings[half:])

    def _file(self, readings: Sequence[Reading]) -> Sequence[Outcome]:
        with self._writable(), self._database.writing() as session:
            filed = file_readings(session, self._rules, readings, self._now())
        self.trouble = ""
        for topic, receipt in filed.receipts:
            self._send(topic, receipt)
        with self._writable():
            self._survey.note(len(readings))
        return filed.outcomes

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            self.trouble = f"the database cannot be written: {error.orig}"
            raise DatabaseTrouble(self.trouble) from error
