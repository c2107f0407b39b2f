"""Whether a box is on line, and what it last said of itself: from statuses in their order, and from no old one.

A status tells its connection and its number in it (`alerts.control_messages.Status`), both signed. Whatever comes twice
or out of order, be it that a broker repeats what it retained or that somebody recorded it, says nothing new.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, String, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.control_messages import Status
from center.boxes.devices import Device
from traceability.records import Base, OfTenant


class StatusMark(OfTenant, Base):
    """The newest status that came from one outbox of a box.

    `has_ended` once the box said goodbye or its last will came: nothing of this connection counts any more.
    `may_repeat` while the newest status counts once more: see `forget_presence`.
    """

    __tablename__ = "status_mark"
    __table_args__ = (ForeignKeyConstraint(("tenant", "device"), ("device.tenant", "device.id")),)

    device: Mapped[str] = mapped_column(String(64), primary_key=True)
    epoch: Mapped[str] = mapped_column(String(64), primary_key=True)
    connection: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(BigInteger)
    has_ended: Mapped[bool]
    may_repeat: Mapped[bool]


def note_status(session: Session, device: Device, status: Status, at: datetime) -> bool:
    """Keep what a box says of itself; its last will says `online: false` for it. Whether it was news."""
    if not _is_news(session, device, status):
        return False
    device.last_seen_at = at
    device.online = status.online
    device.epoch = status.epoch
    device.pending_records = status.pending_records
    device.pending_uploads = status.pending_uploads
    device.quarantined_records = status.quarantined_records
    device.rejected_downlinks = status.rejected_downlinks
    device.discarded_records = status.discarded_records
    device.trouble = status.trouble
    return True


def _is_news(session: Session, device: Device, status: Status) -> bool:
    """Whether it is newer than all that came from this outbox; then it is the newest. Others' are not compared."""
    mark = session.get(StatusMark, (device.tenant, device.id, status.epoch))
    if mark is None:
        mark = StatusMark(tenant=device.tenant, device=device.id, epoch=status.epoch, connection=0, number=0)
        mark.has_ended = mark.may_repeat = False
        session.add(mark)
    place, newest = (status.connection, status.number), (mark.connection, mark.number)
    is_last_will = not status.online and status.connection == mark.connection and not mark.has_ended
    if place <= newest and not is_last_will and not (place == newest and mark.may_repeat):
        return False
    mark.connection, mark.number = max(place, newest)
    mark.has_ended, mark.may_repeat = not status.online, False
    return True


def forget_presence(session: Session, tenant: str) -> None:
    """Take every box for off line until it says otherwise: nobody listened, or the broker that would tell restarted.

    What it said last counts once more, for a broker that stayed repeats that, and the box has no reason to.
    """
    session.execute(update(Device).where(Device.tenant == tenant).values(online=False))
    open_ones = (StatusMark.tenant == tenant, StatusMark.has_ended.is_(False))
    session.execute(update(StatusMark).where(*open_ones).values(may_repeat=True))
