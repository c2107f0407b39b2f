"""Boxes: their keys, what they last said of themselves, and what is missing from their journals."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.keys import VerifyKey
from alerts.messages import Status
from center.errors import UnknownDevice
from center.log.entries import KeyAct, enter_key
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


class DeviceKey(OfTenant, Base):
    """A key a box signs with. A retired one verifies nothing any more."""

    __tablename__ = "device_key"
    __table_args__ = (ForeignKeyConstraint(("tenant", "device"), ("device.tenant", "device.id")),)

    key_id: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(index=True)
    verify_key: Mapped[str]
    since: Mapped[datetime]
    retired_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose key it is."""

    device: str
    key: VerifyKey


def find_signer(session: Session, tenant: str, key_id: str) -> Signer | None:
    """The box that owns this key, or None if nobody does or it was retired or revoked."""
    row = session.get(DeviceKey, (tenant, key_id))
    if row is None or row.retired_at is not None:
        return None
    device = session.get_one(Device, (tenant, row.device))
    if device.revoked_at is not None:
        return None
    return Signer(row.device, VerifyKey.from_text(row.verify_key))


def register(session: Session, *, tenant: str, name: str, key: VerifyKey, enrolment: str, at: datetime) -> Device:
    """Let this box speak with this key; keys it had before are retired."""
    device = session.get(Device, (tenant, name))
    if device is None:
        device = Device(tenant=tenant, id=name, enrolled_at=at, enrolment=enrolment)
        session.add(device)
        session.flush()
    device.enrolled_at, device.enrolment, device.revoked_at = at, enrolment, None
    known = False
    for old in _keys_of(session, tenant, name):
        same = old.key_id == key.key_id
        old.retired_at = None if same else old.retired_at or at
        known = known or same
    if not known:
        session.add(DeviceKey(tenant=tenant, key_id=key.key_id, device=name, verify_key=key.to_text(), since=at))
    session.flush()
    enter_key(session, tenant=tenant, device=name, act=KeyAct.ENROLLED, key_id=key.key_id, at=at)
    return device


def revoke(session: Session, *, tenant: str, name: str, at: datetime) -> None:
    """Let this box speak no more: its password and its keys stop working. Raises UnknownDevice."""
    device = session.get(Device, (tenant, name))
    if device is None:
        raise UnknownDevice(f"no box named {name!r}; `teawatch center devices` shows all")
    device.revoked_at = at
    device.online = False
    for key in _keys_of(session, tenant, name):
        if key.retired_at is None:
            enter_key(session, tenant=tenant, device=name, act=KeyAct.REVOKED, key_id=key.key_id, at=at)
        key.retired_at = key.retired_at or at


def _keys_of(session: Session, tenant: str, name: str) -> tuple[DeviceKey, ...]:
    return tuple(session.scalars(select(DeviceKey).where(DeviceKey.tenant == tenant, DeviceKey.device == name)))


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
