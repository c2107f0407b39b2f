"""Databases for tests: empty, or with the demo county as it stands on a Thursday morning."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from sqlite3 import Connection

from sqlalchemy import Engine, StaticPool, create_engine, event
from sqlalchemy.orm import Session

from center.county.seeding import seed
from enforcement.records import METADATA

TENANT = "county"
NOW = datetime(2026, 11, 19, 2, 0, tzinfo=UTC)  # a Thursday, 10:00 in Shanghai


def fresh_engine(url: str = "sqlite://") -> Engine:
    """Every table of the register and of enforcement, with foreign keys enforced."""
    engine = create_engine(url, poolclass=StaticPool) if url == "sqlite://" else create_engine(url)

    @event.listens_for(engine, "connect")
    def connected(connection: Connection, _record: object) -> None:
        connection.execute("PRAGMA foreign_keys=ON")

    METADATA.create_all(engine)
    return engine


@cache
def _empty() -> Engine:
    return fresh_engine()


@cache
def _demo() -> Engine:
    engine = fresh_engine()
    with Session(engine) as session, session.begin():
        seed(session, tenant=TENANT, now=NOW)
    return engine


@contextmanager
def empty_books() -> Iterator[Session]:
    """A session on empty tables; whatever it does is rolled back."""
    with Session(_empty()) as session:
        yield session
        session.rollback()


@contextmanager
def demo_books() -> Iterator[Session]:
    """A session on the demo county; whatever it does is rolled back."""
    with Session(_demo()) as session:
        yield session
        session.rollback()
