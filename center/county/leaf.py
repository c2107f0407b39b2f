"""A county's leaf: sales on the LeafCard 茶青卡, lots with their making steps, tests and packs."""

import calendar
import hashlib
from datetime import date

from sqlalchemy.orm import Session

from center.county.files import LotPart, TestPart
from center.county.register import Plan
from traceability.cards import LeafSale
from traceability.gs1 import is_gtin
from traceability.lots import InputKind, LabItem, LabTest, Lot, LotInput, MakingStep, Pack, Product
from traceability.plots import OrganicState

ORGANIC_AGENCY = "999"  # no certification agency has this number


def book_all(session: Session, plan: Plan) -> None:
    """From the sale of fresh leaf to the packs on the shelf.

    Raises:
        ValueError: a product's GTIN has the wrong check digit.
    """
    _sales(session, plan)
    _products(session, plan)
    for lot in plan.county.lots:
        _lot(session, plan, lot)
        for test in lot.tests:
            _test(session, plan, lot, test)
        _packs(session, plan, lot)


def _sales(session: Session, plan: Plan) -> None:
    sellers = {card.id: card.party for card in plan.county.leaf_cards}
    states = {plot.id: plot.organic_state.value for plot in plan.county.plots}
    session.add_all(
        LeafSale(
            tenant=plan.tenant,
            id=sale.id,
            card_id=sale.card,
            seller_id=sellers[sale.card],
            buyer_id=sale.buyer,
            plot_id=sale.plot,
            picked_on=sale.picked.day(plan.today),
            sold_at=plan.instant(sale.sold),
            grade_zh=sale.grade_zh,
            grade_en=sale.grade_en,
            leaf_g=sale.leaf_g,
            price_fen=sale.price_fen,
            organic_state=states[sale.plot],
            market_zh=plan.county.market_zh,
            market_en=plan.county.market_en,
            scale=plan.county.scale,
            conformity_certificate=sale.conformity_certificate,
        )
        for sale in plan.county.leaf_sales
    )
    session.flush()


def _products(session: Session, plan: Plan) -> None:
    for product in plan.county.products:
        if not is_gtin(product.gtin):
            raise ValueError(f"{product.gtin} is no GTIN: its check digit is wrong")
        session.add(Product(tenant=plan.tenant, **product.model_dump()))
    session.flush()


def _lot(session: Session, plan: Plan, lot: LotPart) -> None:
    weights = {sale.id: sale.leaf_g for sale in plan.county.leaf_sales}
    session.add(
        Lot(
            tenant=plan.tenant,
            id=lot.id,
            plant_id=lot.plant,
            maker_id=lot.maker,
            product_kind_zh=lot.kind_zh,
            product_kind_en=lot.kind_en,
            made_g=lot.made_g,
            made_at=plan.instant(lot.steps[-1].ended),
            organic_state=lot.organic_state.value,
        )
    )
    session.flush()
    for sale in lot.leaf_sales:
        kind = InputKind.LEAF_SALE.value
        session.add(
            LotInput(tenant=plan.tenant, lot_id=lot.id, input_kind=kind, input_id=sale, input_g=weights[sale]),
        )
    for number, step in enumerate(lot.steps, start=1):
        session.add(
            MakingStep(
                tenant=plan.tenant,
                lot_id=lot.id,
                number=number,
                kind=step.kind.value,
                machine_zh=step.machine_zh,
                machine_en=step.machine_en,
                worker=step.worker,
                started_at=plan.instant(step.started),
                ended_at=plan.instant(step.ended),
                settings=step.settings,
                in_g=step.in_g,
                out_g=step.out_g,
            )
        )
    session.flush()


def _test(session: Session, plan: Plan, lot: LotPart, test: TestPart) -> None:
    passed = [item.result is None or item.result <= item.limit for item in test.items]
    session.add(
        LabTest(
            tenant=plan.tenant,
            id=test.id,
            lot_id=lot.id,
            laboratory_zh=test.laboratory_zh,
            laboratory_en=test.laboratory_en,
            sampled_at=plan.instant(test.sampled),
            reported_at=plan.instant(test.reported),
            passed=all(passed),
        )
    )
    session.flush()
    session.add_all(
        LabItem(tenant=plan.tenant, test_id=test.id, number=number, passed=good, **item.model_dump())
        for number, (item, good) in enumerate(zip(test.items, passed, strict=True), start=1)
    )
    session.flush()


def _packs(session: Session, plan: Plan, lot: LotPart) -> None:
    packing = lot.packing
    product = next(product for product in plan.county.products if product.gtin == packing.gtin)
    packed_on = packing.packed.day(plan.today)
    for number in range(packing.first_serial, packing.first_serial + packing.count):
        serial = f"{number:04d}"
        organic = plan.is_demo and product.organic and lot.organic_state is OrganicState.CERTIFIED
        session.add(
            Pack(
                tenant=plan.tenant,
                gtin=product.gtin,
                lot_id=lot.id,
                serial=serial,
                packed_at=plan.instant(packing.packed),
                best_before=months_later(packed_on, product.shelf_life_months),
                organic_code=organic_code(packed_on, f"{product.gtin}/{lot.id}/{serial}") if organic else None,
            )
        )
    session.flush()


def organic_code(packed_on: date, pack: str) -> str:
    """有机码, 17 digits: agency 3, year 2, random 12; here the twelve follow from the pack, so seeding repeats."""
    twelve = int(hashlib.sha256(pack.encode()).hexdigest(), 16) % 10**12
    return f"{ORGANIC_AGENCY}{packed_on:%y}{twelve:012d}"


def months_later(day: date, months: int) -> date:
    """The same day so many months on, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
