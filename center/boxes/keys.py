"""A box's keys over time: registered, rotated, replaced, revoked, and which records each of them vouches for.

What a key signed in its time stays true, in whatever order it arrives; so nothing here deletes a key. Its end is
written down journal by journal, as the last sequence number it reaches.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.control_messages import RotateKey
from alerts.downlinks import write_downlink
from alerts.keys import SigningKey, VerifyKey
from alerts.messages import KeyRotation
from alerts.receipts import next_counter
from alerts.topics import Channel, Topic
from center.boxes.certificates import take_back
from center.boxes.devices import Device, DeviceKey, Ending, KeyReach, keys_of
from center.boxes.distrust import distrust_leads
from center.errors import KeySpent, UnknownDevice, UnknownJournal
from center.intake.journal import JournalRow, epochs_of
from center.intake.reading import Entry
from center.log.entries import KeyAct, enter_key

COMMAND_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """The records of one journal that a key vouches for; `last` is None where it has no end yet."""

    epoch: str
    first: int
    last: int | None


@dataclass(frozen=True, slots=True)
class KeyValidity:
    """One key of a box: since when, until when and why, and what it vouches for.

    In journals that `reaches` does not name it vouches for everything while it is in force, and for nothing once it
    has ended.
    """

    device: str
    key: VerifyKey
    since: datetime
    ended_at: datetime | None
    ending: str
    rotation_asked_at: datetime | None
    reaches: tuple[Reach, ...]


def list_keys(session: Session, tenant: str, device: str) -> tuple[KeyValidity, ...]:
    """Every key the box ever had, the oldest first."""
    return tuple(
        KeyValidity(
            device=row.device,
            key=VerifyKey.from_text(row.verify_key),
            since=row.since,
            ended_at=row.retired_at,
            ending=row.ending,
            rotation_asked_at=row.rotation_asked_at,
            reaches=tuple(Reach(each.epoch, each.first, each.last) for each in _reaches_of(session, row)),
        )
        for row in keys_of(session, tenant, device)
    )


def register(session: Session, *, tenant: str, name: str, key: VerifyKey, enrolment: str, at: datetime) -> Device:
    """Let this box speak with this key; a key it had before ends with what came of it so far. Raises KeySpent."""
    device = session.get(Device, (tenant, name))
    if device is None:
        device = Device(tenant=tenant, id=name, enrolled_at=at, enrolment=enrolment)
        session.add(device)
        session.flush()
    device.enrolled_at, device.enrolment, device.revoked_at = at, enrolment, None
    known = False
    for old in keys_of(session, tenant, name):
        if old.key_id == key.key_id:
            known = True
            _take_back(session, old)
        elif old.retired_at is None:
            take_back(session, tenant=tenant, device=name, at=at)
            _end(session, old, Ending.REPLACED, at)
            enter_key(session, old, KeyAct.REPLACED, at)
    if not known:
        session.add(DeviceKey(tenant=tenant, key_id=key.key_id, device=name, verify_key=key.to_text(), since=at))
    session.flush()
    enter_key(session, session.get_one(DeviceKey, (tenant, key.key_id)), KeyAct.ENROLLED, at)
    return device


def follow_rotation(session: Session, entry: Entry, rotation: KeyRotation, at: datetime) -> None:
    """The old key ends with this record, the new one begins after it; `judging` has found nothing against it."""
    event = entry.event
    old = session.get_one(DeviceKey, (event.tenant, entry.key_id))
    _end(session, old, Ending.ROTATED, at, {event.epoch: entry.sequence})
    enter_key(session, old, KeyAct.RETIRED, at)
    key_id = VerifyKey.from_text(rotation.key).key_id
    new = DeviceKey(tenant=event.tenant, key_id=key_id, device=event.device, verify_key=rotation.key, since=at)
    session.add(new)
    session.flush()
    session.add(KeyReach(tenant=event.tenant, key_id=key_id, epoch=event.epoch, first=entry.sequence + 1))
    enter_key(session, new, KeyAct.ROTATED, at)
    distrust_leads(session, tenant=event.tenant, device=event.device, key_id=old.key_id, at=at)


def revoke(
    session: Session, *, tenant: str, name: str, at: datetime, epoch: str | None = None, last: int | None = None
) -> None:
    """Let this box speak no more: its password, certificate and key stop working.

    `last` is the last record of the journal `epoch` (by default the newest) that can be trusted; of every other
    journal, and without `last` of every journal, that is the last that came.
    Raises UnknownDevice, UnknownJournal.
    """
    device = session.get(Device, (tenant, name))
    if device is None:
        raise UnknownDevice(f"no box named {name!r}; `teawatch center devices` shows all")
    device.revoked_at, device.online = at, False
    take_back(session, tenant=tenant, device=name, at=at)
    limits = {} if last is None else {_journal(session, tenant, name, epoch): last}
    for key in keys_of(session, tenant, name):
        was_in_force = key.retired_at is None
        if was_in_force:
            _end(session, key, Ending.REVOKED, at, limits)
        is_curtailed = _curtail(session, key, limits)
        if is_curtailed:
            key.ending = Ending.REVOKED.value
        if is_curtailed or was_in_force:
            enter_key(session, key, KeyAct.REVOKED if was_in_force else KeyAct.CURTAILED, at)


def _curtail(session: Session, key: DeviceKey, limits: Mapping[str, int]) -> bool:
    """Let the key reach no further than this in these journals; whether it did."""
    beyond = [reach for reach in _reaches_of(session, key) if reach.epoch in limits]
    beyond = [reach for reach in beyond if reach.last is None or reach.last > limits[reach.epoch]]
    for reach in beyond:
        reach.last = limits[reach.epoch]
    session.flush()
    return bool(beyond)


def enter_keys_that_were(session: Session, *, at: datetime) -> None:
    """A leaf for every key as it stands: leaves of earlier versions did not tell all of one."""
    for key in session.scalars(select(DeviceKey).order_by(DeviceKey.tenant, DeviceKey.device, DeviceKey.since)).all():
        enter_key(session, key, KeyAct.FOUND, at)


def ask_rotation(session: Session, *, tenant: str, name: str, at: datetime) -> DeviceKey:
    """Note that this box is to make itself a new key; the running centre asks it. Raises UnknownDevice."""
    device = session.get(Device, (tenant, name))
    if device is None or device.revoked_at is not None:
        raise UnknownDevice(f"no box named {name!r} is enrolled; `teawatch center devices` shows all")
    (key,) = (key for key in keys_of(session, tenant, name) if key.retired_at is None)
    key.rotation_asked_at = at
    return key


def rotations_asked(session: Session, tenant: str) -> tuple[tuple[Device, DeviceKey], ...]:
    """Boxes on line that are to make a new key, with the key it takes the place of; held until the transaction ends."""
    rows = select(Device, DeviceKey).where(
        DeviceKey.tenant == tenant,
        DeviceKey.rotation_asked_at.is_not(None),
        Device.tenant == DeviceKey.tenant,
        Device.id == DeviceKey.device,
        Device.online,
    )
    return tuple((device, key) for device, key in session.execute(rows.with_for_update(of=Device)))


def rotation_commands(session: Session, tenant: str, key: SigningKey, at: datetime) -> tuple[tuple[Topic, bytes], ...]:
    """The signed command for each of them, to be sent once the counters are committed."""
    commands = []
    for device, old in rotations_asked(session, tenant):
        device.receipt_counter = next_counter(device.receipt_counter, at)
        raw = write_downlink(
            RotateKey(retires=old.key_id),
            key=key,
            tenant=tenant,
            device=device.id,
            epoch=device.epoch,
            counter=device.receipt_counter,
            at=at,
            lifetime=COMMAND_LIFETIME,
        )
        commands.append((Topic(tenant, device.id, Channel.COMMANDS), raw))
    return tuple(commands)


def _journal(session: Session, tenant: str, name: str, epoch: str | None) -> str:
    journals = [row.epoch for row in epochs_of(session, tenant, name)]
    if epoch is None and journals:
        return journals[0]
    if epoch is None or epoch not in journals:
        raise UnknownJournal(f"{name} has no journal {epoch or 'yet'}; it has: {', '.join(journals) or 'none'}")
    return epoch


def _end(
    session: Session, key: DeviceKey, ending: Ending, at: datetime, limits: Mapping[str, int] | None = None
) -> None:
    """End a key: `limits` names the last record it reaches in a journal, elsewhere it is the last that came."""
    key.retired_at, key.ending, key.rotation_asked_at = at, ending.value, None
    for epoch, last in (_came_of(session, key) | dict(limits or {})).items():
        reach = session.get(KeyReach, (key.tenant, key.key_id, epoch))
        if reach is None:
            reach = KeyReach(tenant=key.tenant, key_id=key.key_id, epoch=epoch, first=1)
            session.add(reach)
        reach.last = last
    session.flush()


def _take_back(session: Session, key: DeviceKey) -> None:
    """The box was enrolled again with the key it has. Raises KeySpent."""
    if key.ending in (Ending.REVOKED, Ending.ROTATED):
        raise KeySpent(f"the key of this box was {key.ending}: empty its state folder, then enrol it again")
    if key.retired_at is None:
        return
    key.retired_at, key.ending = None, ""
    for reach in _reaches_of(session, key):
        reach.last = None


def _came_of(session: Session, key: DeviceKey) -> dict[str, int]:
    """The highest sequence number in each journal that came with this key's signature."""
    rows = select(JournalRow.epoch, func.max(JournalRow.sequence)).where(
        JournalRow.tenant == key.tenant, JournalRow.device == key.device, JournalRow.key_id == key.key_id
    )
    return {epoch: highest for epoch, highest in session.execute(rows.group_by(JournalRow.epoch))}  # noqa: C416 - rows, not pairs


def _reaches_of(session: Session, key: DeviceKey) -> tuple[KeyReach, ...]:
    rows = select(KeyReach).where(KeyReach.tenant == key.tenant, KeyReach.key_id == key.key_id)
    return tuple(session.scalars(rows.order_by(KeyReach.epoch)))
