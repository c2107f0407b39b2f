"""The SQLite file under the outbox: taken by one process, written durably, its errors said in words."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alerts.errors import OutboxFull, OutboxInUse, OutboxUnreadable
from alerts.folders import lacks_room

DURABLE = ("journal_mode = WAL", "synchronous = FULL")
"""A transaction that returned is on the disk."""


def take(path: Path) -> int:
    """The descriptor that keeps other processes out until it is closed, by kill -9 too.

    Raises OutboxInUse, OutboxFull, OutboxUnreadable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        if lacks_room(error):
            raise OutboxFull(f"{path}: the disk is full, the outbox cannot be opened") from None
        raise OutboxUnreadable(f"{path}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise OutboxInUse(f"{path}: another process has this outbox open; is the box running already?") from None
    return descriptor


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any thread under a lock: WAL, every commit on the disk."""
    with reporting(path):
        try:
            path.touch(mode=0o600)
        except OSError as error:
            raise OutboxUnreadable(f"{path}: {error.strerror}") from None
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            for setting in DURABLE:
                connection.execute(f"PRAGMA {setting}")
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except BaseException:
            connection.close()
            raise
    if verdict != "ok":
        connection.close()
        raise OutboxUnreadable(f"{path}: damaged ({verdict}); move it aside and a new one is begun")
    return connection


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, each with the file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        if means_full(error):
            raise OutboxFull(
                f"{path}: the disk is full ({error}); nothing new is recorded, what is there stays and is still sent"
            ) from error
        if _code(error) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise OutboxUnreadable(f"{path}: damaged ({error}); move it aside and a new one is begun") from error
        if _code(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise OutboxUnreadable(f"{path}: cannot be written ({error}); whose is this folder?") from error
        raise


def means_full(error: BaseException) -> bool:
    """SQLITE_FULL, or a write, sync or truncation that failed: full disks show as either."""
    return _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _code(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
