"""The demo county: fictional, plausible, and without a single lead, task, finding or picture."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from center.county.files import read_county, read_ground
from center.county.leaf import book_all
from center.county.register import Plan, register_all, set_policies, standing_ids
from traceability.errors import LedgerMismatch
from traceability.ledger import audit
from traceability.lots import Pack

DEMO_TENANT = "demo-county"
"""The demo county's name on the wire."""


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
    empty = not any(standing_ids(session, tenant).values())
    if empty:
        found(session, Plan(tenant, read_county(), read_ground(), now, is_demo=True))
    return Seeded(empty, _first_packs(session, tenant))


def found(session: Session, plan: Plan) -> None:
    """Register a whole county into an empty register, with its policies and its leaf.

    Raises:
        LedgerMismatch: the county's files contradict the ledger's rules.
    """
    register_all(session, plan)
    set_policies(session, plan)
    book_all(session, plan)
    require_balance(session, tenant=plan.tenant, at=plan.now)


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
