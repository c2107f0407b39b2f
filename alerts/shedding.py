"""What a box deletes of its files when its disk runs full, in which order, and how it owns up to it.

First what the centre has or will never take, then, of what still waits, clips, copies with what was found drawn in, and
sealed pictures of incidents that are over, the oldest first. Sealed pictures of open incidents are kept to the end:
then new evidence finds no room, and its incident is told without.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.messages import FilesGone
from alerts.outbox import Outbox

WAITING_ORDER: Final = ("clip", "annotated")
"""Roles that go before sealed pictures, in this order."""

MOST_AT_ONCE: Final = 64
DISCARDED: Final = "discarded: the disk was full"


@dataclass(frozen=True, slots=True)
class Shed:
    """A file that was given up; `waited` for the centre or not."""

    sha256: str
    size_bytes: int
    waited: bool


def shed(outbox: Outbox, wanted_bytes: int, *, spared: Collection[str], at: datetime) -> list[Shed]:
    """Give files up until `wanted_bytes` are free, some at a time; what the caller then deletes from the disk.

    `spared` are ids of incidents whose sealed pictures stay. What the centre still waited for is told it in a record,
    committed together with the files' new state; so is nothing deleted that was not told. Raises OutboxFull.
    """
    chosen = _choose(outbox, wanted_bytes, spared)
    lost = [each for each in chosen if each.waited]
    with outbox.transaction() as transaction:
        for each in lost:
            transaction.connection.execute(
                "UPDATE uploads SET state = 'refused', settled_ms = ?, trouble = ? WHERE sha256 = ?",
                (int(at.timestamp() * 1000), DISCARDED, each.sha256),
            )
        if lost:
            transaction.append(FilesGone(files=tuple(each.sha256 for each in lost), reason="disk_full"), at=at)
    return chosen


def _choose(outbox: Outbox, wanted_bytes: int, spared: Collection[str]) -> list[Shed]:
    first, second = WAITING_ORDER
    with outbox.reading() as connection:
        rows = connection.execute(
            "SELECT sha256, size_bytes, state = 'waiting', role, incident FROM uploads WHERE trouble != ?"
            " ORDER BY state = 'waiting', CASE role WHEN ? THEN 0 WHEN ? THEN 1 ELSE 2 END, announced_by",
            (DISCARDED, first, second),
        ).fetchall()
    chosen: list[Shed] = []
    found_bytes = 0
    for sha256, size_bytes, waited, role, incident in rows:
        if found_bytes >= wanted_bytes or len(chosen) >= MOST_AT_ONCE:
            break
        if waited and role not in WAITING_ORDER and incident in spared:
            continue
        chosen.append(Shed(sha256, size_bytes, bool(waited)))
        found_bytes += size_bytes
    return chosen
