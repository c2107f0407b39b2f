"""The outbox: what the box reports waits here, through power cuts, until the centre has confirmed it.

SQLite in WAL mode with `synchronous=FULL`: a transaction that returned is on the disk. Whatever state belongs to a
message (an incident, say) is committed with it through `Transaction.connection`.
"""

import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from alerts import schema
from alerts.control_messages import Receipt
from alerts.discarding import Limit
from alerts.errors import OutboxFull, OutboxOfAnother
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import KeyRotation
from alerts.receipts import next_counter
from alerts.records import FIRST_PREVHASH
from alerts.storage import connect, means_full, reporting, take
from alerts.transactions import (
    DISCARDED_RECORDS,
    FORKED_RECEIPTS,
    QUARANTINED_RECORDS,
    REJECTED_DOWNLINKS,
    Settled,
    Transaction,
)

LIMIT = Limit(256 * 2**20)


TALLIES = (QUARANTINED_RECORDS, REJECTED_DOWNLINKS, DISCARDED_RECORDS, FORKED_RECEIPTS)
"""What is counted over all lives of an outbox, in the order of `Counts`."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A record without a receipt: its place in the chain and its exact bytes."""

    sequence: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """What the status tells of the outbox. `forked_receipts`: more than 0 once this box was copied or set back."""

    pending_records: int
    pending_uploads: int
    quarantined_records: int
    rejected_downlinks: int
    discarded_records: int
    forked_receipts: int


class Outbox:
    """One file, one box, one process at a time; usable from any thread.

    `epoch` names this file in every record. `identity` signs the next one; a rotation changes its key. `discarded`
    counts what this process gave up to keep the limit. `trouble` is one line for the status: set when the disk took no
    record, empty again when it took one.
    """

    def __init__(
        self, path: Path, identity: Identity, connection: sqlite3.Connection, lock_file: int, limit: Limit
    ) -> None:
        self.path = path
        self.identity = identity
        self.trouble = ""
        self.discarded = 0
        self._limit = limit
        self._connections = 0
        (self.epoch,) = connection.execute("SELECT epoch FROM chain").fetchone()
        self._connection = connection
        self._lock_file = lock_file
        self._lock = threading.RLock()
        self._listeners: list[Callable[[], None]] = []

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        identity: Identity,
        limit: Limit = LIMIT,
        migrations: Sequence[schema.Migration] = schema.MIGRATIONS,
    ) -> "Outbox":
        """Open, create or bring up to date; a new file starts a new epoch. What waits keeps within `limit`.

        Raises OutboxInUse, OutboxFull, OutboxUnreadable, OutboxTooNew, OutboxOfAnother.
        """
        lock_file = take(path)
        try:
            connection = connect(path)
            try:
                with reporting(path):
                    _prepare(connection, path, identity, migrations)
                return cls(path, identity, connection, lock_file, limit)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            os.close(lock_file)
            raise

    def close(self) -> None:
        """Close the file and let other processes have it; safe to call twice."""
        with self._lock:
            if self._lock_file >= 0:
                self._connection.close()
                os.close(self._lock_file)
                self._lock_file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Commit at the end of the block, or nothing of it if the block raises.

        Raises OutboxFull when the disk is full: nothing was added, everything that was there stays.
        """
        with self._lock, reporting(self.path):
            transaction = Transaction(self._connection, self.identity, self.epoch)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield transaction
                transaction.make_room(self._limit)
                self._connection.execute("COMMIT")
            except BaseException as error:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                if means_full(error):
                    self.trouble = "the disk is full: nothing new is recorded"
                raise
            self.identity = transaction.identity
            if transaction.has_appended:
                self.trouble = ""
                self.discarded += transaction.discarded
        if transaction.news:
            for listener in tuple(self._listeners):
                listener()

    def use_rotated(self, key: SigningKey) -> bool:
        """Sign with this key if a committed rotation named it; whether one did."""
        with self._lock, reporting(self.path):
            (key_id,) = self._connection.execute("SELECT key_id FROM chain").fetchone()
            if key_id == key.key_id:
                self.identity = replace(self.identity, signing_key=key)
            return bool(key_id == key.key_id)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for SELECTs only."""
        with self._lock, reporting(self.path):
            yield self._connection

    def head(self) -> tuple[int, str]:
        """Sequence and hash of the newest record; zero and 64 zeros before the first."""
        with self.reading() as connection:
            sequence, sha256 = connection.execute("SELECT sequence, sha256 FROM chain").fetchone()
        return int(sequence), str(sha256)

    def due(self, *, limit: int, live_after: int = 0, exclude: Collection[int] = ()) -> list[Pending]:
        """Up to `limit` records to send: rotations, those after sequence `live_after`, the backlog, each in order.

        Nothing that a new key signed can be verified before the rotation that names it.
        """
        found: list[Pending] = []
        with self.reading() as connection:
            for condition, value in (
                ("type = ?", KeyRotation.TYPE),
                ("sequence > ?", live_after),
                ("sequence <= ?", live_after),
            ):
                rows = connection.execute(
                    f"SELECT sequence FROM records WHERE {condition} ORDER BY sequence LIMIT ?",  # noqa: S608 - one of those above
                    (value, limit + len(exclude)),
                ).fetchall()
                passed = {*exclude, *(each.sequence for each in found)}
                wanted = [sequence for (sequence,) in rows if sequence not in passed][: limit - len(found)]
                for sequence in wanted:
                    (raw,) = connection.execute("SELECT raw FROM records WHERE sequence = ?", (sequence,)).fetchone()
                    found.append(Pending(sequence, raw))
        return found

    def waiting_rotations(self) -> list[bytes]:
        """The records of new keys that the centre has not confirmed, the oldest first."""
        with self.reading() as connection:
            rows = connection.execute("SELECT raw FROM records WHERE type = ? ORDER BY sequence", (KeyRotation.TYPE,))
            return [raw for (raw,) in rows.fetchall()]

    def still_waiting(self, sequences: Collection[int]) -> set[int]:
        """Which of these records wait for a receipt."""
        with self.reading() as connection:
            rows = [
                connection.execute("SELECT sequence FROM records WHERE sequence = ?", (sequence,)).fetchone()
                for sequence in sequences
            ]
        return {row[0] for row in rows if row}

    def settle(self, receipt: Receipt, *, at: datetime) -> Settled:
        """`Transaction.settle` in a transaction of its own."""
        with self.transaction() as transaction:
            return transaction.settle(receipt, at=at)

    def counts(self) -> Counts:
        """What waits and what went wrong."""
        with self.reading() as connection:
            tallies = dict(connection.execute("SELECT name, count FROM tallies").fetchall())
            (records,) = connection.execute("SELECT count(*) FROM records").fetchone()
            (uploads,) = connection.execute("SELECT count(*) FROM uploads WHERE state = 'waiting'").fetchone()
        told = (tallies.get(name, 0) for name in TALLIES)
        return Counts(records, uploads, *told)

    def next_connection(self, *, at: datetime) -> int:
        """A number for a new connection to the broker, greater than that of any before.

        Where the disk takes nothing it is remembered as long as this process lives: a full disk must not keep the box
        from the centre.
        """
        with self.reading() as connection:
            (kept,) = connection.execute("SELECT connection FROM chain").fetchone()
        number = self._connections = next_counter(max(kept, self._connections), at)
        with suppress(OutboxFull), self.transaction() as transaction:
            transaction.connection.execute("UPDATE chain SET connection = ?", (number,))
        return number

    def add_listener(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit that changed what waits; it must return at once."""
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[], None]) -> None:
        """Stop calling it."""
        self._listeners.remove(listener)


def _prepare(
    connection: sqlite3.Connection, path: Path, identity: Identity, migrations: Sequence[schema.Migration]
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    schema.migrate(connection, migrations)
    connection.execute(
        "INSERT INTO chain (one, tenant, device, epoch, sequence, sha256) VALUES (1, ?, ?, ?, 0, ?)"
        " ON CONFLICT DO NOTHING",
        (identity.tenant, identity.device, secrets.token_hex(8), FIRST_PREVHASH),
    )
    connection.execute("COMMIT")
    tenant, device = connection.execute("SELECT tenant, device FROM chain").fetchone()
    if (tenant, device) != (identity.tenant, identity.device):
        raise OutboxOfAnother(
            f"{path}: belongs to {device} of {tenant}, this box is {identity.device} of {identity.tenant};"
            " move it aside and a new one is begun"
        )
