"""A centre that has rehearsed takes the first alert in as quickly as any other, and nothing of the rehearsal stays."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.engine.interfaces import CacheStats

from alerts.messages import Phase
from center.database import Database
from center.feed.hub import Topic
from center.intake.filing import Outcome
from center.records import METADATA
from tests.center.stage import Box, Stage, make_alert, make_artefact, make_clock, make_evidence, open_stage


@contextmanager
def compiled(database: Database) -> Iterator[list[str]]:
    """Statements that had to be compiled because this process had never run them."""
    new: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: Any) -> None:
        if context.cache_hit is CacheStats.CACHE_MISS:
            new.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield new
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    """The demo county's centre, on either database."""
    with open_stage(tmp_path / "centre", database_url=database_url) as opened:
        yield opened


def rows(database: Database) -> Mapping[str, int]:
    with database.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in METADATA.sorted_tables
        }


def first_words(box: Box) -> list[bytes]:
    opened = make_alert(evidence=(make_artefact(),))
    closed = make_alert(2, Phase.CLOSED)
    return [box.write(data).raw for data in (make_clock(), opened, make_evidence(make_artefact(b"drawn")), closed)]


@pytest.mark.parametrize("has_rehearsed", [True, False])
def test_after_a_rehearsal_the_first_incident_has_nothing_left_to_compile(
    stage: Stage, box: Box, *, has_rehearsed: bool
) -> None:
    if has_rehearsed:
        stage.desk.rehearse()
    with compiled(stage.office.database) as new:
        assert [stage.hear(raw) for raw in first_words(box)] == [Outcome.STORED] * 4
    assert bool(new) is not has_rehearsed, new


class Ear:
    """Whoever would be told of what was committed."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def tell_all(self, rows: Iterable[tuple[Topic, str]]) -> None:
        self.heard += rows


def test_nothing_of_a_rehearsal_stays_and_nobody_hears_of_it(stage: Stage, box: Box) -> None:
    ear = Ear()
    there = stage.with_database(Database(stage.office.settings.sqlalchemy_url, hub=ear))
    before = rows(stage.office.database)
    there.desk.rehearse()
    assert rows(stage.office.database) == before
    assert not ear.heard
    assert not there.sent
    assert [there.hear(raw) for raw in first_words(box)] == [Outcome.STORED] * 4
    assert ear.heard
    there.office.database.close()


def test_a_centre_without_boxes_has_nothing_to_rehearse(stage: Stage) -> None:
    with compiled(stage.office.database) as new:
        stage.desk.rehearse()
    assert not any("INSERT" in statement for statement in new)
