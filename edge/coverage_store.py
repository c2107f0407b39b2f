"""Where the coverage ledgers of all cameras meet the outbox: reports and what is not reported yet, together."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from alerts.clocks import clock_quality, is_credible
from alerts.messages import Coverage
from alerts.outbox import Outbox
from alerts.transactions import Transaction
from edge.coverage import CoverageLedger, Sight

SAVE_EVERY_S = 60.0
RETRY_S = 5.0


class _Saved(BaseModel):
    """What one camera's ledger had not reported when it was saved; `reports` is empty if it had reported all."""

    model_config = ConfigDict(frozen=True)

    until_at: datetime
    reports: tuple[Coverage, ...] = ()


@dataclass(frozen=True, slots=True)
class CoverageStore:
    """Reads and writes inside the caller's transaction; the table is in the outbox's file."""

    connection: sqlite3.Connection

    def migrate(self) -> None:
        """Make the table. A row whose form a later version changes is left out by `saved`, not misread."""
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS coverage_unreported (camera TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT"
        )

    def saved(self) -> dict[str, _Saved]:
        """By camera; what cannot be read is nobody's knowledge and left out."""
        found = {}
        for camera, state in self.connection.execute("SELECT camera, state FROM coverage_unreported ORDER BY camera"):
            try:
                found[str(camera)] = _Saved.model_validate_json(state)
            except ValidationError:
                continue
        return found

    def save(self, camera: str, until_at: datetime, reports: tuple[Coverage, ...]) -> None:
        """Replace what is known of a camera."""
        state = _Saved(until_at=until_at, reports=reports).model_dump_json()
        self.connection.execute("INSERT OR REPLACE INTO coverage_unreported VALUES (?, ?)", (camera, state))

    def forget(self, camera: str) -> None:
        """A camera that is no longer there."""
        self.connection.execute("DELETE FROM coverage_unreported WHERE camera = ?", (camera,))


class CoverageBook:
    """The ledgers of all cameras of a box. Used by one thread."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._ledgers: dict[str, CoverageLedger] = {}
        self._left_at: dict[str, datetime] = {}
        self._save_due_s = 0.0
        self._retry_s = 0.0

    def take_up(self, cameras: Iterable[str], *, utc: datetime, monotonic_s: float) -> None:
        """Report what the last run had not, and begin: until now the box was off. Raises OutboxFull."""
        wanted = set(cameras)
        with self._outbox.transaction() as transaction:
            store = CoverageStore(transaction.connection)
            store.migrate()
            saved = store.saved()
            for camera, state in saved.items():
                for report in state.reports:
                    transaction.append(report, at=utc)
                if camera in wanted:
                    store.save(camera, state.until_at, ())
                else:
                    store.forget(camera)
        self._left_at = {camera: state.until_at for camera, state in saved.items() if is_credible(state.until_at)}
        for camera in sorted(wanted):
            self.add(camera, monotonic_s=monotonic_s)
        self._save_due_s = monotonic_s

    def add(self, camera: str, *, monotonic_s: float) -> None:
        """Watch one more camera; one that is there already stays as it is."""
        if camera not in self._ledgers:
            left_at = self._left_at.pop(camera, None)
            self._ledgers[camera] = CoverageLedger(camera, monotonic_s=monotonic_s, left_at=left_at)

    def remove(self, camera: str, *, utc: datetime, monotonic_s: float) -> None:
        """Report the rest and forget the camera. Raises OutboxFull: then it is still there."""
        if camera not in self._ledgers:
            return
        if is_credible(utc):
            self._write([self._ledgers[camera]], utc=utc, monotonic_s=monotonic_s, last=True)
        del self._ledgers[camera]

    def note(self, sights: Mapping[str, Sight], *, utc: datetime, monotonic_s: float) -> None:
        """So it is now with each camera: call it about once a second. Writes when something is due.

        Raises OutboxFull at most every few seconds; nothing noted is lost by it.
        """
        for camera, sight in sights.items():
            if ledger := self._ledgers.get(camera):
                ledger.note(sight, monotonic_s=monotonic_s)
        if monotonic_s < self._retry_s or not is_credible(utc):
            return
        due = [ledger for ledger in self._ledgers.values() if ledger.is_due()]
        if due or monotonic_s >= self._save_due_s:
            self._retry_s = monotonic_s + RETRY_S
            self._write(due, utc=utc, monotonic_s=monotonic_s)
            self._retry_s = monotonic_s

    def close(self, *, utc: datetime, monotonic_s: float) -> None:
        """Report everything: the box stops on purpose. Raises OutboxFull."""
        if is_credible(utc):
            self._write(list(self._ledgers.values()), utc=utc, monotonic_s=monotonic_s)

    def _write(self, due: list[CoverageLedger], *, utc: datetime, monotonic_s: float, last: bool = False) -> None:
        with self._outbox.transaction() as transaction:
            store = CoverageStore(transaction.connection)
            for ledger in self._ledgers.values():
                self._write_one(transaction, store, ledger, utc, monotonic_s, is_due=ledger in due)
            for ledger in due if last else ():
                store.forget(ledger.camera)
        for ledger in due:
            ledger.told()
        self._save_due_s = monotonic_s + SAVE_EVERY_S

    def _write_one(
        self,
        transaction: Transaction,
        store: CoverageStore,
        ledger: CoverageLedger,
        utc: datetime,
        monotonic_s: float,
        *,
        is_due: bool,
    ) -> None:
        reports = ledger.report(utc=utc, monotonic_s=monotonic_s, clock=clock_quality(utc))
        if not reports:
            return
        for report in reports if is_due else ():
            transaction.append(report, at=utc)
        store.save(ledger.camera, reports[-1].until_at, () if is_due else reports)
