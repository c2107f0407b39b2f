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
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from alerts import schema, wire
from alerts.discarding import Limit, discard, rank_of
from alerts.errors import MessageTooLarge, OutboxError, OutboxOfAnother
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import Disposition, KeyRotation, Receipt, Span
from alerts.records import FIRST_PREVHASH, JournalData, Record, write_record
from alerts.storage import connect, means_full, reporting, take

REJECTED_DOWNLINKS = "rejected_downlinks"
QUARANTINED_RECORDS = "quarantined_records"
DISCARDED_RECORDS = "discarded_records"
LIMIT = Limit(256 * 2**20)


@dataclass(frozen=True, slots=True)
class Pending:
    """A record without a receipt: its place in the chain and its exact bytes."""

    sequence: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """What the status tells of the outbox."""

    pending_records: int
    pending_uploads: int
    quarantined_records: int
    rejected_downlinks: int
    discarded_records: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What one receipt let the outbox forget, and whether it spoke of records that this outbox never made.

    `safe` is what the centre has, be it that it was forgotten before.
    """

    stored: frozenset[int] = frozenset()
    quarantined: frozenset[int] = frozenset()
    safe: tuple[Span, ...] = ()
    is_of_another: bool = False


class Transaction:
    """Everything done in it is committed together or not at all.

    `connection` is for the caller's own tables and in autocommit mode of Python's sqlite3: no `commit`, no
    `executescript`, both would end the transaction early.
    """

    def __init__(self, connection: sqlite3.Connection, identity: Identity, epoch: str) -> None:
        self.connection = connection
        self.news = False
        self.identity = identity
        self.discarded = 0
        self.epoch = epoch
        self._first: int | None = None
        self._last: int | None = None
        self._made_at = datetime.min.replace(tzinfo=UTC)

    @property
    def has_appended(self) -> bool:
        """Whether it holds a new record."""
        return self._last is not None

    def append(self, data: JournalData, *, at: datetime) -> Record:
        """Sign and chain one record made `at` (aware UTC); raises MessageTooLarge."""
        return self._append(data, at=at)

    def rotate(self, key: SigningKey, *, at: datetime) -> Record:
        """Chain the record by which `key`, which is on the disk already, takes the place of the box's key.

        Both sign it; every later record is signed with the new one.
        """
        old = self.identity.signing_key.key_id
        record = self._append(KeyRotation(key=key.verify_key.to_text(), retires=old), at=at, cosigner=key)
        self.connection.execute("UPDATE chain SET key_id = ?", (key.key_id,))
        self.identity = replace(self.identity, signing_key=key)
        return record

    def _append(self, data: JournalData, *, at: datetime, cosigner: SigningKey | None = None) -> Record:
        head, prevhash = self.connection.execute("SELECT sequence, sha256 FROM chain").fetchone()
        record = write_record(
            data,
            identity=self.identity,
            epoch=self.epoch,
            sequence=head + 1,
            prevhash=prevhash,
            at=at,
            cosigner=cosigner,
        )
        if len(record.raw) > wire.MAX_BYTES:
            raise MessageTooLarge(f"{data.TYPE} of {len(record.raw)} bytes, at most {wire.MAX_BYTES} travel")
        self.connection.execute(
            "INSERT INTO records (sequence, raw, sha256, type, rank, made_ms) VALUES (?, ?, ?, ?, ?, ?)",
            (record.sequence, record.raw, record.sha256, data.TYPE, rank_of(data), int(at.timestamp() * 1000)),
        )
        self.connection.execute("UPDATE chain SET sequence = ?, sha256 = ?", (record.sequence, record.sha256))
        self._first, self._last, self._made_at = self._first or record.sequence, record.sequence, at
        self.news = True
        return record

    def make_room(self, limit: Limit) -> None:
        """Keep what waits within its bytes: discard by `discarding`'s order, and say so in a record.

        Nothing that this very transaction appended is discarded.
        """
        if self._first is None:
            return
        dropped, self.discarded = discard(self.connection, limit, below=self._first, at=self._made_at)
        if dropped:
            self.append(dropped, at=self._made_at)
            self.tally(DISCARDED_RECORDS, self.discarded)

    def queue_upload(
        self,
        sha256: str,
        *,
        size_bytes: int,
        announced_by: Record | None = None,
        role: str = "",
        incident: str = "",
    ) -> None:
        """Have a file brought to the centre once its announcing record (default: the last appended) is confirmed.

        A file that is queued or was sent already is not queued again; one that was refused is. `role` and `incident`
        say what goes first when the disk is full.
        """
        sequence = announced_by.sequence if announced_by else self._last
        if sequence is None:
            raise OutboxError("a file is queued after the record that announces it, in the same transaction")
        self.connection.execute(
            "INSERT INTO uploads (sha256, size_bytes, announced_by, state, role, incident)"
            " VALUES (?, ?, ?, 'waiting', ?, ?)"
            " ON CONFLICT (sha256) DO UPDATE SET state = 'waiting', announced_by = excluded.announced_by,"
            " attempts = 0, mismatches = 0, settled_ms = NULL, trouble = '' WHERE state = 'refused'",
            (sha256, size_bytes, sequence, role, incident),
        )
        self.news = True

    def settle(self, receipt: Receipt, *, at: datetime) -> Settled:
        """Forget what the centre has; quarantined records are counted, and their uploads given up `at` (aware UTC).

        What the receipt says of a chain that is not this one's is left alone: a copy of this box made those records.
        """
        told = [*receipt.spans]
        if receipt.cumulative:
            told.append(Span(first=1, last=receipt.cumulative, disposition=Disposition.STORED, sha256=receipt.sha256))
        (head,) = self.connection.execute("SELECT sequence FROM chain").fetchone()
        owned = [(span, span.last <= head and self._is_ours(span)) for span in told]
        ours = [span for span, is_ours in owned if is_ours]
        quarantined: set[int] = set()
        stored: set[int] = set()
        for span in sorted(ours, key=lambda span: span.disposition is not Disposition.QUARANTINED):
            if span.disposition is Disposition.QUARANTINED:
                quarantined |= self._forget(span)
                self.connection.execute(
                    "UPDATE uploads SET state = 'refused', settled_ms = ?, trouble = 'its record was quarantined'"
                    " WHERE state = 'waiting' AND announced_by BETWEEN ? AND ?",
                    (int(at.timestamp() * 1000), span.first, span.last),
                )
            else:
                stored |= self._forget(span)
        self.connection.execute(
            "DELETE FROM settled WHERE sequence <"
            " coalesce((SELECT min(sequence) FROM records), (SELECT sequence + 1 FROM chain))"
        )
        self.tally(QUARANTINED_RECORDS, len(quarantined))
        self.news = True
        safe = tuple(span for span, is_ours in owned if is_ours is not False)
        return Settled(frozenset(stored), frozenset(quarantined), safe, is_of_another=len(safe) < len(told))

    def tally(self, name: str, count: int = 1) -> None:
        """Count something the status tells."""
        if count:
            self.connection.execute(
                "INSERT INTO tallies VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
                (name, count),
            )

    def _is_ours(self, span: Span) -> bool | None:
        """Whether the last record of the span is this outbox's own, and with it the chain that leads to it.

        None where it was forgotten and nothing before it waits, so that it does not matter.
        """
        row = self.connection.execute(
            "SELECT sha256 FROM records WHERE sequence = ?1 UNION ALL SELECT sha256 FROM settled WHERE sequence = ?1",
            (span.last,),
        ).fetchone()
        return None if row is None else row[0] == span.sha256

    def _forget(self, span: Span) -> set[int]:
        reach = (span.first, span.last)
        self.connection.execute(
            "INSERT OR IGNORE INTO settled SELECT sequence, sha256 FROM records WHERE sequence BETWEEN ? AND ?", reach
        )
        gone = self.connection.execute("DELETE FROM records WHERE sequence BETWEEN ? AND ? RETURNING sequence", reach)
        return {sequence for (sequence,) in gone.fetchall()}


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
        told = (tallies.get(name, 0) for name in (QUARANTINED_RECORDS, REJECTED_DOWNLINKS, DISCARDED_RECORDS))
        return Counts(records, uploads, *told)

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
