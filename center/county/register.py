"""A county's register: parties, gardens, plant, grids, cameras, cards and local policies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from center.county.files import CameraPart, County, Moment, PlotPart, Shapes
from enforcement.grids import Grid, GridEntry
from enforcement.policy import WEEK, ResponsePolicy, WorkingWeek
from traceability.cameras import Camera, CameraEntry
from traceability.cards import CardState, LeafCard, LeafCardEntry
from traceability.geometry import UNITS_PER_DEGREE
from traceability.parties import Party
from traceability.placement import Ground, ground
from traceability.plots import Garden, Plot, PlotEntry, PlotTenure
from traceability.policy import LINKS, LedgerPolicy, LinkPolicy
from traceability.records import Identified
from traceability.sites import Plant, PlantEntry

REGISTERS: Mapping[str, type[Identified]] = {
    "parties": Party,
    "gardens": Garden,
    "plots": Plot,
    "plants": Plant,
    "grids": Grid,
    "cameras": Camera,
    "leaf_cards": LeafCard,
}
"""The parts of county.yaml that become the register, in the order they refer to each other."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be registered, for whom, and the instant its moments count from.

    Only a demo invents what another office gives out in life: the organic codes on packs.
    """

    tenant: str
    county: County
    shapes: Shapes
    now: datetime
    since: datetime | None = None
    """When the entries come into force; None: when the file says that the county was registered."""
    is_demo: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The county's time zone."""
        return ZoneInfo(self.county.zone)

    @property
    def today(self) -> date:
        """The day that moments count from."""
        return self.now.astimezone(self.zone).date()

    def instant(self, moment: Moment) -> datetime:
        """A moment of the file in UTC."""
        return moment.instant(self.today, self.zone)

    def day(self, moment: Moment | None) -> date | None:
        """A day of the file, if it names one."""
        return moment.day(self.today) if moment else None

    @property
    def valid_from(self) -> datetime:
        """When its entries come into force."""
        return self.since or self.instant(self.county.registered)

    def ground(self, kind: str, entry_id: str) -> Ground:
        """The ground of an entry as columns."""
        return ground(self.shapes[kind, entry_id].polygon)


def register_all(session: Session, plan: Plan) -> None:
    """Identities first, then what is true of them; each step stands before the next refers to it."""
    _parties(session, plan)
    _sites(session, plan)
    _plots(session, plan)
    _grids(session, plan)
    _cameras(session, plan)
    _cards(session, plan)


def standing_ids(session: Session, tenant: str) -> dict[str, frozenset[str]]:
    """What stands in the tenant's register already: ids by the part of the file they come from."""
    return {
        part: frozenset(session.scalars(select(kind.id).where(kind.tenant == tenant)))
        for part, kind in REGISTERS.items()
    }


def _parties(session: Session, plan: Plan) -> None:
    session.add_all(
        Party(
            tenant=plan.tenant,
            id=party.id,
            role=party.role.value,
            pseudonym=party.pseudonym,
            pseudonym_en=party.pseudonym_en,
            farm_code=party.farm_code,
            code_colour=party.code_colour.value,
            code_reason=party.code_reason,
        )
        for party in plan.county.parties
    )
    session.flush()


def _sites(session: Session, plan: Plan) -> None:
    for kind, sites in ((Garden, plan.county.gardens), (Plant, plan.county.plants)):
        session.add_all(
            kind(
                tenant=plan.tenant,
                id=site.id,
                name_zh=site.name_zh,
                name_en=site.name_en,
                operator_id=site.operator,
            )
            for site in sites
        )
    session.flush()
    session.add_all(
        PlantEntry(tenant=plan.tenant, id=site.id, valid_from=plan.valid_from, **plan.ground("plant", site.id))
        for site in plan.county.plants
    )
    session.flush()


def _plots(session: Session, plan: Plan) -> None:
    session.add_all(
        Plot(tenant=plan.tenant, id=plot.id, garden_id=plot.garden, name_zh=plot.name_zh, name_en=plot.name_en)
        for plot in plan.county.plots
    )
    session.flush()
    for plot in plan.county.plots:
        session.add(_plot_entry(plan, plot))
        session.add(
            PlotTenure(tenant=plan.tenant, id=plot.id, valid_from=plan.valid_from, party_id=plot.tenant_party),
        )
    session.flush()


def _plot_entry(plan: Plan, plot: PlotPart) -> PlotEntry:
    return PlotEntry(
        tenant=plan.tenant,
        id=plot.id,
        valid_from=plan.valid_from,
        cultivar=plot.cultivar,
        cultivar_en=plot.cultivar_en,
        organic_state=plot.organic_state.value,
        certificate=plot.certificate,
        certified_from=plan.day(plot.certified_from),
        certified_to=plan.day(plot.certified_to),
        conversion_from=plan.day(plot.conversion_from),
        buffer_m=plot.buffer_m,
        **plan.ground("plot", plot.id),
    )


def _grids(session: Session, plan: Plan) -> None:
    session.add_all(
        Grid(
            tenant=plan.tenant,
            id=grid.id,
            level=grid.level.value,
            name_zh=grid.name_zh,
            name_en=grid.name_en,
            parent_id=grid.parent,
        )
        for grid in plan.county.grids
    )
    session.flush()
    session.add_all(
        GridEntry(
            tenant=plan.tenant,
            id=grid.id,
            valid_from=plan.valid_from,
            officer=grid.officer,
            **plan.ground("grid", grid.id),
        )
        for grid in plan.county.grids
    )
    session.flush()


def _cameras(session: Session, plan: Plan) -> None:
    session.add_all(
        Camera(tenant=plan.tenant, id=camera.id, name_zh=camera.name_zh, name_en=camera.name_en)
        for camera in plan.county.cameras
    )
    session.flush()
    session.add_all(_camera_entry(plan, camera) for camera in plan.county.cameras)
    session.flush()


def _camera_entry(plan: Plan, camera: CameraPart) -> CameraEntry:
    longitude, latitude = plan.shapes["camera", camera.id].stands_at or (0.0, 0.0)
    return CameraEntry(
        tenant=plan.tenant,
        id=camera.id,
        valid_from=plan.valid_from,
        device=camera.device,
        longitude_e7=round(longitude * UNITS_PER_DEGREE),
        latitude_e7=round(latitude * UNITS_PER_DEGREE),
        place_zh=camera.place_zh,
        place_en=camera.place_en,
        operator_zh=camera.operator_zh,
        operator_en=camera.operator_en,
        legal_basis_zh=camera.legal_basis_zh,
        legal_basis_en=camera.legal_basis_en,
        purposes=[purpose.value for purpose in camera.purposes],
        sign_zh=camera.sign_zh,
        sign_en=camera.sign_en,
        no_private_space=True,
        reviewed_on=plan.day(camera.reviewed_on),
        place_published=True,
        filing_number=camera.filing_number,
        filed_on=plan.day(camera.filed_on),
        storage_days=camera.storage_days,
        stand_in_zh=camera.stand_in_zh,
        stand_in_en=camera.stand_in_en,
        **plan.ground("camera", camera.id),
    )


def _cards(session: Session, plan: Plan) -> None:
    session.add_all(
        LeafCard(tenant=plan.tenant, id=card.id, number=card.number, party_id=card.party)
        for card in plan.county.leaf_cards
    )
    session.flush()
    session.add_all(
        LeafCardEntry(
            tenant=plan.tenant,
            id=card.id,
            valid_from=plan.valid_from,
            state=CardState.ACTIVE.value,
            reason="registered with the county",
            author="registry",
        )
        for card in plan.county.leaf_cards
    )
    session.flush()


def set_policies(session: Session, plan: Plan) -> None:
    """The local policies, in force as long as the register."""
    policies = plan.county.policies
    dated = {"tenant": plan.tenant, "valid_from": plan.valid_from}
    session.add(LinkPolicy(**dated, id=LINKS, zone=plan.county.zone, **policies.links.model_dump()))
    if policies.ledger:
        session.add(LedgerPolicy(**dated, id=LedgerPolicy.GREEN_TEA, **policies.ledger.model_dump()))
    session.add(WorkingWeek(**dated, id=WEEK, zone=plan.county.zone, **policies.working_week.model_dump(mode="json")))
    for response in policies.responses.kinds:
        terms = response.model_dump(mode="json", exclude={"kind"})
        session.add(ResponsePolicy(**dated, id=response.kind, source=policies.responses.source, **terms))
    session.flush()
