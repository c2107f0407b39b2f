"""What is done to an outbox at once: records made, files queued, receipts followed, all of it or nothing."""

import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from alerts import wire
from alerts.control_messages import Disposition, Receipt, Span
from alerts.discarding import Limit, discard, rank_of
from alerts.errors import MessageTooLarge, OutboxError
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import KeyRotation
from alerts.records import JournalData, Record, write_record

REJECTED_DOWNLINKS = "rejected_downlinks"
QUARANTINED_RECORDS = "quarantined_records"
FORKED_RECEIPTS = "forked_receipts"
"""Receipts that spoke of records of a copy of this box, or of a later state of it."""

DISCARDED_RECORDS = "discarded_records"


@dataclass(frozen=True, slots=True)
class Settled:
    """What one receipt let the outbox forget, and whether it shows that this box or its state was copied.

    It does where it speaks of records that this outbox never made, or says that two chains came. `safe` is what the
    centre has, be it that it was forgotten before.
    """

    stored: frozenset[int] = frozenset()
    quarantined: frozenset[int] = frozenset()
    safe: tuple[Span, ...] = ()
    is_forked: bool = False


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
        is_forked = receipt.is_forked or len(safe) < len(told)
        self.tally(FORKED_RECEIPTS, int(is_forked))
        return Settled(frozenset(stored), frozenset(quarantined), safe, is_forked)

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
