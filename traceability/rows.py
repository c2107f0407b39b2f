"""Many rows at once, past the session's own book-keeping of objects.

SQLite's driver gets them as tuples: of a batch of alerts SQLAlchemy would otherwise spend more time on the names of
parameters than the database on writing. PostgreSQL gets all of them in one statement, as one JSON text: one message
there and back, and one plan.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVarTuple

from pydantic_core import to_json
from sqlalchemy import (
    JSON,
    Dialect,
    Insert,
    Row,
    Table,
    TableValuedAlias,
    Text,
    Update,
    bindparam,
    cast,
    column,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.types import TypeEngine

from traceability.records import Base, UtcDateTime, in_utc

Rows = Sequence[Mapping[str, Any]]
Columns = TypeVarTuple("Columns")


def read_rows(
    session: Session, statement: TypedReturnsRows[*Columns], values: Mapping[str, Any]
) -> Sequence[Row[*Columns]]:
    """The rows of a question for columns; of what the session holds and has not flushed they know nothing."""
    return session.connection().execute(statement, values).all()


def insert_rows(session: Session, kind: type[Base], rows: Rows) -> None:
    """Insert rows, all with the same columns."""
    _write(session, kind, rows, _insertion, _insertion_of_one)


def insert_missing_rows(session: Session, kind: type[Base], rows: Rows) -> None:
    """Insert rows, all with the same columns, but for those that are there already, whoever wrote them."""
    _write(session, kind, rows, _insertion_of_missing, _insertion_of_one_missing)


def change_rows(session: Session, kind: type[Base], rows: Rows) -> None:
    """Change rows that are there, all in the same columns; the columns of the primary key say which."""
    _write(session, kind, rows, _change, _change_of_one)


class _Prepared(NamedTuple):
    """SQL with a question mark for each of these columns, and what makes their values the database's."""

    sql: str
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def values(self, rows: Rows) -> list[tuple[Any, ...]]:
        """Column by column, each value once: the rows of a batch share times and reasons."""
        return list(
            zip(*(_convert([row[name] for row in rows], process) for name, process in self.columns), strict=True)
        )


def _convert(cells: list[Any], process: Callable[[Any], Any] | None) -> list[Any]:
    if process is None:
        return cells
    converted = {number: process(cell) for number, cell in {id(cell): cell for cell in cells}.items()}
    return [converted[id(cell)] for cell in cells]


def _write(
    session: Session,
    kind: type[Base],
    rows: Rows,
    of_all: Callable[[Table, tuple[str, ...]], Insert | Update],
    of_one: Callable[[Table, tuple[str, ...]], Insert | Update],
) -> None:
    if not rows:
        return
    table, names = Base.metadata.tables[kind.__tablename__], tuple(rows[0])
    dialect = session.get_bind().dialect
    if dialect.name == "postgresql":
        told = json.dumps(rows, default=_as_text, separators=(",", ":"))
        session.execute(of_all(table, names), {"told": told})
    else:
        prepared = _prepare(of_one, table, names, dialect)
        session.connection().exec_driver_sql(prepared.sql, prepared.values(rows))


@lru_cache(maxsize=256)
def _prepare(
    of_one: Callable[[Table, tuple[str, ...]], Insert | Update], table: Table, names: tuple[str, ...], dialect: Dialect
) -> _Prepared:
    compiled = of_one(table, names).compile(dialect=dialect)
    order = [key.removeprefix(_PREFIX) for key in compiled.positiontup or ()]
    return _Prepared(str(compiled), tuple((name, _processor(table.c[name].type, dialect)) for name in order))


def _processor(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes values of this type SQLite's: times and JSON as SQLAlchemy writes them, in a third of its time."""
    if isinstance(kind, UtcDateTime):
        return lambda at: in_utc(at).replace(tzinfo=None).isoformat(" ", "microseconds") if at is not None else None
    if isinstance(kind, JSON):
        return lambda value: to_json(value).decode()
    return kind.dialect_impl(dialect).bind_processor(dialect)


_PREFIX = "told_"


def _insertion_of_one(table: Table, names: tuple[str, ...]) -> sqlite.Insert:
    return sqlite.insert(table).values({name: bindparam(_PREFIX + name) for name in names})


def _insertion_of_one_missing(table: Table, names: tuple[str, ...]) -> Insert:
    return _insertion_of_one(table, names).on_conflict_do_nothing()


def _change_of_one(table: Table, names: tuple[str, ...]) -> Update:
    keys = {key.name for key in table.primary_key}
    own = [table.c[name] == bindparam(_PREFIX + name) for name in names if name in keys]
    return update(table).where(*own).values({name: bindparam(_PREFIX + name) for name in names if name not in keys})


@cache
def _insertion(table: Table, names: tuple[str, ...]) -> postgresql.Insert:
    told = _told(table, names)
    return postgresql.insert(table).from_select(names, select(*(told.c[name] for name in names)))


@cache
def _insertion_of_missing(table: Table, names: tuple[str, ...]) -> Insert:
    return _insertion(table, names).on_conflict_do_nothing()


@cache
def _change(table: Table, names: tuple[str, ...]) -> Update:
    told = _told(table, names)
    keys = {key.name for key in table.primary_key}
    own = [table.c[name] == told.c[name] for name in names if name in keys]
    return update(table).where(*own).values({name: told.c[name] for name in names if name not in keys})


def _told(table: Table, names: tuple[str, ...]) -> TableValuedAlias:
    """The rows of the statement's JSON text, as a table."""
    rows = func.json_to_recordset(cast(bindparam("told", type_=Text), JSON))
    return rows.table_valued(*(column(name, table.c[name].type) for name in names)).render_derived(with_types=True)


def _as_text(value: object) -> object:
    """As PostgreSQL reads it. Raises NaiveTime."""
    match value:
        case datetime():
            return in_utc(value).isoformat()
        case bytes():
            return f"\\x{value.hex()}"
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"a column cannot hold a {type(value).__name__}")
