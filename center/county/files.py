"""A county's two files, read strictly: what they may say, and what time their moments are."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from alerts.messages import Id
from enforcement.grids import Level
from enforcement.policy import Clock
from traceability.cameras import Purpose
from traceability.lots import StepKind
from traceability.parties import CodeColour, Role
from traceability.plots import OrganicState

COUNTY_FILE = "county.yaml"
GROUND_FILE = "ground.geojson"
SHIPPED: Traversable = resources.files("center.county")
"""Where the demo county's files stand."""

_MOMENT = re.compile(r"(?:(?P<days>-?\d+)d|(?P<date>\d{4}-\d\d-\d\d))(?: (?P<clock>\d\d:\d\d))?")


@dataclass(frozen=True, slots=True)
class Moment:
    """A local time on a day: "2026-03-01 17:40", or "-4d 17:40" counted from the day of registering."""

    when: date | int
    clock: time

    @classmethod
    def parse(cls, text: object) -> "Moment":
        """Read it. Raises ValueError, which pydantic reports with the place in the file."""
        found = _MOMENT.fullmatch(str(text))
        if found is None:
            raise ValueError(f"{str(text)!r} is no moment like 2026-03-01, '2026-03-01 17:40', '-4d' or '-4d 17:40'")
        fixed = found["date"]
        return cls(
            date.fromisoformat(fixed) if fixed else int(found["days"]), time.fromisoformat(found["clock"] or "00:00")
        )

    def day(self, today: date) -> date:
        """The day it names."""
        return today + timedelta(days=self.when) if isinstance(self.when, int) else self.when

    def instant(self, today: date, zone: ZoneInfo) -> datetime:
        """The instant it names, in UTC."""
        return datetime.combine(self.day(today), self.clock, zone).astimezone(UTC)


When = Annotated[Moment, BeforeValidator(Moment.parse)]
Grams = Annotated[int, Field(gt=0)]


class Part(BaseModel):
    """Base of every part of the file: nothing unknown, nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class PartyPart(Part):
    """A party under its pseudonym."""

    id: str
    role: Role
    pseudonym: str
    pseudonym_en: str
    farm_code: str
    code_colour: CodeColour = CodeColour.GREEN
    code_reason: str = ""


class SitePart(Part):
    """A garden or a plant and the party that runs it."""

    id: str
    name_zh: str
    name_en: str
    operator: str


class PlotPart(Part):
    """A plot, who works it and where it stands in certification."""

    id: str
    garden: str
    name_zh: str
    name_en: str
    cultivar: str
    cultivar_en: str
    tenant_party: str
    organic_state: OrganicState
    certificate: str | None = None
    certified_from: When | None = None
    certified_to: When | None = None
    conversion_from: When | None = None
    buffer_m: int


class GridPart(Part):
    """A grid and the user responsible for it."""

    id: str
    level: Level
    name_zh: str
    name_en: str
    parent: str | None = None
    officer: str | None


class CameraPart(Part):
    """A camera's register entry; its view and post stand in the ground file."""

    id: Id
    name_zh: str
    name_en: str
    device: Id
    place_zh: str
    place_en: str
    operator_zh: str
    operator_en: str
    legal_basis_zh: str
    legal_basis_en: str
    purposes: tuple[Purpose, ...]
    sign_zh: str
    sign_en: str
    reviewed_on: When
    filing_number: str
    filed_on: When
    storage_days: Annotated[int, Field(ge=30)]
    stand_in_zh: str | None = None
    stand_in_en: str | None = None


class CardPart(Part):
    """A LeafCard 茶青卡 and its grower."""

    id: str
    number: str
    party: str


class SalePart(Part):
    """One sale of fresh leaf; seller and organic state follow from card and plot."""

    id: str
    card: str
    buyer: str
    plot: str
    picked: When
    sold: When
    grade_zh: str
    grade_en: str
    leaf_g: Grams
    price_fen: int
    conformity_certificate: str


class ProductPart(Part):
    """What a GTIN stands for."""

    gtin: str
    name_zh: str
    name_en: str
    grade_zh: str
    grade_en: str
    net_g: Grams
    shelf_life_months: int
    organic: bool


class StepPart(Part):
    """One making step."""

    kind: StepKind
    machine_zh: str
    machine_en: str
    worker: str
    started: When
    ended: When
    in_g: Grams
    out_g: Grams
    settings: dict[str, int]


class ItemPart(Part):
    """One tested item; no result means nothing was found."""

    name_zh: str
    name_en: str
    method: str
    unit: str
    limit: int
    quantifiable_from: int
    result: int | None = None


class TestPart(Part):
    """A laboratory's report; whether it passed follows from its items."""

    id: str
    laboratory_zh: str
    laboratory_en: str
    sampled: When
    reported: When
    items: tuple[ItemPart, ...]


class PackingPart(Part):
    """A run of packs with serials in a row."""

    gtin: str
    packed: When
    first_serial: int
    count: int


class LotPart(Part):
    """A lot from its leaf sales to its packs."""

    id: str
    plant: str
    maker: str
    kind_zh: str
    kind_en: str
    organic_state: OrganicState
    leaf_sales: tuple[str, ...]
    made_g: Grams
    steps: Annotated[tuple[StepPart, ...], Field(min_length=1)]
    tests: tuple[TestPart, ...]
    packing: PackingPart


class LinkPart(Part):
    """The policy of linking leads."""

    picked_before_days: int
    picked_after_days: int
    overlap_min_m2: int
    source: str


class LedgerPart(Part):
    """The policy of weights."""

    leaf_cap_g_per_mu: Grams
    input_per_made_min_permille: int
    input_per_made_max_permille: int
    source: str


class WeekPart(Part):
    """Office hours."""

    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...]
    sessions: tuple[tuple[str, str], ...]
    source: str


class ResponsePart(Part):
    """Minutes for one kind of lead."""

    kind: str
    clock: Clock
    acknowledge_minutes: int
    finish_minutes: int


class ResponsesPart(Part):
    """Minutes for every kind, from one source."""

    source: str
    kinds: tuple[ResponsePart, ...]


class PoliciesPart(Part):
    """Every local policy; that of weights only where there is leaf."""

    links: LinkPart
    ledger: LedgerPart | None = None
    working_week: WeekPart
    responses: ResponsesPart


class County(Part):
    """county.yaml, whole. A county may have streets only: no gardens, plants or leaf."""

    name_zh: str
    name_en: str
    zone: str
    registered: When
    parties: tuple[PartyPart, ...] = ()
    gardens: tuple[SitePart, ...] = ()
    plots: tuple[PlotPart, ...] = ()
    plants: tuple[SitePart, ...] = ()
    grids: tuple[GridPart, ...]
    cameras: tuple[CameraPart, ...]
    leaf_cards: tuple[CardPart, ...] = ()
    leaf_sales: tuple[SalePart, ...] = ()
    market_zh: str = ""
    market_en: str = ""
    scale: str = ""
    products: tuple[ProductPart, ...] = ()
    lots: tuple[LotPart, ...] = ()
    policies: PoliciesPart


@dataclass(frozen=True, slots=True)
class Shape:
    """One feature of ground.geojson; `stands_at` is longitude and latitude of a camera's post."""

    polygon: dict[str, Any]
    stands_at: tuple[float, float] | None


Shapes: TypeAlias = dict[tuple[str, str], Shape]
"""Shapes by kind and id."""


def read_county() -> County:
    """The demo county. Raises pydantic's ValidationError, naming the place, when it is not well formed."""
    return County.model_validate(yaml.safe_load(SHIPPED.joinpath(COUNTY_FILE).read_text(encoding="utf-8")))


def read_ground() -> Shapes:
    """The demo county's shapes."""
    return shapes_of(json.loads(SHIPPED.joinpath(GROUND_FILE).read_text(encoding="utf-8")))


def shapes_of(ground: dict[str, Any]) -> Shapes:
    """The shapes of a well-formed ground file by kind and id."""
    return {
        (feature["properties"]["kind"], feature["properties"]["id"]): Shape(
            feature["geometry"], feature["properties"].get("stands_at")
        )
        for feature in ground["features"]
    }
