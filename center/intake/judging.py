"""Whether an authentic record can become rows: its key reaches it, its kind is known, its camera is this box's."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from alerts.catalogue import KINDS
from alerts.keys import VerifyKey
from alerts.messages import Alert, Coverage, Dropped, Evidence, KeyRotation
from center.boxes.bootclocks import find_boot_clocks
from center.boxes.devices import DeviceKey, Signer
from center.intake.conversion import BootClocks, is_credible, is_doubtful, sighting
from center.intake.quarantine import Reason, Refusal
from center.intake.reading import Entry, why_it_ended
from traceability.cameras import camera_at
from traceability.editions import Register, hold_register


class Books(NamedTuple):
    """Where is looked up what a record says: the database, the register as it is now, what is known of boots."""

    session: Session
    register: Register
    boots: BootClocks


def open_books(session: Session, entries: Sequence[Entry], received_at: datetime) -> Books:
    """For all records of a batch, of one tenant."""
    tenant = entries[0].event.tenant
    boots = [
        (entry.event.device, entry.data.clock_state.boot)
        for entry in entries
        if isinstance(entry.data, Alert) and entry.data.clock_state and is_doubtful(entry.data, received_at)
    ]
    return Books(session, hold_register(session, tenant), find_boot_clocks(session, tenant, boots))


def judge(books: Books, entry: Entry, signer: Signer, received_at: datetime) -> Refusal | None:
    """Why this record is put aside although it is authentic, or None if it can be taken in."""
    return _check_reach(entry, signer) or _check_data(books, entry, received_at)


def _check_data(books: Books, entry: Entry, received_at: datetime) -> Refusal | None:
    refusal = entry.problem
    match entry.data:
        case KeyRotation() as rotation:
            refusal = _check_rotation(books.session, entry, rotation)
        case Alert() as alert:
            refusal = _check_alert(books, entry, alert, received_at)
        case Evidence() as evidence:
            refusal = _check_camera(books, entry, evidence.camera, _sealed_at(entry, received_at))
        case Coverage() as coverage:
            until_at = coverage.until_at if is_credible(coverage.until_at, received_at) else received_at
            refusal = _check_camera(books, entry, coverage.camera, until_at)
        case Dropped() as dropped:
            refusal = _check_ranges(entry, dropped)
    return refusal


def _check_alert(books: Books, entry: Entry, alert: Alert, received_at: datetime) -> Refusal | None:
    if alert.kind not in KINDS:
        return Refusal(Reason.UNKNOWN_KIND, f"no kind {alert.kind!r} in the catalogue")
    return _check_camera(books, entry, alert.camera, sighting(entry.event, alert, received_at, books.boots).observed_at)


def _check_reach(entry: Entry, signer: Signer) -> Refusal | None:
    """A key vouches for what was made in its time, whenever that comes; what came after its end is put aside."""
    if signer.reaches(entry.event.epoch, entry.sequence):
        return None
    place = f"record {entry.sequence} of journal {entry.event.epoch}"
    if signer.is_in_force:
        return Refusal(Reason.CONTRADICTION, f"{place} is older than the key that signed it, {entry.key_id}")
    return Refusal(
        why_it_ended(signer), f"{place} lies beyond the end of the key that signed it, {entry.key_id} ({signer.ending})"
    )


def _check_rotation(session: Session, entry: Entry, rotation: KeyRotation) -> Refusal | None:
    """A key has one successor, and nobody else has it."""
    old = session.get_one(DeviceKey, (entry.event.tenant, entry.key_id))
    successor = VerifyKey.from_text(rotation.key).key_id
    if rotation.retires != entry.key_id:
        return Refusal(Reason.CONTRADICTION, f"signed by {entry.key_id}, retires {rotation.retires}")
    if old.retired_at is not None:
        return Refusal(Reason.CONTRADICTION, f"{entry.key_id} was {old.ending} already: has the box been cloned?")
    if session.get(DeviceKey, (entry.event.tenant, successor)) is not None:
        return Refusal(Reason.CONTRADICTION, f"{successor} is or was in use already")
    return None


def _check_ranges(entry: Entry, dropped: Dropped) -> Refusal | None:
    """A box can have given up only what it had recorded before."""
    if any(each.last >= entry.sequence for each in dropped.ranges):
        return Refusal(Reason.CONTRADICTION, f"record {entry.sequence} says that itself or later ones are gone")
    return None


def _sealed_at(entry: Entry, received_at: datetime) -> datetime:
    """When the box wrote the record: evidence may wait on it for days; when it came, if that cannot be right."""
    written_at = entry.event.time
    return written_at if is_credible(written_at, received_at) else received_at


def _check_camera(books: Books, entry: Entry, camera: str, at: datetime) -> Refusal | None:
    """A box speaks for the cameras that the register gives it at that time, and for no other."""
    tenant, device = entry.event.tenant, entry.event.device

    def find() -> str | None:
        registered = camera_at(books.session, tenant=tenant, camera=camera, at=at)
        return registered.device if registered is not None else None

    owner = books.register.recall(at, ("box of", camera), find)
    if owner is None:
        return Refusal(Reason.UNKNOWN_CAMERA, f"camera {camera!r} was not in the register at {at.isoformat()}")
    if owner != device:
        return Refusal(Reason.CAMERA_OF_ANOTHER, f"camera {camera!r} is registered for {owner}")
    return None
