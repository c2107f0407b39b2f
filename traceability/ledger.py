"""Checks on weights: pure functions that say what cannot be true together, and the audit that runs them on the books.

The numbers they check against are data (`policy.LedgerPolicy`): yields differ more than tenfold between products.
A later double-entry account adds checks here; a mismatch found in daily work becomes a lead by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from traceability.cards import LeafSale
from traceability.lots import InputKind, Lot, LotInput, MakingStep, Pack, Product
from traceability.periods import entry_at
from traceability.plots import OrganicState, PlotEntry
from traceability.policy import LedgerPolicy


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One check that failed: on which card or lot, with what numbers."""

    check: str
    subject: str
    params: Mapping[str, int | str]

    def __str__(self) -> str:
        """One line a person can act on."""
        return f"{self.subject}: {self.check} ({', '.join(f'{name} {value}' for name, value in self.params.items())})"


def check_card(card: str, *, leaf_g: int, area_m2: int, cap_g_per_mu: int) -> Iterator[Mismatch]:
    """A card sells no more leaf in a season than its plots can bear: area x cap (3 mu = 2,000 m2)."""
    cap_g = area_m2 * 3 * cap_g_per_mu // 2000
    if leaf_g > cap_g:
        yield Mismatch("more_leaf_than_the_plot_bears", card, {"leaf_g": leaf_g, "cap_g": cap_g})


def check_yield(
    lot: str, *, input_g: int, made_g: int, input_per_made_min_permille: int, input_per_made_max_permille: int
) -> Iterator[Mismatch]:
    """Made tea to fresh leaf lies in the product's band; green tea between 1:3.8 and 1:6."""
    permille = input_g * 1000 // made_g
    if not input_per_made_min_permille <= permille <= input_per_made_max_permille:
        yield Mismatch("implausible_yield", lot, {"input_g": input_g, "made_g": made_g, "permille": permille})


def check_organic(lot: str, *, claimed: str, leaf_states: Sequence[str]) -> Iterator[Mismatch]:
    """A lot is certified organic only when all of its leaf is."""
    others = sorted({state for state in leaf_states if state != OrganicState.CERTIFIED})
    if claimed == OrganicState.CERTIFIED and others:
        yield Mismatch("organic_lot_with_other_leaf", lot, {"leaf": " ".join(others)})


def check_packs(lot: str, *, packed_g: int, made_g: int) -> Iterator[Mismatch]:
    """Packs x net weight, with what went into other lots, are no more than the lot."""
    if packed_g > made_g:
        yield Mismatch("more_packed_than_made", lot, {"packed_g": packed_g, "made_g": made_g})


class Worked(NamedTuple):
    """One making step as the ledger looks at it."""

    in_g: int
    out_g: int
    started_at: datetime
    ended_at: datetime


def check_steps(lot: str, *, input_g: int, made_g: int, steps: Sequence[Worked]) -> Iterator[Mismatch]:
    """The steps of a lot follow each other, each takes in what the last gave, and none makes tea out of nothing."""
    taken = input_g
    for number, step in enumerate(steps, start=1):
        if step.in_g != taken or step.out_g > step.in_g:
            weights: dict[str, int | str] = {"expected_g": taken, "in_g": step.in_g, "out_g": step.out_g}
            yield Mismatch("step_weights_broken", lot, {"step": number, **weights})
        taken = step.out_g
    if steps and taken != made_g:
        yield Mismatch("last_step_is_not_the_lot", lot, {"out_g": taken, "made_g": made_g})
    moments = [moment for step in steps for moment in (step.started_at, step.ended_at)]
    if moments != sorted(moments):
        yield Mismatch("steps_out_of_order", lot, {"steps": len(steps)})


def audit(session: Session, *, tenant: str, at: datetime) -> tuple[Mismatch, ...]:
    """Every check on every card and lot of a tenant, with the policy in force at that instant.

    Without a policy only what needs none is checked.
    """
    policy = entry_at(session, LedgerPolicy, tenant=tenant, entry_id=LedgerPolicy.GREEN_TEA, at=at)
    lots = session.scalars(select(Lot).where(Lot.tenant == tenant).order_by(Lot.id)).all()
    return (
        *(_audit_cards(session, tenant, policy, at) if policy else ()),
        *(mismatch for lot in lots for mismatch in _audit_lot(session, lot, policy)),
    )


def _audit_cards(session: Session, tenant: str, policy: LedgerPolicy, at: datetime) -> Iterator[Mismatch]:
    sold = session.execute(
        select(LeafSale.card_id, LeafSale.plot_id, func.sum(LeafSale.leaf_g))
        .where(LeafSale.tenant == tenant, LeafSale.sold_at >= policy.valid_from)
        .group_by(LeafSale.card_id, LeafSale.plot_id)
        .order_by(LeafSale.card_id, LeafSale.plot_id)
    ).all()
    for card, plot, leaf_g in sold:
        entry = entry_at(session, PlotEntry, tenant=tenant, entry_id=plot, at=at)
        area_m2 = entry.area_m2 if entry else 0
        yield from check_card(card, leaf_g=int(leaf_g), area_m2=area_m2, cap_g_per_mu=policy.leaf_cap_g_per_mu)


def _audit_lot(session: Session, lot: Lot, policy: LedgerPolicy | None) -> Iterator[Mismatch]:
    inputs = session.scalars(select(LotInput).where(LotInput.tenant == lot.tenant, LotInput.lot_id == lot.id)).all()
    sales = [row.input_id for row in inputs if row.input_kind == InputKind.LEAF_SALE]
    parents = [row.input_id for row in inputs if row.input_kind == InputKind.LOT]
    input_g = sum(row.input_g for row in inputs)
    if policy and not parents:
        yield from check_yield(
            lot.id,
            input_g=input_g,
            made_g=lot.made_g,
            input_per_made_min_permille=policy.input_per_made_min_permille,
            input_per_made_max_permille=policy.input_per_made_max_permille,
        )
    states = [
        *session.scalars(select(LeafSale.organic_state).where(LeafSale.tenant == lot.tenant, LeafSale.id.in_(sales))),
        *session.scalars(select(Lot.organic_state).where(Lot.tenant == lot.tenant, Lot.id.in_(parents))),
    ]
    yield from check_organic(lot.id, claimed=lot.organic_state, leaf_states=states)
    steps = session.scalars(
        select(MakingStep)
        .where(MakingStep.tenant == lot.tenant, MakingStep.lot_id == lot.id)
        .order_by(MakingStep.number)
    ).all()
    yield from check_steps(
        lot.id,
        input_g=input_g,
        made_g=lot.made_g,
        steps=[Worked(step.in_g, step.out_g, step.started_at, step.ended_at) for step in steps],
    )
    yield from check_packs(lot.id, packed_g=_packed_g(session, lot), made_g=lot.made_g)


def _packed_g(session: Session, lot: Lot) -> int:
    in_packs = session.scalar(
        select(func.sum(Product.net_g))
        .join(Pack, (Pack.tenant == Product.tenant) & (Pack.gtin == Product.gtin))
        .where(Pack.tenant == lot.tenant, Pack.lot_id == lot.id)
    )
    in_lots = session.scalar(
        select(func.sum(LotInput.input_g)).where(
            LotInput.tenant == lot.tenant, LotInput.input_kind == InputKind.LOT.value, LotInput.input_id == lot.id
        )
    )
    return int(in_packs or 0) + int(in_lots or 0)
