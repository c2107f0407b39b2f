"""What an outbox gives up when what waits exceeds its bytes, and what it never gives up.

First whatever the centre can do without, the oldest first: who was watched when, where the clock stood; then what an
incident was between its beginning and its end; then files of evidence; then that it ended. That it began is never given
up, nor the record that says what was: an outbox of nothing else grows beyond its bytes, up to the end of the disk.
"""

import base64
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple, get_args

from alerts.messages import Alert, Clock, Coverage, Discarded, Dropped, Evidence, Phase, Range
from alerts.ranges import touching

KEPT_PERCENT: Final = 90
"""After discarding so much of the bytes is filled: otherwise every new record would need another `dropped` one."""

MOST_RANGES: Final = 1024
Kind = Literal["coverage", "clock", "updated", "evidence", "closed"]
RANKS: Final[tuple[Kind, ...]] = get_args(Kind)
"""Kinds of records in the order in which they are given up."""

NEVER: Final = len(RANKS)

GONE: Final = "its record was discarded for want of room"


class _Waiting(NamedTuple):
    sequence: int
    sha256: str
    size_bytes: int
    rank: int
    made_ms: int

    @property
    def range(self) -> Range:
        return Range(first=self.sequence, last=self.sequence, sha256=self.sha256)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many bytes of records may wait."""

    bytes: int

    @property
    def kept_bytes(self) -> int:
        """What is left after discarding."""
        return self.bytes * KEPT_PERCENT // 100


def rank_of(data: object) -> int:
    """A record's place in `RANKS`, or NEVER."""
    match data:
        case Coverage():
            return RANKS.index("coverage")
        case Clock():
            return RANKS.index("clock")
        case Evidence():
            return RANKS.index("evidence")
        case Alert(phase=Phase.UPDATED | Phase.CLOSED as phase):
            return RANKS.index(phase.value)
    return NEVER


def discard(connection: sqlite3.Connection, limit: Limit, *, below: int, at: datetime) -> tuple[Dropped | None, int]:
    """Give up waiting records before sequence `below` until the limit is kept; what to say of it, and of how many.

    For the caller's transaction. Uploads of the files that those records announced are given up with them, `at`. What
    was said before and still waits is said once more with it, so that such records do not pile up either.
    """
    (waiting_bytes,) = connection.execute("SELECT waiting_bytes FROM chain").fetchone()
    if waiting_bytes <= limit.bytes:
        return None, 0
    chosen = _choose(connection, waiting_bytes - limit.kept_bytes, below)
    if not chosen:
        return None, 0
    kinds: Counter[Kind] = Counter(RANKS[each.rank] for each in chosen)
    times = [datetime.fromtimestamp(each.made_ms / 1000, UTC) for each in chosen]
    dropped = Dropped(
        count=len(chosen),
        reason="outbox_limit",
        first_at=min(times),
        last_at=max(times),
        ranges=join(each.range for each in chosen),
        kinds=_told(kinds),
    )
    for each in dropped.ranges:
        _give_up(connection, each, at)
    earlier = _earlier(connection, below)
    if earlier is None:
        return dropped, len(chosen)
    place, said = earlier
    ranges = join((*dropped.ranges, *said.ranges, place))
    if len(ranges) > MOST_RANGES:
        return dropped, len(chosen)
    _give_up(connection, place, at)
    kinds.update({each.kind: each.count for each in said.kinds})
    return Dropped(
        count=dropped.count + said.count,
        reason="outbox_limit",
        first_at=min(dropped.first_at, said.first_at),
        last_at=max(dropped.last_at, said.last_at),
        ranges=ranges,
        kinds=_told(kinds),
    ), len(chosen)


def join(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Ascending, neighbours and what overlaps made one, with the hash that its last record is known by."""
    return tuple(
        max(group, key=lambda each: each.last).model_copy(update={"first": group[0].first})
        for group in touching(sorted(ranges, key=lambda each: (each.first, each.last)))
    )


def _told(kinds: Mapping[Kind, int]) -> tuple[Discarded, ...]:
    return tuple(Discarded(kind=kind, count=kinds[kind]) for kind in RANKS if kinds.get(kind))


def _earlier(connection: sqlite3.Connection, below: int) -> tuple[Range, Dropped] | None:
    """The last waiting record that says what was given up, and its place."""
    rows = connection.execute(
        "SELECT sequence, sha256, raw FROM records WHERE type = ? AND sequence < ? ORDER BY sequence DESC",
        (Dropped.TYPE, below),
    )
    for sequence, sha256, raw in rows.fetchall():
        said = Dropped.model_validate(json.loads(base64.b64decode(json.loads(raw)["payload"]))["data"])
        if said.reason == "outbox_limit":
            return Range(first=sequence, last=sequence, sha256=sha256), said
    return None


def _choose(connection: sqlite3.Connection, wanted_bytes: int, below: int) -> list[_Waiting]:
    rows = connection.execute(
        "SELECT sequence, sha256, length(raw), rank, made_ms FROM records WHERE rank < ? AND sequence < ?"
        " ORDER BY rank, sequence",
        (NEVER, below),
    )
    chosen: dict[int, _Waiting] = {}
    found_bytes = ranges = 0
    for row in rows:
        waiting = _Waiting(*row)
        ranges += 1 - (waiting.sequence - 1 in chosen) - (waiting.sequence + 1 in chosen)
        if ranges > MOST_RANGES:
            break
        chosen[waiting.sequence] = waiting
        found_bytes += waiting.size_bytes
        if found_bytes >= wanted_bytes:
            break
    rows.close()
    return list(chosen.values())


def _give_up(connection: sqlite3.Connection, reach: Range, at: datetime) -> None:
    """A receipt that was on its way may still speak of these: their hashes are kept like those of confirmed ones."""
    place = (reach.first, reach.last)
    connection.execute(
        "INSERT OR IGNORE INTO settled SELECT sequence, sha256 FROM records WHERE sequence BETWEEN ? AND ?", place
    )
    connection.execute("DELETE FROM records WHERE sequence BETWEEN ? AND ?", place)
    connection.execute(
        "UPDATE uploads SET state = 'refused', settled_ms = ?, trouble = ?"
        " WHERE state = 'waiting' AND announced_by BETWEEN ? AND ?",
        (int(at.timestamp() * 1000), GONE, *place),
    )
