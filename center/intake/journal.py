"""The boxes' journals as the centre received them: exact bytes, append-only, and what the chain says of them.

Records come in any order. Each `(device, epoch)` has a row that sums up what is there: up to where it is complete,
what is missing beyond, how often the chain was broken or forked. The chain is checked on both sides of a record as it
comes in, so that a gap that fills is verified when it fills.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, ForeignKeyConstraint, Index, LargeBinary, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.messages import Disposition, Receipt
from alerts.receipts import Kept, Ledger, lone_receipt
from center.intake.reading import Entry
from traceability.append_only import guard
from traceability.records import Base, OfTenant

MAX_GAPS_SHOWN = 20


class JournalRow(OfTenant, Base):
    """One record: the signed bytes and where they stand in their journal. Never changed, never deleted."""

    __tablename__ = "journal"
    __table_args__ = (
        ForeignKeyConstraint(("tenant", "device"), ("device.tenant", "device.id")),
        Index(
            "ix_journal_quarantined",
            "tenant",
            "device",
            "epoch",
            "sequence",
            sqlite_where=text("disposition = 'quarantined'"),
            postgresql_where=text("disposition = 'quarantined'"),
        ),
    )

    device: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    prevhash: Mapped[str]
    type: Mapped[str]
    key_id: Mapped[str]
    event_time: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(index=True)
    disposition: Mapped[str]
    fork: Mapped[bool]
    raw: Mapped[bytes] = mapped_column(LargeBinary)


guard(JournalRow.metadata.tables[JournalRow.__tablename__])


class EpochRow(OfTenant, Base):
    """What is known of one journal: everything up to `cumulative` is here."""

    __tablename__ = "epoch"
    __table_args__ = (ForeignKeyConstraint(("tenant", "device"), ("device.tenant", "device.id")),)

    device: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    cumulative: Mapped[int] = mapped_column(default=0)
    highest: Mapped[int] = mapped_column(default=0)
    forks: Mapped[int] = mapped_column(default=0)
    breaks: Mapped[int] = mapped_column(default=0)
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]

    @property
    def is_forked(self) -> bool:
        """Whether records came that do not belong to one chain."""
        return self.forks > 0 or self.breaks > 0


@dataclass(frozen=True, slots=True)
class Gap:
    """An inclusive range of sequence numbers that has not come yet."""

    first: int
    last: int


def find_row(session: Session, entry: Entry) -> JournalRow | None:
    """The row of exactly this entry, if it came before."""
    event = entry.event
    return session.get(JournalRow, (event.tenant, event.device, event.epoch, entry.sequence, entry.sha256))


def store_row(session: Session, entry: Entry, disposition: Disposition, at: datetime) -> JournalRow:
    """Keep a record that is new, and bring its journal's summary up to date."""
    event = entry.event
    epoch = _epoch_of(session, entry, at)
    rivals = _hashes_at(session, epoch, entry.sequence)
    row = JournalRow(
        tenant=event.tenant,
        device=event.device,
        epoch=event.epoch,
        sequence=entry.sequence,
        sha256=entry.sha256,
        prevhash=entry.prevhash,
        type=event.type,
        key_id=entry.key_id,
        event_time=event.time,
        received_at=at,
        disposition=disposition.value,
        fork=bool(rivals),
        raw=entry.raw,
    )
    session.add(row)
    session.flush()
    epoch.forks += bool(rivals)
    epoch.breaks += _breaks_around(session, epoch, row)
    epoch.highest = max(epoch.highest, entry.sequence)
    epoch.cumulative = _complete_up_to(session, epoch)
    epoch.last_seen_at = at
    return row


def _epoch_of(session: Session, entry: Entry, at: datetime) -> EpochRow:
    event = entry.event
    epoch = session.get(EpochRow, (event.tenant, event.device, event.epoch))
    if epoch is None:
        epoch = EpochRow(
            tenant=event.tenant,
            device=event.device,
            epoch=event.epoch,
            cumulative=0,
            highest=0,
            forks=0,
            breaks=0,
            first_seen_at=at,
            last_seen_at=at,
        )
        session.add(epoch)
        session.flush()
    return epoch


def _hashes_at(session: Session, epoch: EpochRow, sequence: int) -> set[str]:
    rows = select(JournalRow.sha256).where(*_in_epoch(epoch), JournalRow.sequence == sequence)
    return set(session.scalars(rows))


def _breaks_around(session: Session, epoch: EpochRow, row: JournalRow) -> int:
    """How many of the links to both neighbours, where these are here, do not hold."""
    broken = 0
    before = _hashes_at(session, epoch, row.sequence - 1)
    if before and row.prevhash not in before:
        broken += 1
    after = select(JournalRow.prevhash).where(*_in_epoch(epoch), JournalRow.sequence == row.sequence + 1)
    followers = set(session.scalars(after))
    if not row.fork and followers and row.sha256 not in followers:
        broken += 1
    return broken


def _complete_up_to(session: Session, epoch: EpochRow) -> int:
    """The sequence number up to which nothing is missing."""
    reached = epoch.cumulative
    beyond = select(JournalRow.sequence).where(*_in_epoch(epoch), JournalRow.sequence > reached)
    for sequence in session.scalars(beyond.distinct().order_by(JournalRow.sequence)):
        if sequence != reached + 1:
            break
        reached = sequence
    return reached


def _in_epoch(epoch: EpochRow) -> tuple[ColumnElement[bool], ...]:
    return (JournalRow.tenant == epoch.tenant, JournalRow.device == epoch.device, JournalRow.epoch == epoch.epoch)


def gaps(session: Session, epoch: EpochRow) -> tuple[Gap, ...]:
    """What is missing below the highest sequence seen, the first `MAX_GAPS_SHOWN` ranges."""
    beyond = select(JournalRow.sequence).where(*_in_epoch(epoch), JournalRow.sequence > epoch.cumulative)
    found: list[Gap] = []
    expected = epoch.cumulative + 1
    for sequence in session.scalars(beyond.distinct().order_by(JournalRow.sequence)):
        if sequence > expected:
            found.append(Gap(expected, sequence - 1))
        if len(found) == MAX_GAPS_SHOWN:
            break
        expected = sequence + 1
    return tuple(found)


def epochs_of(session: Session, tenant: str, device: str) -> tuple[EpochRow, ...]:
    """Every journal of a box, the newest first."""
    rows = select(EpochRow).where(EpochRow.tenant == tenant, EpochRow.device == device)
    return tuple(session.scalars(rows.order_by(EpochRow.last_seen_at.desc())))


def receipt_for(session: Session, entry: Entry) -> Receipt:
    """What to tell the box that sent this entry, which is in the journal.

    In a journal that was forked nobody can say which records belong to which of the boxes: each is confirmed alone.
    """
    event = entry.event
    epoch = session.get_one(EpochRow, (event.tenant, event.device, event.epoch))
    row = session.get_one(JournalRow, (event.tenant, event.device, event.epoch, entry.sequence, entry.sha256))
    kept = Kept(row.sequence, Disposition(row.disposition), row.sha256)
    return lone_receipt(kept) if epoch.is_forked else _ledger(session, epoch).receipt(kept)


def _ledger(session: Session, epoch: EpochRow) -> Ledger:
    is_aside = JournalRow.disposition == Disposition.QUARANTINED.value
    is_told = or_(JournalRow.sequence >= epoch.cumulative, is_aside)
    columns = select(JournalRow.sequence, JournalRow.disposition, JournalRow.sha256)
    told = session.execute(columns.where(*_in_epoch(epoch), is_told))
    kept = (Kept(sequence, Disposition(disposition), sha256) for sequence, disposition, sha256 in told)
    return Ledger.of(kept, cumulative=max(0, epoch.cumulative - 1))
