"""A dated entry that lies somewhere: its polygon and the box the database searches by."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, TypeVar

from shapely.geometry import Polygon
from sqlalchemy import BigInteger, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from traceability.geometry import area_m2, bounds_e7, read_polygon
from traceability.periods import Dated
from traceability.records import JsonObject


class Ground(TypedDict):
    """The columns of `Placed`, made together so that they can never disagree."""

    polygon: JsonObject
    area_m2: int
    west_e7: int
    south_e7: int
    east_e7: int
    north_e7: int


class Placed(Dated):
    """Mixin: the ground an entry covers, WGS-84 GeoJSON, its area, and its bounds in 1e-7 degree."""

    polygon: Mapped[JsonObject]
    area_m2: Mapped[int] = mapped_column(BigInteger)
    west_e7: Mapped[int] = mapped_column(BigInteger)
    south_e7: Mapped[int] = mapped_column(BigInteger)
    east_e7: Mapped[int] = mapped_column(BigInteger)
    north_e7: Mapped[int] = mapped_column(BigInteger)

    @property
    def shape(self) -> Polygon:
        """The polygon for computing with."""
        return read_polygon(self.polygon)


Place = TypeVar("Place", bound=Placed)


def ground(polygon: Mapping[str, Any]) -> Ground:
    """The columns of a placed entry: `PlotEntry(..., **ground(polygon))`.

    Raises:
        BadPolygon: the polygon is none.
    """
    shape = read_polygon(polygon)
    box = bounds_e7(shape)
    return Ground(
        polygon=dict(polygon),
        area_m2=area_m2(shape),
        west_e7=box.west_e7,
        south_e7=box.south_e7,
        east_e7=box.east_e7,
        north_e7=box.north_e7,
    )


def entries_meeting(
    session: Session, kind: type[Place], *, tenant: str, at: datetime, shape: Polygon
) -> Sequence[Place]:
    """Entries in force at that instant whose bounds meet the shape's; the caller tests the polygons themselves."""
    box = bounds_e7(shape)
    return session.scalars(
        select(kind)
        .where(
            kind.tenant == tenant,
            kind.standing_at(at),
            kind.west_e7 <= box.east_e7,
            kind.east_e7 >= box.west_e7,
            kind.south_e7 <= box.north_e7,
            kind.north_e7 >= box.south_e7,
        )
        .order_by(kind.id)
    ).all()


def in_view(
    session: Session, kind: type[Place], *, tenant: str, at: datetime, view: Polygon, overlap_min_m2: int
) -> list[tuple[Place, int]]:
    """Entries in force at that instant of which a view shows at least so much, with the m2 it shows, most first."""
    nearby = entries_meeting(session, kind, tenant=tenant, at=at, shape=view)
    seen = [(entry, area_m2(entry.shape.intersection(view))) for entry in nearby]
    return sorted(((entry, m2) for entry, m2 in seen if m2 >= overlap_min_m2), key=lambda pair: (-pair[1], pair[0].id))


def covered(entry: Placed, seen_m2: int) -> dict[str, int | str]:
    """How much of an entry's ground is in view: the parameters of a `view_covers_…` reason."""
    return {"share_permille": round(1000 * seen_m2 / entry.area_m2), "area_m2": seen_m2}
