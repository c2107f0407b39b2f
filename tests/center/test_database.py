"""The database: written by one at a time, migrated by itself, the same shape whichever way it was made."""

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, Table, func, select, text
from sqlalchemy.exc import OperationalError

from alerts.keys import SigningKey
from center.database import Database
from center.errors import DatabaseTrouble
from center.evidence.custody import Act, chain_of
from center.log.heads import Notary
from center.log.records import LogTimestamp
from center.log.verification import verify_log
from center.records import METADATA
from center.schema import configuration, migrate, newest_version, version_of
from center.turns import Turns
from enforcement.leads import Lead, LeadLink, links_of
from tests.center.conftest import ON_BOTH
from tests.center.stage import TENANT, make_settings

VERSIONS = sorted(script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions())


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'center.sqlite3'}", busy_timeout_ms=20)
    yield opened
    opened.close()


@pytest.fixture(params=ON_BOTH)
def either(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database of either sort."""
    if request.param == "sqlite":
        yield request.getfixturevalue("database")
        return
    with request.getfixturevalue("postgres").empty() as url:
        opened = Database(url)
        yield opened
        opened.close()


TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


def shape(database: Database) -> tuple[list[object], set[str]]:
    """What differs from this program's tables, and the triggers."""
    with database.reading() as session:
        found = session.execute(text(TRIGGERS[database.engine.dialect.name])).scalars().all()
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        return list(compare_metadata(context, METADATA)), set(found)


def test_an_empty_database_migrates_to_the_shape_the_tables_say(either: Database) -> None:
    METADATA.create_all(either.engine)
    by_tables = shape(either)
    METADATA.drop_all(either.engine)
    migrate(either)

    assert by_tables[0] == []
    assert shape(either) == by_tables


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_becomes_the_newest(either: Database, version: str) -> None:
    with either.writing() as session:
        command.upgrade(configuration(session.connection()), version)

    migrate(either)

    assert shape(either)[0] == []
    with either.reading() as session:
        assert version_of(session.connection()) == newest_version()


def test_what_was_there_before_the_log_stands_in_it_after_the_step_to_a_version_that_has_one(either: Database) -> None:
    raw, at = b"a record", datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    own = {"tenant": TENANT, "device": "box", "sha256": sha256(raw).hexdigest(), "raw": raw}
    with either.writing() as session:
        connection = session.connection()
        command.upgrade(configuration(connection), "0005")
        tables = MetaData()
        for name, row in (
            ("device", own | {"id": "box"}),
            ("journal", own | {"disposition": "stored"}),
            ("quarantine", own | {"id": "q-1", "reason": "malformed"}),
            ("evidence_view", own | {"id": "v-1", "user_id": "officer-a", "reason": "check_lead"}),
        ):
            table = Table(name, tables, autoload_with=connection)
            connection.execute(table.insert().values(filled(table, at, **row)))

    migrate(either)

    notary = Notary(TENANT, "tea.example/log", SigningKey.generate())
    with either.reading(snapshot=True) as session:
        report = verify_log(session, notary)
        (look,) = chain_of(session, tenant=TENANT, lead_id="", files=[sha256(raw).hexdigest()])
    assert (report.troubles, report.leaves) == ([], 3)
    assert (look.act, look.who, look.reason, look.at) == (Act.VIEWED, "officer-a", "check_lead", at)


def test_links_that_each_lead_had_for_itself_are_shared_afterwards(either: Database) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with either.writing() as session:
        connection = session.connection()
        command.upgrade(configuration(connection), "0017")
        tables = MetaData()
        lead, link = (Table(name, tables, autoload_with=connection) for name in ("lead", "lead_link"))
        for name in ("a", "b", "c", "d"):
            connection.execute(
                lead.insert().values(filled(lead, at, tenant=TENANT, id=name, incident=name, objects=[], because={}))
            )
        for name, plots in (("a", (1, 2)), ("b", (1, 2)), ("c", (2, 1))):
            for number, plot in enumerate(plots, start=1):
                own = {"tenant": TENANT, "lead_id": name, "number": number, "target_id": f"p{plot}", "params": {"n": 1}}
                connection.execute(link.insert().values(filled(link, at, **own)))

    migrate(either)

    with either.reading() as session:
        linked = {
            name: [
                (link.number, link.target_id, link.params) for link in links_of(session, tenant=TENANT, lead_id=name)
            ]
            for name in ("a", "b", "c", "d")
        }
        assert session.scalar(select(func.count()).select_from(LeadLink)) == 4
    there, back = [(1, "p1", {"n": 1}), (2, "p2", {"n": 1})], [(1, "p2", {"n": 1}), (2, "p1", {"n": 1})]
    assert linked == {"a": there, "b": there, "c": back, "d": []}


def filled(table: Table, at: datetime, **known: object) -> dict[str, object]:
    """A row of this table."""
    return {each.name: known.get(each.name, any_of(each, at)) for each in table.columns}


def any_of(column: Column[Any], at: datetime) -> object:
    """Something this column takes."""
    kind = column.type.python_type
    return None if column.nullable else at if kind is datetime else kind()


def test_stamps_and_leads_of_before_are_kept_and_say_how_their_times_were_found(either: Database) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with either.writing() as session:
        connection = session.connection()
        command.upgrade(configuration(connection), "0022")
        tables = MetaData()
        stamp, lead = (Table(name, tables, autoload_with=connection) for name in ("log_timestamp", "lead"))
        connection.execute(stamp.insert().values(filled(stamp, at, tenant=TENANT, size=7, response=b"DER")))
        for name, clock, wrote in (("a", "synchronised", None), ("b", "unsynchronised", None), ("c", "unknown", at)):
            own = {"tenant": TENANT, "id": name, "incident": name, "objects": [], "because": {}, "clock": clock}
            connection.execute(lead.insert().values(filled(lead, at, **own, box_observed_at=wrote)))

    migrate(either)

    with either.reading() as session:
        stamps = session.execute(select(LogTimestamp.response, LogTimestamp.stamped_at, LogTimestamp.sha256)).all()
        sources = {row.id: row.time_source for row in session.execute(select(Lead.id, Lead.time_source))}
    assert stamps == [(b"DER", at, sha256(b"DER").hexdigest())]
    assert sources == {"a": "box", "b": "arrival", "c": "arrival"}


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)
    migrate(database)
    assert shape(database)[0] == []


def test_a_database_of_a_newer_version_is_refused_in_one_line(database: Database) -> None:
    migrate(database)
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseTrouble, match=r"cannot be brought to this version: Can't locate revision.*'9999'"):
        migrate(database)


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "center.sqlite3"
    path.write_text("no database, but long enough to be looked at as one" * 20)
    opened = Database(f"sqlite:///{path}")

    with pytest.raises(DatabaseTrouble, match="file is not a database"):
        migrate(opened)
    opened.close()


def fail_half_way(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("CREATE TABLE half_done (x)"))
        raise LookupError


def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    migrate(database)
    with pytest.raises(LookupError):
        fail_half_way(database)
    with pytest.raises(OperationalError, match="no such table"), database.reading() as session:
        session.execute(text("SELECT * FROM half_done"))


def test_a_writer_takes_its_lock_first_so_that_two_queue_and_readers_go_on(database: Database) -> None:
    migrate(database)
    with database.writing() as writer:
        writer.execute(text("SELECT 1"))
        with database.reading() as reader:
            assert reader.execute(text("SELECT count(*) FROM lead")).scalar() == 0
        with pytest.raises(OperationalError, match="locked"), database.writing() as second:
            second.execute(text("SELECT 1"))


def test_foreign_keys_are_enforced_and_the_journal_of_writes_is_ahead(database: Database) -> None:
    with database.reading() as session:
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert session.execute(text("PRAGMA synchronous")).scalar() == 2


def test_the_demo_county_holds_no_lead_task_finding_or_file(tmp_path: Path) -> None:
    settings: Any = make_settings(tmp_path / "centre")
    connection = sqlite3.connect(settings.data / "center.sqlite3")
    tables = ("lead", "task", "task_event", "finding", "journal", "announced_file", "quarantine", "device")
    assert {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
    } == dict.fromkeys(tables, 0)
    connection.close()


PATIENT_S = 10


def test_who_wants_to_write_gets_in_as_they_came(tmp_path: Path) -> None:
    opened, order, threads = Database(f"sqlite:///{tmp_path / 'center.sqlite3'}"), [], []
    with opened.writing() as session:
        session.execute(text("CREATE TABLE told (word TEXT)"))

        def write(word: str) -> None:
            with opened.writing() as own:
                own.execute(text("INSERT INTO told VALUES (:word)"), {"word": word})
                order.append(word)

        for place, word in enumerate(words := ("first", "second", "third", "fourth", "fifth", "sixth"), start=1):
            threads.append(threading.Thread(target=write, args=(word,)))
            threads[-1].start()
            assert await_line(opened.turns, place + 1)
    for thread in threads:
        thread.join(PATIENT_S)
    assert order == list(words)
    assert len(opened.turns) == 0
    opened.close()


def await_line(turns: Turns, length: int) -> bool:
    """Whether so many have it or wait for it, before long."""
    for _ in range(10_000):
        if len(turns) == length:
            return True
        threading.Event().wait(0.001)
    return False


def test_a_turn_that_was_not_waited_for_is_passed_on_all_the_same() -> None:
    turns = Turns()
    first, hasty = turns.take(0), turns.take(0)
    hasty.leave()
    assert not hasty.has_come.is_set()
    late = turns.take(0)
    first.leave()
    first.leave()
    assert late.has_come.is_set()
    assert len(turns) == 1


def test_a_writer_that_fails_leaves_the_line(database: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"), database.writing() as session:
        session.execute(text("INSERT INTO nowhere VALUES (1)"))
    assert len(database.turns) == 0
