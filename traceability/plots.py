"""Gardens (茶园) and their plots (地块): boundary, cultivar, organic state and tenure, each as dated entries."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from traceability.errors import UnknownEntry
from traceability.periods import Dated, entries_at, entry_at, succeed
from traceability.placement import Placed, ground
from traceability.records import Base, Identified


class OrganicState(StrEnum):
    """Where a plot stands in organic certification (GB/T 19630)."""

    CERTIFIED = "certified"
    IN_CONVERSION = "in_conversion"
    CONVENTIONAL = "conventional"


class Garden(Identified, Base):
    """A tea garden under one name; its ground is that of its plots."""

    __tablename__ = "garden"
    __table_args__ = (ForeignKeyConstraint(["tenant", "operator_id"], ["party.tenant", "party.id"]),)

    name_zh: Mapped[str]
    name_en: Mapped[str]
    operator_id: Mapped[str] = mapped_column(String(128))


class Plot(Identified, Base):
    """A plot's identity; what is true of it at a time stands in its entries."""

    __tablename__ = "plot"
    __table_args__ = (ForeignKeyConstraint(["tenant", "garden_id"], ["garden.tenant", "garden.id"]),)

    garden_id: Mapped[str] = mapped_column(String(128))
    name_zh: Mapped[str]
    name_en: Mapped[str]


class PlotEntry(Placed, Base):
    """Boundary, cultivar and organic state of a plot for a period."""

    __tablename__ = "plot_entry"

    cultivar: Mapped[str]
    cultivar_en: Mapped[str]
    organic_state: Mapped[str] = mapped_column(String(32))
    certificate: Mapped[str | None]
    certified_from: Mapped[date | None]
    certified_to: Mapped[date | None]
    conversion_from: Mapped[date | None]
    buffer_m: Mapped[int] = mapped_column(default=0)

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        """The plot must exist; searches go by its bounds."""
        return (
            ForeignKeyConstraint(["tenant", "id"], ["plot.tenant", "plot.id"]),
            Index(None, "tenant", "west_e7", "east_e7"),
        )


class PlotTenure(Dated, Base):
    """Who works a plot for a period; `id` is the plot's."""

    __tablename__ = "plot_tenure"

    party_id: Mapped[str] = mapped_column(String(128))

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        """Plot and party must exist."""
        return (
            ForeignKeyConstraint(["tenant", "id"], ["plot.tenant", "plot.id"]),
            ForeignKeyConstraint(["tenant", "party_id"], ["party.tenant", "party.id"]),
        )


def plots_at(session: Session, *, tenant: str, at: datetime) -> Sequence[PlotEntry]:
    """Every plot as the register stood at that instant."""
    return entries_at(session, PlotEntry, tenant=tenant, at=at)


def replace_plot(session: Session, *, tenant: str, plot_id: str, polygon: Mapping[str, Any], at: datetime) -> PlotEntry:
    """A plot surveyed anew: the old boundary ends and the new one begins at `at`; everything else carries over.

    Raises:
        UnknownEntry: the plot does not stand in the register at that time.
        BadPolygon: the new boundary is none.
        BadPeriod: a later entry exists already.
    """
    old = entry_at(session, PlotEntry, tenant=tenant, entry_id=plot_id, at=at)
    if old is None:
        raise UnknownEntry(f"plot {plot_id!r} does not stand in the register at {at.isoformat()}")
    new = PlotEntry(
        tenant=tenant,
        id=plot_id,
        valid_from=at,
        cultivar=old.cultivar,
        cultivar_en=old.cultivar_en,
        organic_state=old.organic_state,
        certificate=old.certificate,
        certified_from=old.certified_from,
        certified_to=old.certified_to,
        conversion_from=old.conversion_from,
        buffer_m=old.buffer_m,
        **ground(polygon),
    )
    return succeed(session, new)


def replace_tenure(session: Session, *, tenant: str, plot_id: str, party_id: str, at: datetime) -> PlotTenure:
    """A plot that changes hands at `at`.

    Raises:
        BadPeriod: a later tenure exists already.
    """
    return succeed(session, PlotTenure(tenant=tenant, id=plot_id, valid_from=at, party_id=party_id))
