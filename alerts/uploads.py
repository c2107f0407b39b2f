"""The queue of evidence files in the outbox: which may go now, and what became of them."""

from dataclasses import dataclass
from datetime import datetime

from alerts.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file whose announcing record the centre has confirmed."""

    sha256: str
    size_bytes: int
    attempts: int
    mismatches: int


def ready_uploads(outbox: Outbox, *, limit: int = 16) -> list[Waiting]:
    """Files that may be sent now, in the order in which they were announced."""
    with outbox.reading() as connection:
        rows = connection.execute(
            "SELECT sha256, size_bytes, attempts, mismatches FROM uploads WHERE state = 'waiting'"
            " AND announced_by NOT IN (SELECT sequence FROM records) ORDER BY attempts, announced_by LIMIT ?",
            (limit,),
        ).fetchall()
    return [Waiting(*row) for row in rows]


def oldest_record(outbox: Outbox) -> int | None:
    """The sequence of the first record that waits for its receipt; None when all were confirmed."""
    with outbox.reading() as connection:
        (sequence,) = connection.execute("SELECT min(sequence) FROM records").fetchone()
    return sequence if sequence is None else int(sequence)


def note_attempt(outbox: Outbox, sha256: str, trouble: str, *, is_mismatch: bool) -> None:
    """It did not work this time; `is_mismatch`: the centre found another hash."""
    with outbox.transaction() as transaction:
        transaction.connection.execute(
            "UPDATE uploads SET attempts = attempts + 1, mismatches = mismatches + ?, trouble = ? WHERE sha256 = ?",
            (int(is_mismatch), trouble[:200], sha256),
        )


def note_sent(outbox: Outbox, sha256: str, at: datetime) -> None:
    """The centre has it."""
    _settle(outbox, sha256, "sent", at, "")


def note_refused(outbox: Outbox, sha256: str, at: datetime, trouble: str) -> None:
    """It will not be tried again."""
    _settle(outbox, sha256, "refused", at, trouble)


def settled_before(outbox: Outbox, moment: datetime) -> list[str]:
    """Files that were sent, or refused, before `moment`."""
    with outbox.reading() as connection:
        rows = connection.execute(
            "SELECT sha256 FROM uploads WHERE state != 'waiting' AND settled_ms < ?", (_to_ms(moment),)
        ).fetchall()
    return [sha256 for (sha256,) in rows]


def forget(outbox: Outbox, sha256: str) -> None:
    """Take a settled file out of the queue's memory."""
    with outbox.transaction() as transaction:
        transaction.connection.execute("DELETE FROM uploads WHERE sha256 = ? AND state != 'waiting'", (sha256,))


def _settle(outbox: Outbox, sha256: str, state: str, at: datetime, trouble: str) -> None:
    with outbox.transaction() as transaction:
        transaction.connection.execute(
            "UPDATE uploads SET state = ?, settled_ms = ?, trouble = ? WHERE sha256 = ?",
            (state, _to_ms(at), trouble[:200], sha256),
        )
        transaction.news = True


def _to_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
