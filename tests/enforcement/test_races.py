"""Two people, one task: whatever the timing, one step is made and the other is told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from center.county.seeding import seed
from center.database import Database
from enforcement.actors import Actor
from enforcement.errors import Conflict, StaleTask
from enforcement.findings import publish_finding, write_finding
from enforcement.task_records import history_of, task_by_id
from enforcement.tasks import move_task
from enforcement.transitions import Move
from tests.enforcement.alerts_told import COLLEAGUE, HEAD, OFFICER, task_of
from tests.traceability.books import NOW, TENANT, fresh_engine


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A database file with the demo county and one open task."""
    url = f"sqlite:///{tmp_path / 'center.sqlite3'}"
    engine = fresh_engine(url)
    with Session(engine) as session, session.begin():
        seed(session, tenant=TENANT, now=NOW)
        task_of(session)
    engine.dispose()
    return url


@pytest.fixture
def database(file: str) -> Iterator[Database]:
    database = Database(file)
    yield database
    database.close()


TASK = "box-demo-01.i1"


def acknowledge(session: Session, by: Actor, expected_version: int | None = 1) -> None:
    move_task(
        session,
        tenant=TENANT,
        task_id=TASK,
        move=Move.ACKNOWLEDGE,
        by=by,
        at=NOW,
        expected_version=expected_version,
    )


@pytest.mark.parametrize("expected_version", [1, None], ids=["with version", "without"])
def test_of_many_clicks_at_once_exactly_one_counts(database: Database, expected_version: int | None) -> None:
    people = [OFFICER, COLLEAGUE, HEAD, OFFICER]
    ready = Barrier(len(people))

    def click(by: Actor) -> bool:
        ready.wait(timeout=30)
        try:
            with database.writing() as session:
                acknowledge(session, by, expected_version)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(len(people)) as pool:
        assert sum(pool.map(click, people)) == 1
    with database.reading() as session:
        task = task_by_id(session, tenant=TENANT, task_id=TASK)
        assert (task.state, task.version) == ("acknowledged", 2)
        assert [line.move for line in history_of(session, tenant=TENANT, task_id=TASK)] == ["open", "acknowledge"]


def before_first(engine: Engine, statement_start: str, act: Any) -> None:
    """Do something on another connection between reading and writing of a transaction."""
    waiting = [act]

    @event.listens_for(engine, "before_cursor_execute")
    def executed(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if waiting and statement.startswith(statement_start):
            waiting.pop()()


def test_a_step_made_between_reading_and_writing_is_noticed(file: str) -> None:
    mine, theirs = fresh_engine(file), fresh_engine(file)

    def they_are_faster() -> None:
        with Session(theirs) as session, session.begin():
            acknowledge(session, COLLEAGUE)

    before_first(mine, "UPDATE task", they_are_faster)
    with Session(mine) as session, pytest.raises(StaleTask, match="is acknowledged by now"):
        acknowledge(session, OFFICER, None)
    with Session(theirs) as session:
        lines = history_of(session, tenant=TENANT, task_id=TASK)
        assert [line.by_user for line in lines] == ["system", "officer-b"]
    mine.dispose()
    theirs.dispose()


def test_a_finding_is_published_once_however_often_it_is_clicked(database: Database) -> None:
    with database.writing() as session:
        acknowledge(session, OFFICER)
        move_task(session, tenant=TENANT, task_id=TASK, move=Move.START, by=OFFICER, at=NOW)
        finding = write_finding(
            session, tenant=TENANT, task_id=TASK, result="属实", measure="", language="zh-CN", by=OFFICER, at=NOW
        ).finding_id
    ready = Barrier(3)

    def click(_number: int) -> bool:
        ready.wait(timeout=30)
        try:
            with database.writing() as session:
                publish_finding(session, tenant=TENANT, finding_id=finding, by=OFFICER, at=NOW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(click, range(3))) == 1
