"""Registering a real county from a folder: everything into an empty register, later only what is new."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from center.accounts.people import list_users
from center.boxes.devices import list_devices
from center.county.checking import read_folder
from center.county.files import COUNTY_FILE, GROUND_FILE, SHIPPED, County
from center.county.register import REGISTERS, Plan, register_all, standing_ids
from center.county.seeding import found
from center.errors import CountyInvalid
from traceability.cards import LeafSale


@dataclass(frozen=True, slots=True)
class Registered:
    """How many entries of each part of the file are new, and what somebody should still do."""

    added: dict[str, int]
    still_to_do: tuple[str, ...]


def register_folder(session: Session, *, tenant: str, folder: Path, now: datetime) -> Registered:
    """Register the county of `folder`.

    Into an empty register goes the whole of it, in force since the county's own date, with its policies and its leaf.
    Afterwards entries of new ids are added, in force from `now`; what stands already is never changed by a file.

    Raises:
        CountyInvalid: every mistake in the files.
        LedgerMismatch: the weights contradict each other.
    """
    county, shapes = read_folder(folder, now=now)
    standing = standing_ids(session, tenant)
    new = {
        part: tuple(entry for entry in getattr(county, part) if entry.id not in standing[part]) for part in REGISTERS
    }
    try:
        if any(standing.values()):
            register_all(session, Plan(tenant, county.model_copy(update=new), shapes, now, since=now))
        else:
            found(session, Plan(tenant, county, shapes, now))
    except IntegrityError as error:
        raise CountyInvalid(f"{folder}: the register refuses it: {error.orig}") from None
    added = {part: len(entries) for part, entries in new.items() if entries}
    return Registered(added, (*_left_out(session, tenant, county), *_missing(session, tenant, county)))


def write_example(folder: Path) -> tuple[Path, ...]:
    """The demo county's files, as a start to edit. Raises CountyInvalid rather than writing over a file."""
    paths = tuple(folder / name for name in (COUNTY_FILE, GROUND_FILE))
    for path in paths:
        if path.exists():
            raise CountyInvalid(f"{path} exists already; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        path.write_bytes(SHIPPED.joinpath(path.name).read_bytes())
    return paths


def _left_out(session: Session, tenant: str, county: County) -> list[str]:
    booked = set(session.scalars(select(LeafSale.id).where(LeafSale.tenant == tenant)))
    fresh = [sale.id for sale in county.leaf_sales if sale.id not in booked]
    return [f"leaf is booked with the first registration only; left out: {', '.join(fresh)}"] if fresh else []


def _missing(session: Session, tenant: str, county: County) -> list[str]:
    """Accounts and boxes that the files name and that are not there yet; they may come later."""
    accounts = {user.id for user in list_users(session, tenant)}
    boxes = {device.id for device in list_devices(session, tenant) if device.revoked_at is None}
    officers = sorted({grid.officer for grid in county.grids if grid.officer} - accounts)
    absent = sorted({camera.device for camera in county.cameras} - boxes)
    return [
        *(f"officer {name} has no account yet: teawatch center user add {name} --role officer" for name in officers),
        *(f"box {name} is not enrolled yet: teawatch center enrol {name}" for name in absent),
    ]
