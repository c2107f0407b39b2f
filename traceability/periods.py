"""Dated rows: the register is never overwritten, so that it can be read as it stood at any instant.

A period is half-open, `[valid_from, valid_to)`, in aware UTC; `valid_to` is empty on the row in force. A change
closes the row in force and opens the next one at the same instant. Two rows of one id can never both be open:
a partial unique index says so in the database itself.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import BindParameter, CheckConstraint, ColumnElement, Index, Select, bindparam, or_, select, text
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from traceability.errors import BadPeriod
from traceability.records import Identified

STILL_OPEN = text("valid_to IS NULL")


class Dated(Identified):
    """Mixin of a register entry: what was true of `id` from `valid_from` until before `valid_to`."""

    __tablename__: str

    valid_from: Mapped[datetime] = mapped_column(primary_key=True, sort_order=-9)
    valid_to: Mapped[datetime | None] = mapped_column(sort_order=-8)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        """The period runs forward and at most one entry of an id is open."""
        return (
            CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period_runs_forward"),
            Index(
                f"uq_{cls.__tablename__}_one_open",
                "tenant",
                "id",
                unique=True,
                sqlite_where=STILL_OPEN,
                postgresql_where=STILL_OPEN,
            ),
            *cls.more_table_args(),
        )

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        """Foreign keys and indexes of the concrete table."""
        return ()

    @classmethod
    def standing_at(cls, at: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
        """SQL: the entry was in force at that instant."""
        return (cls.valid_from <= at) & or_(cls.valid_to.is_(None), cls.valid_to > at)


Entry = TypeVar("Entry", bound=Dated)


def entries_at(session: Session, kind: type[Entry], *, tenant: str, at: datetime) -> Sequence[Entry]:
    """Every entry of one register as it stood at that instant, by id."""
    return session.scalars(select(kind).where(kind.tenant == tenant, kind.standing_at(at)).order_by(kind.id)).all()


def entry_at(session: Session, kind: type[Entry], *, tenant: str, entry_id: str, at: datetime) -> Entry | None:
    """One entry as it stood at that instant."""
    standing = _standing(kind)  # type: ignore[arg-type]  # mypy takes no class of a type variable for hashable
    found: Entry | None = session.scalars(standing, {"tenant": tenant, "entry_id": entry_id, "at": at}).one_or_none()
    return found


@cache
def _standing(kind: type[Dated]) -> Select[Any]:
    own = (kind.tenant == bindparam("tenant"), kind.id == bindparam("entry_id"))
    return select(kind).where(*own, kind.standing_at(bindparam("at", type_=kind.valid_from.type)))


def succeed(session: Session, entry: Entry) -> Entry:
    """Put `entry` in force from its `valid_from`, closing the entry of the same id that stands then.

    The old row keeps everything it said; only its open end is set.

    Raises:
        BadPeriod: the new entry begins before, or together with, the one it would follow, or a later one exists.
    """
    kind = type(entry)
    latest = session.scalars(
        select(kind).where(kind.tenant == entry.tenant, kind.id == entry.id).order_by(kind.valid_from.desc()).limit(1)
    ).one_or_none()
    if latest is not None:
        if entry.valid_from <= latest.valid_from:
            raise BadPeriod(
                f"{kind.__tablename__} {entry.id}: a change dated {entry.valid_from.isoformat()} would come before "
                f"the entry of {latest.valid_from.isoformat()}; date it later"
            )
        if latest.valid_to is None or latest.valid_to > entry.valid_from:
            latest.valid_to = entry.valid_from
            session.flush()
    session.add(entry)
    session.flush()
    return entry


def close(session: Session, entry: Dated, at: datetime) -> None:
    """End an entry without a successor: the plot was cleared, the camera taken down.

    Raises:
        BadPeriod: the end is not after the beginning, or the entry has ended already.
    """
    if entry.valid_to is not None or at <= entry.valid_from:
        raise BadPeriod(f"{entry.__tablename__} {entry.id} cannot end at {at.isoformat()}")
    entry.valid_to = at
    session.flush()
