"""Boxes: their keys, what they last said of themselves, and what is missing from their journals."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, ForeignKeyConstraint, and_, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.keys import KeyFinder, VerifyKey
from traceability.records import WIDE, Base, Identified, OfTenant
from traceability.rows import read_rows


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
    pending_records: Mapped[int] = mapped_column(WIDE, default=0)
    pending_uploads: Mapped[int] = mapped_column(WIDE, default=0)
    quarantined_records: Mapped[int] = mapped_column(WIDE, default=0)
    rejected_downlinks: Mapped[int] = mapped_column(WIDE, default=0)
    discarded_records: Mapped[int] = mapped_column(WIDE, default=0, server_default="0")
    duplicates: Mapped[int] = mapped_column(WIDE, default=0)
    trouble: Mapped[str] = mapped_column(default="")


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
    """Whose key it is or was, and what it vouches for: by journal the first and the last record, as in `KeyReach`."""

    device: str
    key: VerifyKey
    is_in_force: bool
    ending: str
    limits: Mapping[str, tuple[int, int | None]]

    def reaches(self, epoch: str, sequence: int) -> bool:
        """Whether the key may have signed this record."""
        if epoch not in self.limits:
            return self.is_in_force
        first, last = self.limits[epoch]
        return first <= sequence and (last is None or sequence <= last)


def find_signers(session: Session, tenant: str, key_ids: Iterable[str]) -> dict[str, Signer]:
    """Of these keys, those that boxes have or had."""
    wanted = sorted(set(key_ids))
    if not wanted:
        return {}
    limits: dict[str, dict[str, tuple[int, int | None]]] = {}
    signers: dict[str, Signer] = {}
    for row in read_rows(session, _KEYS, {"tenant": tenant, "key_ids": wanted}):
        own = limits.setdefault(row.key_id, {})
        if row.epoch is not None:
            own[row.epoch] = (row.first, row.last)
        if row.key_id not in signers:
            key, is_in_force = VerifyKey.from_text(row.verify_key), row.retired_at is None
            signers[row.key_id] = Signer(row.device, key, is_in_force, row.ending, own)
    return signers


_KEYS: Final = (
    select(
        DeviceKey.key_id,
        DeviceKey.device,
        DeviceKey.verify_key,
        DeviceKey.retired_at,
        DeviceKey.ending,
        KeyReach.epoch,
        KeyReach.first,
        KeyReach.last,
    )
    .outerjoin(KeyReach, and_(KeyReach.tenant == DeviceKey.tenant, KeyReach.key_id == DeviceKey.key_id))
    .where(DeviceKey.tenant == bindparam("tenant"), DeviceKey.key_id.in_(bindparam("key_ids", expanding=True)))
)


def find_signer(session: Session, tenant: str, key_id: str) -> Signer | None:
    """The box that has this key now, or None if nobody has."""
    signer = find_signers(session, tenant, [key_id]).get(key_id)
    return signer if signer is not None and signer.is_in_force else None


def finder(session: Session, tenant: str) -> KeyFinder:
    """`find_key` for the functions of `alerts`: keys that boxes have now."""

    def find(key_id: str) -> VerifyKey | None:
        signer = find_signer(session, tenant, key_id)
        return signer.key if signer is not None else None

    return find


def hold_devices(session: Session, tenant: str, names: Iterable[str]) -> dict[str, Device]:
    """Of these boxes, those that were enrolled, by name; no other transaction files for them until this one ends."""
    own = {"tenant": tenant, "names": sorted(set(names))}
    return {device.id: device for device in session.scalars(_HELD, own)}


_HELD: Final = (
    select(Device)
    .where(Device.tenant == bindparam("tenant"), Device.id.in_(bindparam("names", expanding=True)))
    .order_by(Device.id)
    .with_for_update()
)


def keys_of(session: Session, tenant: str, name: str) -> tuple[DeviceKey, ...]:
    """Every key a box ever had, the oldest first."""
    rows = select(DeviceKey).where(DeviceKey.tenant == tenant, DeviceKey.device == name)
    return tuple(session.scalars(rows.order_by(DeviceKey.since, DeviceKey.retired_at.is_(None), DeviceKey.retired_at)))


def list_devices(session: Session, tenant: str) -> tuple[Device, ...]:
    """Every box ever enrolled, by name."""
    return tuple(session.scalars(select(Device).where(Device.tenant == tenant).order_by(Device.id)))


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
