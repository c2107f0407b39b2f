"""The register of cameras: who runs each, on what legal basis, for which purposes, and what ground it sees.

Sources: Administrative Penalty Law 2021 art. 41 (review, placement, sign, publication); Public-safety video systems
regulation (State Council order 799) art. 8 (no private rooms), 13 (no wider than needed, sign), 14 (filing), 17
(storage). Publication to shoppers is a purpose of its own and off unless granted (art. 22).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from traceability.errors import UnknownEntry
from traceability.periods import entries_at, entry_at, succeed
from traceability.placement import Placed, ground
from traceability.records import Base, Identified, JsonList


class Purpose(StrEnum):
    """What a camera may be used for; nothing that is not listed."""

    STREET_ORDER = "street_order"
    GARDEN_PROTECTION = "garden_protection"
    PLANT_HYGIENE = "plant_hygiene"
    PUBLICATION = "publication"


class Camera(Identified, Base):
    """A camera's identity, the name its box reports under."""

    __tablename__ = "camera"

    name_zh: Mapped[str]
    name_en: Mapped[str]


class CameraEntry(Placed, Base):
    """Placement, view, operator and purposes of a camera for a period; `polygon` is the ground its picture shows."""

    __tablename__ = "camera_entry"

    device: Mapped[str] = mapped_column(String(64))
    longitude_e7: Mapped[int]
    latitude_e7: Mapped[int]
    place_zh: Mapped[str]
    place_en: Mapped[str]
    operator_zh: Mapped[str]
    operator_en: Mapped[str]
    legal_basis_zh: Mapped[str]
    legal_basis_en: Mapped[str]
    purposes: Mapped[JsonList]
    sign_zh: Mapped[str]
    sign_en: Mapped[str]
    no_private_space: Mapped[bool]
    reviewed_on: Mapped[date | None]
    place_published: Mapped[bool]
    filing_number: Mapped[str | None]
    filed_on: Mapped[date | None]
    storage_days: Mapped[int]
    stand_in_zh: Mapped[str | None]
    stand_in_en: Mapped[str | None]

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        """The camera must exist."""
        return (ForeignKeyConstraint(["tenant", "id"], ["camera.tenant", "camera.id"]),)


def cameras_at(session: Session, *, tenant: str, at: datetime) -> Sequence[CameraEntry]:
    """Every camera as the register stood at that instant."""
    return entries_at(session, CameraEntry, tenant=tenant, at=at)


def camera_at(session: Session, *, tenant: str, camera: str, at: datetime) -> CameraEntry | None:
    """One camera's entry at that instant; none when it was not registered then."""
    return entry_at(session, CameraEntry, tenant=tenant, entry_id=camera, at=at)


def replace_view(session: Session, *, tenant: str, camera: str, view: Mapping[str, Any], at: datetime) -> CameraEntry:
    """A camera that looks elsewhere from `at` on; operator, basis and purposes carry over.

    Raises:
        UnknownEntry: the camera does not stand in the register at that time.
        BadPolygon: the view is no polygon.
        BadPeriod: a later entry exists already.
    """
    old = camera_at(session, tenant=tenant, camera=camera, at=at)
    if old is None:
        raise UnknownEntry(f"camera {camera!r} does not stand in the register at {at.isoformat()}")
    placed = set(ground(view)) | {"tenant", "id", "valid_from", "valid_to"}
    same = {
        column.key: getattr(old, column.key) for column in CameraEntry.__table__.columns if column.key not in placed
    }
    return succeed(session, CameraEntry(tenant=tenant, id=camera, valid_from=at, **same, **ground(view)))
