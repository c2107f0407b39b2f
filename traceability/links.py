"""What a camera's sight concerns: plots, plants, growers, cards and lots, by geometry and dates alone.

The register is read as it stood at the time of the sight. Every link carries its reason as a key with parameters, so
that a page can say it in the reader's language. The camera's name plays no part beyond finding its view.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from traceability.cameras import camera_at
from traceability.cards import CardState, LeafCard, LeafCardEntry, LeafSale, masked
from traceability.lots import InputKind, LotInput, descendants
from traceability.parties import Party
from traceability.placement import covered, in_view
from traceability.plots import Garden, Plot, PlotEntry, PlotTenure
from traceability.policy import link_policy_at
from traceability.sites import Plant, PlantEntry


class Target(StrEnum):
    """What a link can lead to; `grid` is linked by enforcement, which owns grids."""

    PLOT = "plot"
    PLANT = "plant"
    PARTY = "party"
    LEAF_CARD = "leaf_card"
    LOT = "lot"
    GRID = "grid"


class Reason(StrEnum):
    """Why a link holds, with these parameters.

    - view_covers_plot, view_covers_plant, view_covers_grid: share_permille (of the target), area_m2 (in view)
    - tenure: plot, since (ISO date)
    - runs_plant: plant
    - card_active: party, since (ISO date)
    - lot_contains_leaf: plot, picked_on (ISO date), leaf_g
    - lot_contains_lot: lot
    - grid_of_view: level
    """

    VIEW_COVERS_PLOT = "view_covers_plot"
    VIEW_COVERS_PLANT = "view_covers_plant"
    VIEW_COVERS_GRID = "view_covers_grid"
    TENURE = "tenure"
    RUNS_PLANT = "runs_plant"
    CARD_ACTIVE = "card_active"
    LOT_CONTAINS_LEAF = "lot_contains_leaf"
    LOT_CONTAINS_LOT = "lot_contains_lot"
    GRID_OF_VIEW = "grid_of_view"


@dataclass(frozen=True, slots=True)
class Link:
    """One target a sight concerns, under the name it had then, with the reason."""

    target_kind: Target
    target_id: str
    name_zh: str
    name_en: str
    reason_key: Reason
    params: Mapping[str, int | str]


def links_for(session: Session, *, tenant: str, camera: str, at: datetime) -> tuple[Link, ...]:
    """Everything the camera's view concerned at that instant; nothing when it was not registered then.

    Lots need the policy that says how near in time their leaf must have been picked; without one in force, ground,
    parties and cards are linked all the same.
    """
    sight = camera_at(session, tenant=tenant, camera=camera, at=at)
    if sight is None:
        return ()
    policy = link_policy_at(session, tenant=tenant, at=at)
    overlap_min_m2 = policy.overlap_min_m2 if policy else 1
    plots = in_view(session, PlotEntry, tenant=tenant, at=at, view=sight.shape, overlap_min_m2=overlap_min_m2)
    plants = in_view(session, PlantEntry, tenant=tenant, at=at, view=sight.shape, overlap_min_m2=overlap_min_m2)
    plot_ids = [entry.id for entry, _ in plots]
    tenures = _tenures(session, tenant, at, plot_ids)
    return (
        *_plot_links(session, tenant, plots),
        *_plant_links(session, tenant, plants),
        *_tenure_links(session, tenant, tenures),
        *_card_links(session, tenant, at, sorted({tenure.party_id for tenure in tenures})),
        *(_lot_links(session, tenant, plot_ids, policy.picking_window(at)) if policy else ()),
    )


def _plot_links(session: Session, tenant: str, plots: Sequence[tuple[PlotEntry, int]]) -> Iterator[Link]:
    for entry, seen_m2 in plots:
        plot = session.get_one(Plot, (tenant, entry.id))
        garden = session.get_one(Garden, (tenant, plot.garden_id))
        yield Link(
            Target.PLOT,
            entry.id,
            f"{garden.name_zh}·{plot.name_zh}",
            f"{garden.name_en}, {plot.name_en}",
            Reason.VIEW_COVERS_PLOT,
            covered(entry, seen_m2),
        )


def _plant_links(session: Session, tenant: str, plants: Sequence[tuple[PlantEntry, int]]) -> Iterator[Link]:
    for entry, seen_m2 in plants:
        plant = session.get_one(Plant, (tenant, entry.id))
        operator = session.get_one(Party, (tenant, plant.operator_id))
        yield Link(
            Target.PLANT, entry.id, plant.name_zh, plant.name_en, Reason.VIEW_COVERS_PLANT, covered(entry, seen_m2)
        )
        yield _party_link(operator, Reason.RUNS_PLANT, {"plant": entry.id})


def _tenures(session: Session, tenant: str, at: datetime, plot_ids: Sequence[str]) -> Sequence[PlotTenure]:
    return session.scalars(
        select(PlotTenure)
        .where(PlotTenure.tenant == tenant, PlotTenure.id.in_(plot_ids), PlotTenure.standing_at(at))
        .order_by(PlotTenure.id)
    ).all()


def _tenure_links(session: Session, tenant: str, tenures: Sequence[PlotTenure]) -> Iterator[Link]:
    for tenure in tenures:
        party = session.get_one(Party, (tenant, tenure.party_id))
        since = tenure.valid_from.date().isoformat()
        yield _party_link(party, Reason.TENURE, {"plot": tenure.id, "since": since})


def _party_link(party: Party, reason: Reason, params: Mapping[str, int | str]) -> Link:
    return Link(Target.PARTY, party.id, party.pseudonym, party.pseudonym_en, reason, params)


def _card_links(session: Session, tenant: str, at: datetime, party_ids: Sequence[str]) -> Iterator[Link]:
    rows = session.execute(
        select(LeafCard, LeafCardEntry)
        .join(LeafCardEntry, (LeafCardEntry.tenant == LeafCard.tenant) & (LeafCardEntry.id == LeafCard.id))
        .where(
            LeafCard.tenant == tenant,
            LeafCard.party_id.in_(party_ids),
            LeafCardEntry.standing_at(at),
            LeafCardEntry.state == CardState.ACTIVE.value,
        )
        .order_by(LeafCard.id)
    )
    for card, entry in rows:
        name = masked(card.number)
        params = {"party": card.party_id, "since": entry.valid_from.date().isoformat()}
        yield Link(Target.LEAF_CARD, card.id, name, name, Reason.CARD_ACTIVE, params)


def _lot_links(session: Session, tenant: str, plot_ids: Sequence[str], picked: tuple[date, date]) -> Iterator[Link]:
    rows = session.execute(
        select(LotInput.lot_id, LeafSale.plot_id, LeafSale.picked_on, func.sum(LotInput.input_g))
        .join(LeafSale, (LeafSale.tenant == LotInput.tenant) & (LeafSale.id == LotInput.input_id))
        .where(
            LotInput.tenant == tenant,
            LotInput.input_kind == InputKind.LEAF_SALE.value,
            LeafSale.plot_id.in_(plot_ids),
            LeafSale.picked_on.between(*picked),
        )
        .group_by(LotInput.lot_id, LeafSale.plot_id, LeafSale.picked_on)
        .order_by(LotInput.lot_id, LeafSale.plot_id, LeafSale.picked_on)
    ).all()
    for lot, plot, picked_on, leaf_g in rows:
        params: dict[str, int | str] = {"plot": plot, "picked_on": picked_on.isoformat(), "leaf_g": int(leaf_g)}
        yield Link(Target.LOT, lot, lot, lot, Reason.LOT_CONTAINS_LEAF, params)
    direct = {row[0] for row in rows}
    for parent in sorted(direct):
        for lot in sorted(descendants(session, tenant=tenant, lot_ids=[parent]) - direct):
            yield Link(Target.LOT, lot, lot, lot, Reason.LOT_CONTAINS_LOT, {"lot": parent})
