"""Files of evidence: what boxes announced and what has come. What is done with them: `center/evidence/custody.py`.

The centre takes a file only if a verified record of the same box announced its hash and size.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, ForeignKeyConstraint, bindparam, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.messages import Artefact
from enforcement.leads import lead_id as own_id
from traceability.records import WIDE, Base, JsonList, OfTenant
from traceability.rows import insert_rows, read_rows

GIVEN_UP = "given_up"
"""Stands for a rule where the box deleted the file, its disk being full, before it could bring it."""


class Announced(OfTenant, Base):
    """A file that belongs to an incident; `arrived_at` is empty until its bytes are here.

    `deleted_at` and `deleted_rule` say when and under which rule they were deleted (`retention`); the hash stays.
    `falls_short` says why a clip shows less than it was to, as the box told it.
    """

    __tablename__ = "announced_file"
    __table_args__ = (ForeignKeyConstraint(("tenant", "device"), ("device.tenant", "device.id")),)

    device: Mapped[str] = mapped_column(primary_key=True)
    incident: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True, index=True)
    size_bytes: Mapped[int] = mapped_column(WIDE)
    media_type: Mapped[str]
    role: Mapped[str]
    camera: Mapped[str]
    derived_from: Mapped[str | None]
    announced_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    deleted_rule: Mapped[str] = mapped_column(default="")
    falls_short: Mapped[JsonList] = mapped_column(default=list)

    @property
    def is_here(self) -> bool:
        """Whether its bytes came and were not deleted."""
        return self.arrived_at is not None and self.deleted_at is None


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is here, and what a reader must know of it."""

    sha256: str
    size_bytes: int
    media_type: str
    role: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a verified record says of the files of one incident."""

    device: str
    incident: str
    camera: str
    artefacts: tuple[Artefact, ...]


def announce_files(session: Session, tenant: str, announcements: Iterable[Announcement], *, at: datetime) -> None:
    """Expect these files. What was announced of a box's incident before stays as it is."""
    told = {
        (said.device, said.incident, artefact.sha256): (said.camera, artefact)
        for said in reversed(tuple(announcements))
        for artefact in reversed(said.artefacts)
    }
    known = set[tuple[str, str, str]]()
    arrived: dict[str, datetime] = {}
    same = {"tenant": tenant, "hashes": sorted({sha256 for _, _, sha256 in told})}
    for row in read_rows(session, _SAME, same) if told else ():
        known.add((row.device, row.incident, row.sha256))
        if row.arrived_at is not None and row.deleted_at is None:
            arrived[row.sha256] = row.arrived_at
    rows = [
        {
            "tenant": tenant,
            "device": device,
            "incident": incident,
            "sha256": sha256,
            "size_bytes": artefact.size_bytes,
            "media_type": artefact.media_type,
            "role": artefact.role,
            "camera": camera,
            "derived_from": artefact.derived_from,
            "announced_at": at,
            "arrived_at": arrived.get(sha256),
            "deleted_at": None,
            "deleted_rule": "",
            "falls_short": list(artefact.falls_short),
        }
        for (device, incident, sha256), (camera, artefact) in reversed(told.items())
        if (device, incident, sha256) not in known
    ]
    insert_rows(session, Announced, rows)


_SAME: Final = select(
    Announced.device, Announced.incident, Announced.sha256, Announced.arrived_at, Announced.deleted_at
).where(Announced.tenant == bindparam("tenant"), Announced.sha256.in_(bindparam("hashes", expanding=True)))


def brought_here(
    *,
    tenant: str,
    device: str,
    incident: str,
    camera: str,
    role: str,
    sha256: str,
    size_bytes: int,
    media_type: str,
    at: datetime,
    derived_from: str | None = None,
) -> Announced:
    """A file of an incident that no box announced: an officer brought it, or it was made here, and it is here `at`."""
    return Announced(
        tenant=tenant,
        device=device,
        incident=incident,
        sha256=sha256,
        size_bytes=size_bytes,
        media_type=media_type,
        role=role,
        camera=camera,
        derived_from=derived_from,
        announced_at=at,
        arrived_at=at,
    )


def _is_here(tenant: str) -> tuple[ColumnElement[bool], ...]:
    return Announced.tenant == tenant, Announced.arrived_at.is_not(None), Announced.deleted_at.is_(None)


def announced_by(session: Session, *, tenant: str, device: str, sha256: str) -> tuple[Announced, ...]:
    """What a verified record of this box said of the file; empty if nothing did."""
    mine = (Announced.tenant == tenant, Announced.device == device, Announced.sha256 == sha256)
    return tuple(session.scalars(select(Announced).where(*mine)))


def note_arrival(session: Session, *, tenant: str, sha256: str, at: datetime) -> bool:
    """The bytes are here: every incident they were announced for has them. Whether any was waiting for them."""
    waiting = (Announced.tenant == tenant, Announced.sha256 == sha256, Announced.arrived_at.is_(None))
    arrived = update(Announced).where(*waiting).values(arrived_at=at).returning(Announced.incident)
    return bool(session.scalars(arrived).all())


def note_never_to_come(
    session: Session, *, tenant: str, device: str, hashes: Collection[str], at: datetime
) -> frozenset[str]:
    """The box gave these files up before it could bring them; the incidents that they belonged to."""
    own = (Announced.tenant == tenant, Announced.device == device, Announced.sha256.in_(hashes))
    missing = session.scalars(select(Announced).where(*own, Announced.arrived_at.is_(None))).all()
    for row in missing:
        row.deleted_at, row.deleted_rule = at, GIVEN_UP
    return frozenset(row.incident for row in missing)


def files_of(session: Session, *, tenant: str, device: str, incident: str) -> tuple[Announced, ...]:
    """The files of one incident in the order they were announced, those that have not come included."""
    own = (Announced.tenant == tenant, Announced.device == device, Announced.incident == incident)
    return tuple(session.scalars(select(Announced).where(*own).order_by(Announced.announced_at, Announced.role)))


def find_file(session: Session, *, tenant: str, sha256: str) -> Stored | None:
    """A file whose bytes are here."""
    here = (*_is_here(tenant), Announced.sha256 == sha256)
    row = session.scalars(select(Announced).where(*here).limit(1)).first()
    return Stored(row.sha256, row.size_bytes, row.media_type, row.role) if row is not None else None


def lead_of_file(session: Session, *, tenant: str, sha256: str, lead_id: str) -> str:
    """This lead, if the file is one of its own; else nothing, so that nobody writes into another lead's chain."""
    own = (Announced.tenant == tenant, Announced.sha256 == sha256)
    places = session.execute(select(Announced.device, Announced.incident).where(*own))
    return lead_id if lead_id in {own_id(device, incident) for device, incident in places} else ""


def find_deleted(session: Session, *, tenant: str, sha256: str) -> Announced | None:
    """A file whose bytes were deleted; None for one that is here, or never was."""
    gone = (Announced.tenant == tenant, Announced.sha256 == sha256, Announced.deleted_at.is_not(None))
    return session.scalars(select(Announced).where(*gone).order_by(Announced.deleted_at.desc()).limit(1)).first()
