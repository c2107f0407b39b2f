"""Tea-processing plants (茶厂): who runs them and the ground they stand on, dated."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from traceability.periods import entries_at, succeed
from traceability.placement import Placed, ground
from traceability.records import Base, Identified


class Plant(Identified, Base):
    """A plant's identity; 阳光工厂 where it shows its work to the public."""

    __tablename__ = "plant"
    __table_args__ = (ForeignKeyConstraint(["tenant", "operator_id"], ["party.tenant", "party.id"]),)

    name_zh: Mapped[str]
    name_en: Mapped[str]
    operator_id: Mapped[str] = mapped_column(String(128))


class PlantEntry(Placed, Base):
    """The ground of a plant for a period."""

    __tablename__ = "plant_entry"

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        """The plant must exist."""
        return (ForeignKeyConstraint(["tenant", "id"], ["plant.tenant", "plant.id"]),)


def plants_at(session: Session, *, tenant: str, at: datetime) -> Sequence[PlantEntry]:
    """Every plant as the register stood at that instant."""
    return entries_at(session, PlantEntry, tenant=tenant, at=at)


def replace_plant(
    session: Session, *, tenant: str, plant_id: str, polygon: Mapping[str, Any], at: datetime
) -> PlantEntry:
    """A plant's ground changes at `at`; the old ground stays on record.

    Raises:
        BadPolygon: the new ground is no polygon.
        BadPeriod: a later entry exists already.
    """
    return succeed(session, PlantEntry(tenant=tenant, id=plant_id, valid_from=at, **ground(polygon)))
