"""The centre's database: one engine, sessions that read and sessions that write.

SQLite runs with a write-ahead log, foreign keys and a busy timeout. A writing session takes the write lock at its
first statement (`BEGIN IMMEDIATE`), so two writers queue instead of failing half-way: those of this process in the
order they came (`turns`), those of others as SQLite lets them in. On PostgreSQL writers hold the
rows they are about to change (`SELECT … FOR UPDATE`): boxes, tasks, the head of the log. What is entered into the log
is appended just before the commit (`log.appending`), what pages must be told is told after it, never before (`feed`).
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Annotated, Any

import sqlalchemy
from fastapi import Depends, Request
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from center.errors import DatabaseTrouble
from center.feed.hub import Audience, spread
from center.log.appending import append_entered
from center.turns import Turn, Turns

BUSY_TIMEOUT_MS = 5000
_WRITES = "teawatch_writes"
_TURN = "teawatch_turn"


class Database:
    """The engine of one centre and the sessions on it. `close()` when done."""

    def __init__(self, url: str, *, hub: Audience | None = None, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        """`url` as SQLAlchemy writes it, `sqlite:////path/center.sqlite3`; `hub` hears what commits announce."""
        self.hub = hub
        self.engine: Engine = _make_engine(url)
        self.url = self.engine.url.render_as_string(hide_password=True)
        self.turns = Turns()
        """Who writes, and who waits for it: on SQLite only."""

        self._writer = self.engine.execution_options(**{_WRITES: True})
        if self.engine.dialect.name == "sqlite":
            _tune_sqlite(self.engine, self.turns, busy_timeout_ms)

    @contextmanager
    def reading(self, *, snapshot: bool = False) -> Iterator[Session]:
        """A session that changes nothing; with `snapshot` it sees one state throughout, as on SQLite it always does."""
        repeatable = snapshot and self.engine.dialect.name == "postgresql"
        engine = self.engine.execution_options(isolation_level="REPEATABLE READ") if repeatable else self.engine
        with Session(engine) as session:
            yield session
            session.rollback()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or rolls everything back if the block raises."""
        with Session(self._writer) as session:
            with session.begin():
                yield session
                append_entered(session)
            if self.hub is not None:
                spread(session, self.hub)

    @contextmanager
    def trying(self) -> Iterator[Session]:
        """A session as `writing` gives it, of which nothing stays and nobody is told."""
        with Session(self._writer) as session:
            yield session
            append_entered(session)
            session.rollback()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _make_engine(url: str) -> Engine:
    """`postgresql://…` means psycopg. Raises DatabaseTrouble."""
    try:
        where = sqlalchemy.make_url(url)
        if where.drivername == "postgresql":
            where = where.set(drivername="postgresql+psycopg")
        return sqlalchemy.create_engine(where, pool_pre_ping=where.get_backend_name() != "sqlite")
    except ModuleNotFoundError as error:
        raise DatabaseTrouble(f"{error.name} is missing: pip install 'teawatch[postgres]'") from error
    except ArgumentError as error:
        raise DatabaseTrouble(f"database_url cannot be read: {error}") from error


def _tune_sqlite(engine: Engine, turns: Turns, busy_timeout_ms: int) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"busy_timeout={busy_timeout_ms}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        _leave(connection.info)
        if writes:
            connection.info[_TURN] = turns.take(busy_timeout_ms / 1000)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @event.listens_for(engine, "checkin")
    def given_back(_connection: object, record: ConnectionPoolEntry) -> None:
        _leave(record.info)


def _leave(info: MutableMapping[Any, Any]) -> None:
    """End the turn of this connection, if it has one."""
    turn: Turn | None = info.pop(_TURN, None)
    if turn is not None:
        turn.leave()


def _reading(request: Request) -> Iterator[Session]:
    database: Database = request.app.state.office.database
    with database.reading() as session:
        yield session


def _writing(request: Request) -> Iterator[Session]:
    database: Database = request.app.state.office.database
    with database.writing() as session:
        yield session


Reading = Annotated[Session, Depends(_reading)]
"""A route's parameter: a session that only reads."""

Writing = Annotated[Session, Depends(_writing, scope="function")]
"""A route's parameter: a session that is committed before the answer goes out, and rolled back if the route raises."""
