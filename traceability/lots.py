"""Lots of tea (批次): what leaf went in, every making step, the tests, and the packs that came out.

A lot's inputs point to leaf sales or to other lots, so a lot's ancestry is a walk over `LotInput`; the same shape
becomes EPCIS transformation and aggregation events.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from traceability.cards import LeafSale
from traceability.records import Base, Identified, JsonObject, OfTenant


class StepKind(StrEnum):
    """The steps of making green tea, in their order."""

    WITHERING = "withering"  # 摊青
    FIXATION = "fixation"  # 杀青
    ROLLING = "rolling"  # 揉捻
    DRYING = "drying"  # 干燥
    GRADING = "grading"  # 分级


class InputKind(StrEnum):
    """What a lot was made from."""

    LEAF_SALE = "leaf_sale"
    LOT = "lot"


class Product(OfTenant, Base):
    """What a GTIN stands for."""

    __tablename__ = "product"

    gtin: Mapped[str] = mapped_column(String(14), primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    grade_zh: Mapped[str]
    grade_en: Mapped[str]
    net_g: Mapped[int]
    shelf_life_months: Mapped[int]
    organic: Mapped[bool]


class Lot(Identified, Base):
    """Tea made in one run at one plant; `made_g` is what left the last step."""

    __tablename__ = "lot"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "plant_id"], ["plant.tenant", "plant.id"]),
        ForeignKeyConstraint(["tenant", "maker_id"], ["party.tenant", "party.id"]),
        CheckConstraint("made_g > 0", name="made_is_positive"),
    )

    plant_id: Mapped[str] = mapped_column(String(128))
    maker_id: Mapped[str] = mapped_column(String(128))
    product_kind_zh: Mapped[str]
    product_kind_en: Mapped[str]
    made_g: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime]
    organic_state: Mapped[str] = mapped_column(String(32))


class LotInput(OfTenant, Base):
    """Grams of one leaf sale or one other lot that went into a lot."""

    __tablename__ = "lot_input"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "lot_id"], ["lot.tenant", "lot.id"]),
        CheckConstraint("input_g > 0", name="input_is_positive"),
        Index(None, "tenant", "input_kind", "input_id"),
    )

    lot_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    input_kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    input_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    input_g: Mapped[int] = mapped_column(BigInteger)


class MakingStep(OfTenant, Base):
    """One step of making a lot: machine, time, settings (integers with their unit in the name), weights in and out."""

    __tablename__ = "making_step"
    __table_args__ = (ForeignKeyConstraint(["tenant", "lot_id"], ["lot.tenant", "lot.id"]),)

    lot_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    machine_zh: Mapped[str]
    machine_en: Mapped[str]
    worker: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    settings: Mapped[JsonObject]
    in_g: Mapped[int] = mapped_column(BigInteger)
    out_g: Mapped[int] = mapped_column(BigInteger)


class LabTest(Identified, Base):
    """A laboratory's report on a sampled lot."""

    __tablename__ = "lab_test"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "lot_id"], ["lot.tenant", "lot.id"]),
        Index(None, "tenant", "lot_id"),
    )

    lot_id: Mapped[str] = mapped_column(String(128))
    laboratory_zh: Mapped[str]
    laboratory_en: Mapped[str]
    sampled_at: Mapped[datetime]
    reported_at: Mapped[datetime]
    passed: Mapped[bool]
    report_sha256: Mapped[str | None] = mapped_column(String(64))


class LabItem(OfTenant, Base):
    """One item of a report. `result` is empty when nothing was found above the limit of quantification."""

    __tablename__ = "lab_item"
    __table_args__ = (ForeignKeyConstraint(["tenant", "test_id"], ["lab_test.tenant", "lab_test.id"]),)

    test_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    method: Mapped[str]
    unit: Mapped[str] = mapped_column(String(16))
    limit: Mapped[int]
    quantifiable_from: Mapped[int]
    result: Mapped[int | None]
    passed: Mapped[bool]


class Pack(OfTenant, Base):
    """One packet on a shelf, known by GTIN, lot and serial (GS1 application identifiers 01, 10, 21)."""

    __tablename__ = "pack"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "gtin"], ["product.tenant", "product.gtin"]),
        ForeignKeyConstraint(["tenant", "lot_id"], ["lot.tenant", "lot.id"]),
        Index(None, "tenant", "lot_id"),
    )

    gtin: Mapped[str] = mapped_column(String(14), primary_key=True)
    lot_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    serial: Mapped[str] = mapped_column(String(20), primary_key=True)
    packed_at: Mapped[datetime]
    best_before: Mapped[date]
    organic_code: Mapped[str | None] = mapped_column(String(17))  # 有机码


def ancestry(session: Session, *, tenant: str, lot_ids: Iterable[str]) -> frozenset[str]:
    """The lots and every lot that went into them."""
    return _walk(session, tenant, lot_ids, upstream=True)


def descendants(session: Session, *, tenant: str, lot_ids: Iterable[str]) -> frozenset[str]:
    """The lots and every lot that was made from them."""
    return _walk(session, tenant, lot_ids, upstream=False)


def sales_into(session: Session, *, tenant: str, lot_ids: Iterable[str]) -> Sequence[LeafSale]:
    """The leaf sales that went straight into these lots, by day of picking; give the ancestry for all the leaf."""
    return session.scalars(
        select(LeafSale)
        .join(LotInput, (LotInput.tenant == LeafSale.tenant) & (LotInput.input_id == LeafSale.id))
        .where(
            LotInput.tenant == tenant,
            LotInput.input_kind == InputKind.LEAF_SALE.value,
            LotInput.lot_id.in_(sorted(lot_ids)),
        )
        .order_by(LeafSale.picked_on, LeafSale.id)
        .distinct()
    ).all()


def _walk(session: Session, tenant: str, lot_ids: Iterable[str], *, upstream: bool) -> frozenset[str]:
    start, end = (LotInput.lot_id, LotInput.input_id) if upstream else (LotInput.input_id, LotInput.lot_id)
    known = frozenset(lot_ids)
    edge = known
    while edge:
        found = session.scalars(
            select(end).where(
                LotInput.tenant == tenant, LotInput.input_kind == InputKind.LOT.value, start.in_(sorted(edge))
            )
        )
        edge = frozenset(found) - known
        known |= edge
    return known
