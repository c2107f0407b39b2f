"""The story of one pack for the shopper who scans it: from the plot to the packet, as plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class TracedLeaf:
    """Fresh leaf that went into the pack: where it grew, who picked it, the sale on the LeafCard 茶青卡."""

    garden_zh: str
    garden_en: str
    plot_id: str
    plot_zh: str
    plot_en: str
    area_m2: int
    area_mu_hundredths: int
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
    """The pack's story; None when no such pack was registered."""
    del session, tenant, gtin, lot, serial
    return None
