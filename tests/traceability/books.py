"""Databases for tests: empty, or with the demo county as it stands on a Thursday morning."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from sqlite3 import Connection

import pytest
from sqlalchemy import Engine, StaticPool, create_engine, event
from sqlalchemy.orm import Session

from center.county.seeding import seed
from enforcement.records import METADATA
from traceability.lots import InputKind, Lot, LotInput

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


@pytest.fixture
def books() -> Iterator[Session]:
    """Empty tables."""
    with empty_books() as session:
        yield session


@pytest.fixture
def county() -> Iterator[Session]:
    """The demo county at `NOW`."""
    with demo_books() as session:
        yield session


def blend(session: Session, lot: str, parents: Mapping[str, int], *, organic_state: str = "conventional") -> None:
    """A lot made at `NOW` of so many grams of others."""
    session.add(
        Lot(
            tenant=TENANT,
            id=lot,
            plant_id="yx-plant",
            maker_id="yunxi-tea",
            product_kind_zh="拼配绿茶",
            product_kind_en="blend",
            made_g=sum(parents.values()),
            made_at=NOW,
            organic_state=organic_state,
        )
    )
    session.flush()
    kind = InputKind.LOT.value
    session.add_all(
        LotInput(tenant=TENANT, lot_id=lot, input_kind=kind, input_id=parent, input_g=grams)
        for parent, grams in parents.items()
    )
    session.flush()
