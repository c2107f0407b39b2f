"""Boxes: their keys, what they last said of themselves, and what is missing from their journals."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKeyConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.keys import VerifyKey
from alerts.messages import Status
from traceability.records import Base, Identified, OfTenant


class Device(Identified, Base):
    """A box that may speak to this centre. Its id is its name on the wire."""

    __tablename__ = "device"

    enrolled_at: Mapped[datetime]
    enrolment: Mapped[str]  # changes with each enrolment, and with it the box's MQTT password
    revoked_at: Mapped[datetime | None]
    receipt_counter: Mapped[int] = mapped_column(BigInteger, default=0)
    last_seen_at: Mapped[datetime | None]
    online: Mapped[bool] = mapped_column(default=False)
    epoch: Mapped[str] = mapped_column(default="")
    pending_records: Mapped[int] = mapped_column(default=0)
    pending_uploads: Mapped[int] = mapped_column(default=0)
    quarantined_records: Mapped[int] = mapped_column(default=0)
    rejected_downlinks: Mapped[int] = mapped_column(default=0)
    duplicates: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(default="")
    status_sha256: Mapped[str] = mapped_column(default="")


class Ending(StrEnum):
    """Why a key is no longer in force."""

    ROTATED = "rotated"
    REPLACED = "replaced"
    REVOKED = "revoked"


class DeviceKey(OfTenant, Base):
    """A key a box signs with. One that is no longer in force still verifies what it signed within its reaches."""

    __tablename__ = "device_key"
    __table_args__ = (ForeignKeyConstraint(("tenant", "device"), ("device.tenant", "device.id")),)

    key_id: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(index=True)
    verify_key: Mapped[str]
    since: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    ending: Mapped[str] = mapped_column(default="")
    rotation_asked_at: Mapped[datetime | None]


class KeyReach(OfTenant, Base):
    """The records of one journal that a key may have signed: from `first` to `last`, both included.

    A key in force reaches any journal that has no row here, and beyond a row without `last`; one that has ended
    reaches no further than its rows.
    """

    __tablename__ = "key_reach"
    __table_args__ = (ForeignKeyConstraint(("tenant", "key_id"), ("device_key.tenant", "device_key.key_id")),)

    key_id: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(BigInteger, default=1)
    last: Mapped[int | None] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose key it is."""

    device: str
    key: VerifyKey


def find_signer(session: Session, tenant: str, key_id: str) -> Signer | None:
    """The box that has this key now, or None if nobody has."""
    row = session.get(DeviceKey, (tenant, key_id))
    if row is None or row.retired_at is not None:
        return None
    return Signer(row.device, VerifyKey.from_text(row.verify_key))


def find_owner(session: Session, tenant: str, key_id: str) -> Signer | None:
    """The box that has or had this key: whether a record is within the key's reach is for `reaches` to say."""
    row = session.get(DeviceKey, (tenant, key_id))
    return None if row is None else Signer(row.device, VerifyKey.from_text(row.verify_key))


def reaches(session: Session, key: DeviceKey, epoch: str, sequence: int) -> bool:
    """Whether the key may have signed this record."""
    reach = session.get(KeyReach, (key.tenant, key.key_id, epoch))
    if reach is None:
        return key.retired_at is None
    return reach.first <= sequence and (reach.last is None or sequence <= reach.last)


def keys_of(session: Session, tenant: str, name: str) -> tuple[DeviceKey, ...]:
    """Every key a box ever had, the oldest first."""
    rows = select(DeviceKey).where(DeviceKey.tenant == tenant, DeviceKey.device == name)
    return tuple(session.scalars(rows.order_by(DeviceKey.since, DeviceKey.retired_at.is_(None), DeviceKey.retired_at)))


def list_devices(session: Session, tenant: str) -> tuple[Device, ...]:
    """Every box ever enrolled, by name."""
    return tuple(session.scalars(select(Device).where(Device.tenant == tenant).order_by(Device.id)))


def note_status(device: Device, status: Status, sha256: str, at: datetime) -> bool:
    """Keep what a box says of itself; its last will says `online: false` for it. Whether it was news.

    A broker repeats a retained status to whoever subscribes, so the same bytes again are no sign of life.
    """
    if device.status_sha256 == sha256:
        return False
    device.status_sha256 = sha256
    device.last_seen_at = at
    device.online = status.online
    device.epoch = status.epoch
    device.pending_records = status.pending_records
    device.pending_uploads = status.pending_uploads
    device.quarantined_records = status.quarantined_records
    device.rejected_downlinks = status.rejected_downlinks
    device.trouble = status.trouble
    return True


def forget_presence(session: Session, tenant: str) -> None:
    """Take every box for off line until it says otherwise: the broker that would have told has restarted."""
    session.execute(update(Device).where(Device.tenant == tenant).values(online=False, status_sha256=""))


def mqtt_password(secret: bytes, device: str, enrolment: str) -> str:
    """The box's MQTT password, derived so that no database holds it: HMAC-SHA256 of name and enrolment."""
    mac = hmac.new(secret, f"{device}\n{enrolment}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def mqtt_passwords(session: Session, tenant: str, secret: bytes) -> dict[str, str]:
    """User name and password of every box that may connect."""
    return {
        device.id: mqtt_password(secret, device.id, device.enrolment)
        for device in list_devices(session, tenant)
        if device.revoked_at is None
    }
