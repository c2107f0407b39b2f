"""The demo county: fictional, plausible, and without a single lead, task, finding or picture."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from center.county.files import read_county, read_ground
from center.county.leaf import book_all
from center.county.register import Plan, register_all
from traceability.errors import LedgerMismatch
from traceability.ledger import audit
from traceability.lots import Pack
from traceability.parties import Party


@dataclass(frozen=True, slots=True)
class PackAddress:
    """One demo pack, for printing its code."""

    gtin: str
    lot: str
    serial: str


@dataclass(frozen=True, slots=True)
class Seeded:
    """What stands after seeding: the first pack of each lot; `created` is false when it stood already."""

    created: bool
    packs: tuple[PackAddress, ...]


def seed(session: Session, *, tenant: str, now: datetime) -> Seeded:
    """Register the demo county, dated relative to `now`; once per tenant, again changes nothing.

    Raises:
        LedgerMismatch: the county's files contradict the ledger's rules.
    """
    registered = session.scalars(select(Party.id).where(Party.tenant == tenant).limit(1)).first()
    if registered is None:
        county = read_county()
        zone = ZoneInfo(county.zone)
        plan = Plan(tenant, county, read_ground(), now.astimezone(zone).date(), zone)
        register_all(session, plan)
        book_all(session, plan)
        require_balance(session, tenant=tenant, at=now)
    return Seeded(registered is None, _first_packs(session, tenant))


def require_balance(session: Session, *, tenant: str, at: datetime) -> None:
    """Stop a county whose weights contradict each other.

    Raises:
        LedgerMismatch: naming every contradiction.
    """
    mismatches = audit(session, tenant=tenant, at=at)
    if mismatches:
        raise LedgerMismatch("; ".join(str(mismatch) for mismatch in mismatches))


def _first_packs(session: Session, tenant: str) -> tuple[PackAddress, ...]:
    packs = session.scalars(
        select(Pack).where(Pack.tenant == tenant).order_by(Pack.gtin, Pack.lot_id, Pack.serial)
    ).all()
    first = {(pack.gtin, pack.lot_id): pack for pack in reversed(packs)}
    return tuple(PackAddress(pack.gtin, pack.lot_id, pack.serial) for pack in reversed(first.values()))
