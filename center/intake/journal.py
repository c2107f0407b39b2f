"""The boxes' journals as the centre received them: exact bytes, append-only, and what the chain says of them.

Records come in any order. Each `(device, epoch)` has a row that sums up what is there: up to where it is complete,
what is missing beyond, how often the chain was broken or forked. `volumes` writes them.
"""

from datetime import datetime
from heapq import merge
from itertools import islice

from sqlalchemy import BigInteger, ColumnElement, ForeignKeyConstraint, Index, LargeBinary, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.ranges import Run, joined, missing
from center.intake.gone import GoneRow, gone_ranges
from traceability.append_only import guard
from traceability.records import WIDE, Base, OfTenant

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
    """What is known of one journal: everything up to `cumulative`, which is here, is here or will not come."""

    __tablename__ = "epoch"
    __table_args__ = (ForeignKeyConstraint(("tenant", "device"), ("device.tenant", "device.id")),)

    device: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    cumulative: Mapped[int] = mapped_column(WIDE, default=0)
    highest: Mapped[int] = mapped_column(WIDE, default=0)
    forks: Mapped[int] = mapped_column(WIDE, default=0)
    breaks: Mapped[int] = mapped_column(WIDE, default=0)
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]

    @property
    def is_forked(self) -> bool:
        """Whether records came that do not belong to one chain."""
        return self.forks > 0 or self.breaks > 0


def in_epoch(epoch: EpochRow) -> tuple[ColumnElement[bool], ...]:
    """SQL: a row belongs to this journal."""
    return (JournalRow.tenant == epoch.tenant, JournalRow.device == epoch.device, JournalRow.epoch == epoch.epoch)


def gaps(session: Session, epoch: EpochRow, *, most: int = MAX_GAPS_SHOWN) -> tuple[Run, ...]:
    """What is awaited below the highest sequence seen, the first `most` ranges."""
    beyond = select(JournalRow.sequence).where(*in_epoch(epoch), JournalRow.sequence > epoch.cumulative)
    gone = gone_ranges(session, epoch.tenant, epoch.device, epoch.epoch, above=epoch.cumulative)
    here = (Run(sequence, sequence) for sequence in session.scalars(beyond.distinct().order_by(JournalRow.sequence)))
    return tuple(islice(missing(epoch.cumulative + 1, epoch.highest, merge(here, gone)), most))


def given_up(session: Session, epoch: EpochRow, *, most: int = MAX_GAPS_SHOWN) -> tuple[Run, ...]:
    """What the box says will not come and has not come, the last `most` ranges.

    A record may come while the box is asked for it: by then the box has its receipt and no longer has the record.
    Those of all ranges are read at once.
    """
    told_of = (GoneRow.tenant == epoch.tenant, GoneRow.device == epoch.device, GoneRow.epoch == epoch.epoch)
    within = JournalRow.sequence.between(GoneRow.first, GoneRow.last)
    came = select(JournalRow.sequence).distinct().where(*in_epoch(epoch), *told_of, within)
    here = [Run(sequence, sequence) for sequence in session.scalars(came.order_by(JournalRow.sequence))]
    lacking: list[Run] = []
    for told in reversed(tuple(joined(gone_ranges(session, epoch.tenant, epoch.device, epoch.epoch)))):
        if len(lacking) >= most:
            break
        lacking = [*missing(*told, here), *lacking]
    return tuple(lacking[-most:])


def epochs_of(session: Session, tenant: str, device: str) -> tuple[EpochRow, ...]:
    """Every journal of a box, the newest first."""
    rows = select(EpochRow).where(EpochRow.tenant == tenant, EpochRow.device == device)
    return tuple(session.scalars(rows.order_by(EpochRow.last_seen_at.desc())))
