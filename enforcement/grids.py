"""Grids of responsibility (网格): street, patch, town, county; their ground and their officer, dated.

GB/T 30428 counts a unit grid at about 10,000 m2.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from enforcement.errors import Unknown
from traceability.periods import entries_at, entry_at, succeed
from traceability.placement import Placed, ground
from traceability.records import Base, Identified


class Level(StrEnum):
    """How large a grid is, from the street up."""

    STREET = "street"
    PATCH = "patch"
    TOWN = "town"
    COUNTY = "county"


class Grid(Identified, Base):
    """A grid's identity."""

    __tablename__ = "grid"

    level: Mapped[str] = mapped_column(String(16))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    parent_id: Mapped[str | None] = mapped_column(String(128))


class GridEntry(Placed, Base):
    """A grid's ground and responsible officer (a user id) for a period."""

    __tablename__ = "grid_entry"

    officer: Mapped[str | None] = mapped_column(String(64))

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        """The grid must exist; searches go by its bounds."""
        return (
            ForeignKeyConstraint(["tenant", "id"], ["grid.tenant", "grid.id"]),
            Index(None, "tenant", "west_e7", "east_e7"),
        )


def grids_at(session: Session, *, tenant: str, at: datetime) -> Sequence[GridEntry]:
    """Every grid as it stood at that instant."""
    return entries_at(session, GridEntry, tenant=tenant, at=at)


def replace_grid(
    session: Session,
    *,
    tenant: str,
    grid_id: str,
    at: datetime,
    officer: str | None,
    polygon: Mapping[str, Any] | None = None,
) -> GridEntry:
    """A grid with another officer, or other ground, from `at` on; the old entry stays.

    Raises:
        Unknown: the grid has no entry at that time and no polygon was given.
        BadPolygon: the ground is no polygon.
        BadPeriod: a later entry exists already.
    """
    if polygon is None:
        old = entry_at(session, GridEntry, tenant=tenant, entry_id=grid_id, at=at)
        if old is None:
            raise Unknown(f"grid {grid_id!r} has no ground on record at {at.isoformat()}")
        polygon = old.polygon
    return succeed(session, GridEntry(tenant=tenant, id=grid_id, valid_from=at, officer=officer, **ground(polygon)))
