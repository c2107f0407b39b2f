"""The journals that a batch of records belongs to: asked for at once, continued in memory, written at once.

The chain is checked on both sides of a record as it comes in, so that a gap that fills is verified when it fills.
"""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple

from sqlalchemy import CompoundSelect, Select, and_, bindparam, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from alerts.control_messages import Disposition, Receipt
from alerts.messages import Dropped, Range
from alerts.ranges import next_outside, runs_of
from alerts.receipts import Kept, Ledger, lone_receipt
from alerts.wire import MAX_INTEGER
from center.intake.gone import GoneRow
from center.intake.journal import EpochRow, JournalRow
from center.intake.reading import Entry
from traceability.rows import insert_rows, read_rows

MOST_RUNS = 128
"""So many are asked for at once: SQLite's expressions have a depth."""

Place = tuple[str, str]
"""A device and an epoch."""

_Question = Select[str, str, int, str, str, str] | CompoundSelect[str, str, int, str, str, str]


class _Known(NamedTuple):
    """Of a record in the journal: whom it follows, and what became of it."""

    prevhash: str
    disposition: Disposition


class Volume:
    """The journal of one epoch of one box, as far as a batch needs it.

    At least the places of the batch's records and their neighbours are known, what was put aside, and everything from
    the end of the complete part on.
    """

    def __init__(self, row: EpochRow) -> None:
        self.row = row
        self.cumulative = row.cumulative
        self.highest = row.highest
        self._forks = row.forks
        self._breaks = row.breaks
        self._known: dict[int, dict[str, _Known]] = {}
        self._gone: list[Range] = []
        self._answered: list[Kept] = []

    def know(self, sequence: int, sha256: str, prevhash: str, disposition: str) -> None:
        """Take a row of the database to the notice of this volume."""
        self._known.setdefault(sequence, {})[sha256] = _Known(prevhash, Disposition(disposition))

    def lacks(self, reach: Range) -> None:
        """Take notice of records that will not come."""
        insort(self._gone, reach, key=lambda each: each.first)

    def answer(self, entry: Entry) -> bool:
        """Whether exactly this entry is in the journal; if so, the next receipt answers it."""
        known = self._known.get(entry.sequence, {}).get(entry.sha256)
        if known is not None:
            self._answered.append(Kept(entry.sequence, known.disposition, entry.sha256))
        return known is not None

    def add(self, entry: Entry, disposition: Disposition) -> bool:
        """Continue the journal; whether the record's place was taken already: a fork."""
        sequence = entry.sequence
        rivals = self._known.get(sequence, {})
        before = self._known.get(sequence - 1, {}).keys() or self._hashes_of_gone(sequence - 1)
        followed = {known.prevhash for known in self._known.get(sequence + 1, {}).values()}
        self._breaks += bool(before) and entry.prevhash not in before
        self._breaks += bool(followed) and not rivals and entry.sha256 not in followed
        self._forks += bool(rivals)
        self.know(sequence, entry.sha256, entry.prevhash, disposition.value)
        self._answered.append(Kept(sequence, disposition, entry.sha256))
        if isinstance(entry.data, Dropped) and disposition is Disposition.STORED:
            for each in entry.data.ranges:
                self.lacks(each)
                self._breaks += self._contradictions(each)
        self.highest = max(self.highest, sequence)
        while (following := self._next_awaited()) in self._known:
            self.cumulative = following
        return bool(rivals)

    def close(self, at: datetime) -> None:
        """Write on its row how the journal was continued."""
        row = self.row
        row.cumulative, row.highest, row.forks, row.breaks = self.cumulative, self.highest, self._forks, self._breaks
        row.last_seen_at = at

    def _next_awaited(self) -> int:
        """The sequence number after the complete part and what will not come behind it."""
        return next_outside(self.cumulative + 1, self._gone)

    def _hashes_of_gone(self, sequence: int) -> set[str]:
        """The hash of a record that will not come, if it is the last of its range and the box told it."""
        return {each.sha256 for each in self._gone if each.last == sequence and each.sha256}

    def _contradictions(self, gone: Range) -> int:
        """How many records are not, or do not follow, what the box says it gave up."""
        if gone.sha256 is None:
            return 0
        here = self._known.get(gone.last, {})
        followed = {known.prevhash for known in self._known.get(gone.last + 1, {}).values()}
        return bool(here and gone.sha256 not in here) + bool(followed and gone.sha256 not in followed)

    def receipts(self) -> Iterator[Receipt]:
        """What to tell the box of this batch, once.

        In a journal that was forked nobody can say which records belong to which of the boxes: each is confirmed alone.
        """
        if not self._answered:
            return
        if self._forks or self._breaks:
            yield from map(lone_receipt, self._answered)
        else:
            yield self._ledger().receipt(*self._answered)

    def _ledger(self) -> Ledger:
        complete = self.cumulative
        kept = (
            Kept(sequence, known.disposition, sha256)
            for sequence, twins in self._known.items()
            for sha256, known in twins.items()
            if sequence >= complete or known.disposition is Disposition.QUARANTINED
        )
        return Ledger.of(kept, cumulative=max(0, complete - 1))


def open_volumes(session: Session, tenant: str, entries: Iterable[Entry], at: datetime) -> dict[Place, Volume]:
    """The journals of these entries; those that are new begin."""
    wanted: dict[Place, set[int]] = {}
    for entry in entries:
        around = {entry.sequence - 1, entry.sequence, entry.sequence + 1}
        if isinstance(entry.data, Dropped):
            around |= {place for each in entry.data.ranges for place in (each.last, each.last + 1)}
        wanted.setdefault(place_of(entry), set()).update(around)
    volumes = {place: Volume(row) for place, row in _epochs(session, tenant, tuple(wanted), at).items()}
    for place, sequences in wanted.items():
        sequences.add(volumes[place].cumulative)
    _make_known(session, tenant, volumes, wanted)
    _make_gone_known(session, tenant, volumes)
    return volumes


def write_rows(session: Session, stored: Sequence[tuple[Entry, Disposition, bool]], at: datetime) -> None:
    """Keep entries that are new: with what became of each, and whether it forked its journal."""
    rows: list[Mapping[str, Any]] = [
        {
            "tenant": entry.event.tenant,
            "device": entry.event.device,
            "epoch": entry.event.epoch,
            "sequence": entry.sequence,
            "sha256": entry.sha256,
            "prevhash": entry.prevhash,
            "type": entry.event.type,
            "key_id": entry.key_id,
            "event_time": entry.event.time,
            "received_at": at,
            "disposition": disposition.value,
            "fork": fork,
            "raw": entry.raw,
        }
        for entry, disposition, fork in stored
    ]
    insert_rows(session, JournalRow, rows)


def place_of(entry: Entry) -> Place:
    """The journal an entry belongs to."""
    return entry.event.device, entry.event.epoch


def _epochs(session: Session, tenant: str, places: Sequence[Place], at: datetime) -> dict[Place, EpochRow]:
    own = {"tenant": tenant, "places": places}
    rows = {(row.device, row.epoch): row for row in session.scalars(_EPOCHS, own)} if places else {}
    for device, epoch in places:
        if (device, epoch) not in rows:
            rows[device, epoch] = EpochRow(
                tenant=tenant,
                device=device,
                epoch=epoch,
                cumulative=0,
                highest=0,
                forks=0,
                breaks=0,
                first_seen_at=at,
                last_seen_at=at,
            )
            session.add(rows[device, epoch])
    return rows


_EPOCHS: Final = select(EpochRow).where(
    EpochRow.tenant == bindparam("tenant"),
    tuple_(EpochRow.device, EpochRow.epoch).in_(bindparam("places", expanding=True)),
)


def _make_known(
    session: Session, tenant: str, volumes: Mapping[Place, Volume], wanted: Mapping[Place, Iterable[int]]
) -> None:
    """What of these journals is there: at these places, put aside, and, where something is missing, all beyond.

    Places are asked for run by run: given a list of a thousand places, PostgreSQL would read a journal for each.
    """
    if not volumes:
        return
    runs = [(*place, *run) for place, sequences in wanted.items() for run in runs_of(sorted(sequences))]
    runs += [
        (*place, volume.cumulative, MAX_INTEGER)
        for place, volume in volumes.items()
        if volume.highest > volume.cumulative
    ]
    own = {"tenant": tenant, "places": tuple(volumes)}
    found = []
    for start in range(0, len(runs), MOST_RUNS):
        statement, values = _in_runs(runs[start : start + MOST_RUNS], also_put_aside=start == 0)
        found.append(read_rows(session, statement, own | values))
    for device, epoch, sequence, sha256, prevhash, disposition in chain(*found):
        volumes[device, epoch].know(sequence, sha256, prevhash, disposition)


_ROWS: Final = select(
    JournalRow.device,
    JournalRow.epoch,
    JournalRow.sequence,
    JournalRow.sha256,
    JournalRow.prevhash,
    JournalRow.disposition,
).where(JournalRow.tenant == bindparam("tenant"))
_PUT_ASIDE: Final = _ROWS.where(
    tuple_(JournalRow.device, JournalRow.epoch).in_(bindparam("places", expanding=True)),
    JournalRow.disposition == Disposition.QUARANTINED.value,
)


def _in_runs(runs: Sequence[tuple[str, str, int, int]], *, also_put_aside: bool) -> tuple[_Question, dict[str, object]]:
    """The rows in these runs of a device's epoch; the last stands for those that fill up to a power of two."""
    count = 1 << (len(runs) - 1).bit_length()
    filled = [*runs, *[runs[-1]] * (count - len(runs))]
    names = ("device", "epoch", "first", "last")
    values = {f"{name}{n}": value for n, run in enumerate(filled) for name, value in zip(names, run, strict=True)}
    return _in_so_many_runs(count, also_put_aside), values


@cache
def _in_so_many_runs(count: int, also_put_aside: bool) -> _Question:  # noqa: FBT001 - `cache` takes positions
    in_runs = _ROWS.where(
        or_(
            *(
                and_(
                    JournalRow.device == bindparam(f"device{n}"),
                    JournalRow.epoch == bindparam(f"epoch{n}"),
                    JournalRow.sequence.between(bindparam(f"first{n}"), bindparam(f"last{n}")),
                )
                for n in range(count)
            )
        )
    )
    return union_all(_PUT_ASIDE, in_runs) if also_put_aside else in_runs


def _make_gone_known(session: Session, tenant: str, volumes: Mapping[Place, Volume]) -> None:
    """What boxes said will not come, from the end of the complete part on."""
    if not volumes:
        return
    for device, epoch, first, last, sha256 in read_rows(session, _GONE, {"tenant": tenant, "places": tuple(volumes)}):
        volumes[device, epoch].lacks(Range(first=first, last=last, sha256=sha256))


_GONE: Final = (
    select(GoneRow.device, GoneRow.epoch, GoneRow.first, GoneRow.last, GoneRow.sha256)
    .join(
        EpochRow,
        and_(EpochRow.tenant == GoneRow.tenant, EpochRow.device == GoneRow.device, EpochRow.epoch == GoneRow.epoch),
    )
    .where(
        GoneRow.tenant == bindparam("tenant"),
        tuple_(GoneRow.device, GoneRow.epoch).in_(bindparam("places", expanding=True)),
        GoneRow.last >= EpochRow.cumulative,
    )
)
