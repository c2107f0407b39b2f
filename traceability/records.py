"""The ground every table of the centre stands on: one metadata, aware UTC times, a tenant in every row.

`enforcement` and `center` build on the same `Base`, so one migration history covers the whole database.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from traceability.errors import NaiveTime

JsonObject = dict[str, Any]
JsonList = list[Any]

WIDE = BigInteger().with_variant(Integer(), "sqlite")
"""A number from the wire, up to 2**53 - 1: SQLite's integers are as wide as they need to be, PostgreSQL's are not."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def in_utc(at: datetime) -> datetime:
    """The same instant in UTC. Raises NaiveTime."""
    if at.tzinfo is UTC:
        return at
    if at.tzinfo is None:
        raise NaiveTime(f"{at.isoformat()} has no time zone; pass an aware time")
    return at.astimezone(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out, also on SQLite, which keeps no zone.

    Raises:
        NaiveTime: a time without a zone was to be stored or compared.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """To UTC, so that text comparison on SQLite orders by instant."""
        return in_utc(value) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """Back as aware UTC, whatever zone the driver answered in."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Declarative base of every table of the centre; constraints are named so that migrations can drop them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - the attribute SQLAlchemy looks for
        datetime: UtcDateTime(),
        str: Text(),
        JsonObject: JSON(),
        JsonList: JSON(),
    }


class OfTenant:
    """Mixin: the first column of every table and of every key, so that tenants can never meet."""

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True, sort_order=-20)


class Identified(OfTenant):
    """Mixin: a row known by tenant and a text id of its own."""

    id: Mapped[str] = mapped_column(String(128), primary_key=True, sort_order=-10)
