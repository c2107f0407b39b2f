"""The story of one pack for the shopper who scans it: from the plot to the packet, as plain frozen values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from traceability.cards import LeafCard, LeafSale, masked
from traceability.lots import LabItem, LabTest, Lot, MakingStep, Pack, Product, ancestry, sales_into
from traceability.parties import Party
from traceability.periods import entry_at
from traceability.plots import Garden, Plot, PlotEntry
from traceability.sites import Plant


@dataclass(frozen=True, slots=True)
class TracedLeaf:
    """Fresh leaf that went into the pack: where it grew, who picked it, the sale on the LeafCard 茶青卡."""

    garden_zh: str
    garden_en: str
    plot_id: str
    plot_zh: str
    plot_en: str
    area_m2: int
    cultivar: str
    cultivar_en: str
    organic_state: str
    certificate: str | None
    grower: str
    grower_en: str
    picked_on: date
    sold_at: datetime
    card_masked: str
    leaf_g: int
    grade_zh: str
    grade_en: str
    market_zh: str
    market_en: str
    conformity_certificate: str | None


@dataclass(frozen=True, slots=True)
class TracedStep:
    """One making step; `kind` is a `lots.StepKind`, settings are integers with their unit in the name."""

    lot_id: str
    kind: str
    machine_zh: str
    machine_en: str
    started_at: datetime
    ended_at: datetime
    settings: Mapping[str, int]
    in_g: int
    out_g: int


@dataclass(frozen=True, slots=True)
class TracedItem:
    """One tested item; `result` is None when nothing was found above `quantifiable_from`."""

    name_zh: str
    name_en: str
    method: str
    unit: str
    limit: int
    quantifiable_from: int
    result: int | None
    passed: bool


@dataclass(frozen=True, slots=True)
class TracedTest:
    """A laboratory's report on the lot or one it was made from."""

    lot_id: str
    laboratory_zh: str
    laboratory_en: str
    sampled_at: datetime
    reported_at: datetime
    passed: bool
    items: tuple[TracedItem, ...]


@dataclass(frozen=True, slots=True)
class PackTrace:
    """Everything known of one pack. `lot_ids` is the lot with its ancestry, for asking about findings."""

    tenant: str
    gtin: str
    lot: str
    serial: str
    product_zh: str
    product_en: str
    grade_zh: str
    grade_en: str
    organic: bool
    organic_code: str | None
    net_g: int
    packed_at: datetime
    best_before: date
    packs_in_lot: int
    lot_g: int
    plant_zh: str
    plant_en: str
    maker: str
    maker_en: str
    lot_ids: tuple[str, ...]
    leaves: tuple[TracedLeaf, ...]
    steps: tuple[TracedStep, ...]
    tests: tuple[TracedTest, ...]


def trace_pack(session: Session, tenant: str, gtin: str, lot: str, serial: str) -> PackTrace | None:
    """The pack's story; None when no such pack was registered. A shorter GTIN is read as one of 14 digits."""
    pack = session.get(Pack, (tenant, gtin.zfill(14), lot, serial))
    if pack is None:
        return None
    product = session.get_one(Product, (tenant, pack.gtin))
    made = session.get_one(Lot, (tenant, pack.lot_id))
    plant = session.get_one(Plant, (tenant, made.plant_id))
    maker = session.get_one(Party, (tenant, made.maker_id))
    lot_ids = tuple(sorted(ancestry(session, tenant=tenant, lot_ids=[lot])))
    return PackTrace(
        tenant=tenant,
        gtin=pack.gtin,
        lot=lot,
        serial=serial,
        product_zh=product.name_zh,
        product_en=product.name_en,
        grade_zh=product.grade_zh,
        grade_en=product.grade_en,
        organic=product.organic,
        organic_code=pack.organic_code,
        net_g=product.net_g,
        packed_at=pack.packed_at,
        best_before=pack.best_before,
        packs_in_lot=_packs_in(session, tenant, lot),
        lot_g=made.made_g,
        plant_zh=plant.name_zh,
        plant_en=plant.name_en,
        maker=maker.pseudonym,
        maker_en=maker.pseudonym_en,
        lot_ids=lot_ids,
        leaves=tuple(_traced_leaf(session, sale) for sale in sales_into(session, tenant=tenant, lot_ids=lot_ids)),
        steps=_steps(session, tenant, lot_ids),
        tests=_tests(session, tenant, lot_ids),
    )


def _packs_in(session: Session, tenant: str, lot: str) -> int:
    count = session.scalar(select(func.count()).select_from(Pack).where(Pack.tenant == tenant, Pack.lot_id == lot))
    return count or 0


def _traced_leaf(session: Session, sale: LeafSale) -> TracedLeaf:
    plot = session.get_one(Plot, (sale.tenant, sale.plot_id))
    garden = session.get_one(Garden, (sale.tenant, plot.garden_id))
    grower = session.get_one(Party, (sale.tenant, sale.seller_id))
    card = session.get_one(LeafCard, (sale.tenant, sale.card_id))
    grown = entry_at(session, PlotEntry, tenant=sale.tenant, entry_id=sale.plot_id, at=sale.sold_at)
    return TracedLeaf(
        garden_zh=garden.name_zh,
        garden_en=garden.name_en,
        plot_id=plot.id,
        plot_zh=plot.name_zh,
        plot_en=plot.name_en,
        area_m2=grown.area_m2 if grown else 0,
        cultivar=grown.cultivar if grown else "",
        cultivar_en=grown.cultivar_en if grown else "",
        organic_state=sale.organic_state,
        certificate=grown.certificate if grown else None,
        grower=grower.pseudonym,
        grower_en=grower.pseudonym_en,
        picked_on=sale.picked_on,
        sold_at=sale.sold_at,
        card_masked=masked(card.number),
        leaf_g=sale.leaf_g,
        grade_zh=sale.grade_zh,
        grade_en=sale.grade_en,
        market_zh=sale.market_zh,
        market_en=sale.market_en,
        conformity_certificate=sale.conformity_certificate,
    )


def _steps(session: Session, tenant: str, lot_ids: Sequence[str]) -> tuple[TracedStep, ...]:
    rows = session.scalars(
        select(MakingStep)
        .where(MakingStep.tenant == tenant, MakingStep.lot_id.in_(lot_ids))
        .order_by(MakingStep.started_at, MakingStep.lot_id, MakingStep.number)
    )
    return tuple(
        TracedStep(
            lot_id=step.lot_id,
            kind=step.kind,
            machine_zh=step.machine_zh,
            machine_en=step.machine_en,
            started_at=step.started_at,
            ended_at=step.ended_at,
            settings=step.settings,
            in_g=step.in_g,
            out_g=step.out_g,
        )
        for step in rows
    )


def _tests(session: Session, tenant: str, lot_ids: Sequence[str]) -> tuple[TracedTest, ...]:
    tests = session.scalars(
        select(LabTest).where(LabTest.tenant == tenant, LabTest.lot_id.in_(lot_ids)).order_by(LabTest.reported_at)
    )
    return tuple(
        TracedTest(
            lot_id=test.lot_id,
            laboratory_zh=test.laboratory_zh,
            laboratory_en=test.laboratory_en,
            sampled_at=test.sampled_at,
            reported_at=test.reported_at,
            passed=test.passed,
            items=_items(session, test),
        )
        for test in tests.all()
    )


def _items(session: Session, test: LabTest) -> tuple[TracedItem, ...]:
    rows = session.scalars(
        select(LabItem).where(LabItem.tenant == test.tenant, LabItem.test_id == test.id).order_by(LabItem.number)
    )
    return tuple(
        TracedItem(
            name_zh=item.name_zh,
            name_en=item.name_en,
            method=item.method,
            unit=item.unit,
            limit=item.limit,
            quantifiable_from=item.quantifiable_from,
            result=item.result,
            passed=item.passed,
        )
        for item in rows
    )
