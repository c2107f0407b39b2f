"""Records that will not come: a box said in a signed `dropped` record that it discarded them, or no longer has them.

Nobody waits for them any more, and nobody forgets them: where they were and why stays with the journal.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.messages import Dropped
from alerts.ranges import Run
from center.intake.reading import Entry
from traceability.append_only import guard
from traceability.records import Base, OfTenant


class GoneRow(OfTenant, Base):
    """A range that the box gave up, the hash of its last record where it is known, and the record that says so."""

    __tablename__ = "journal_gone"
    __table_args__ = (ForeignKeyConstraint(("tenant", "device"), ("device.tenant", "device.id")),)

    device: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    told_by: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str | None]
    reason: Mapped[str]
    received_at: Mapped[datetime]


guard(GoneRow.metadata.tables[GoneRow.__tablename__])


def note_gone(session: Session, entry: Entry, dropped: Dropped, at: datetime) -> None:
    """Keep what a record says of others that will not come."""
    event = entry.event
    session.add_all(
        GoneRow(
            tenant=event.tenant,
            device=event.device,
            epoch=event.epoch,
            first=each.first,
            last=each.last,
            told_by=entry.sha256,
            sha256=each.sha256,
            reason=dropped.reason,
            received_at=at,
        )
        for each in dropped.ranges
    )
    session.flush()


def gone_ranges(session: Session, tenant: str, device: str, epoch: str, *, above: int = 0) -> tuple[Run, ...]:
    """What will not come of a journal beyond a sequence number, ascending by their first; they may overlap."""
    columns = select(GoneRow.first, GoneRow.last).distinct().order_by(GoneRow.first)
    of_journal = (GoneRow.tenant == tenant, GoneRow.device == device, GoneRow.epoch == epoch, GoneRow.last > above)
    return tuple(Run(first, last) for first, last in session.execute(columns.where(*of_journal)))
