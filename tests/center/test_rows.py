"""Rows written by the hundred read back as what was written, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from center.database import Database
from center.log.records import LogLeaf
from center.records import METADATA
from enforcement.leads import Lead
from tests.center.conftest import ON_BOTH
from tests.enforcement.alerts_told import PARKED
from traceability.errors import NaiveTime
from traceability.rows import change_rows, insert_rows

AT = datetime(2026, 3, 1, 8, 30, 0, 120_000, tzinfo=timezone(timedelta(hours=8)))
NASTY = '茶 "quoted" \\ %s :told {} \n \u2028'


@pytest.fixture(params=ON_BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'center.sqlite3'}")
        METADATA.create_all(opened.engine)
        yield opened
        opened.close()
        return
    with request.getfixturevalue("postgres").empty() as url:
        opened = Database(url)
        METADATA.create_all(opened.engine)
        yield opened
        opened.close()


def lead(number: int, **changed: Any) -> dict[str, Any]:
    told = {name: getattr(PARKED, name) for name in PARKED.__slots__}
    told |= {"objects": [{"class_name": NASTY}], "because": {"说": NASTY, "n": 2**60}}
    own = {"id": f"lead-{number}", "incident": f"i-{number}", "received_at": AT, "closed_at": None}
    return told | own | {"linked_for": None, "linked_camera": None, "links_id": None} | changed


def written(database: Database) -> list[Lead]:
    with database.reading() as session:
        found = session.scalars(select(Lead).order_by(Lead.id)).all()
        session.expunge_all()
    return list(found)


def test_what_is_written_reads_back_whatever_it_holds(database: Database) -> None:
    leads = [lead(number, zone=NASTY, revision=2**53 - 1) for number in range(3)]

    with database.writing() as session:
        insert_rows(session, Lead, leads)

    for row, told in zip(written(database), leads, strict=True):
        assert {name: getattr(row, name) for name in told} == told
        assert row.received_at.tzinfo is UTC


def test_bytes_read_back(database: Database) -> None:
    leaf = {"tenant": "t", "number": 2**40, "kind": "record", "at": AT, "commitment": bytes(range(32)), "hash": b"\\x"}

    with database.writing() as session:
        insert_rows(session, LogLeaf, [leaf])

    with database.reading() as session:
        row = session.scalars(select(LogLeaf)).one()
        assert {name: getattr(row, name) for name in leaf} == leaf


def test_rows_are_changed_each_by_its_own_key(database: Database) -> None:
    with database.writing() as session:
        insert_rows(session, Lead, [lead(number) for number in range(3)])
        changes = [{"tenant": PARKED.tenant, "id": f"lead-{n}", "linked_for": AT, "camera": f"cam-{n}"} for n in (0, 2)]
        change_rows(session, Lead, changes)

    assert [(row.camera, row.linked_for) for row in written(database)] == [
        ("cam-0", AT),
        (PARKED.camera, None),
        ("cam-2", AT),
    ]


def test_no_row_is_written_of_rows_of_which_one_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        insert_rows(session, Lead, [lead(1), lead(2), lead(1)])

    assert written(database) == []


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(NaiveTime), database.writing() as session:
        insert_rows(session, Lead, [lead(1, observed_at=AT.replace(tzinfo=None))])
