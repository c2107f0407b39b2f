"""Tables of the outbox and how an older outbox becomes a newer one."""

import sqlite3
from collections.abc import Sequence
from typing import TypeAlias

from alerts.errors import OutboxTooNew

Migration: TypeAlias = tuple[str, ...]
"""Statements that lead from one version to the next. A released one is never changed, only followed by another."""

MIGRATIONS: tuple[Migration, ...] = (
    (
        # Who made this outbox, its epoch, and the head of the chain, which outlives the records themselves.
        """CREATE TABLE chain (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            tenant TEXT NOT NULL, device TEXT NOT NULL, epoch TEXT NOT NULL,
            sequence INTEGER NOT NULL, sha256 TEXT NOT NULL
        ) STRICT""",
        # What the centre has not yet confirmed: exact bytes.
        """CREATE TABLE records (
            sequence INTEGER PRIMARY KEY, raw BLOB NOT NULL, sha256 TEXT NOT NULL, type TEXT NOT NULL
        ) STRICT""",
        # Files to bring to the centre once the record that announced them has its receipt.
        """CREATE TABLE uploads (
            sha256 TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, announced_by INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'refused')),
            attempts INTEGER NOT NULL DEFAULT 0, settled_ms INTEGER, trouble TEXT NOT NULL DEFAULT ''
        ) STRICT""",
        "CREATE INDEX uploads_by_state ON uploads (state, announced_by)",
        # The last message of each type that the box followed, so that no older one is followed again.
        "CREATE TABLE downlinks (type TEXT PRIMARY KEY, counter INTEGER NOT NULL, sha256 TEXT NOT NULL) STRICT",
        # How often something happened that the status must tell.
        "CREATE TABLE tallies (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT",
    ),
    (
        # How often the centre found another hash: counted apart from other failures, which say nothing of the file.
        "ALTER TABLE uploads ADD COLUMN mismatches INTEGER NOT NULL DEFAULT 0",
        # Files given up with their quarantined record had no such time and so were never deleted.
        "UPDATE uploads SET settled_ms = 0 WHERE state != 'waiting' AND settled_ms IS NULL",
    ),
    (
        # Hashes of confirmed records while an older one still waits: a receipt names the chain it speaks of by them.
        "CREATE TABLE settled (sequence INTEGER PRIMARY KEY, sha256 TEXT NOT NULL) STRICT",
    ),
    (
        # The key that signs since the last rotation, empty before the first: which of two key files counts.
        "ALTER TABLE chain ADD COLUMN key_id TEXT NOT NULL DEFAULT ''",
    ),
    (
        # What may be given up when too much waits (see `discarding`), and when it was made; of older ones: never, now.
        "ALTER TABLE records ADD COLUMN rank INTEGER NOT NULL DEFAULT 5",
        "ALTER TABLE records ADD COLUMN made_ms INTEGER NOT NULL DEFAULT 0",
        "UPDATE records SET made_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000",
        # How many bytes wait, kept up to date by the database itself.
        "ALTER TABLE chain ADD COLUMN waiting_bytes INTEGER NOT NULL DEFAULT 0",
        "UPDATE chain SET waiting_bytes = (SELECT coalesce(sum(length(raw)), 0) FROM records)",
        """CREATE TRIGGER records_counted AFTER INSERT ON records BEGIN
            UPDATE chain SET waiting_bytes = waiting_bytes + length(NEW.raw);
        END""",
        """CREATE TRIGGER records_uncounted AFTER DELETE ON records BEGIN
            UPDATE chain SET waiting_bytes = waiting_bytes - length(OLD.raw);
        END""",
    ),
    (
        # What a file is and whose it is: when the disk is full, some go before others (see `shedding`).
        "ALTER TABLE uploads ADD COLUMN role TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE uploads ADD COLUMN incident TEXT NOT NULL DEFAULT ''",
    ),
    (
        # The number of the last connection to the broker, so that the next one's statuses are newer.
        "ALTER TABLE chain ADD COLUMN connection INTEGER NOT NULL DEFAULT 0",
    ),
)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring the database up to date inside the caller's transaction; the version it had before. Raises OutboxTooNew."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise OutboxTooNew(f"the outbox has version {version}, this program knows {len(migrations)}: update it")
    for statements in migrations[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    return int(version)
