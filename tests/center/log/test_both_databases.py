"""The log on SQLite and on PostgreSQL: the same numbers, proofs and findings, also with several writers at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from alerts.leaves import LeafKind
from alerts.merkle import root_of, verify_inclusion
from center.errors import UnknownPerson
from center.log.erasure import erase_person
from center.log.proofs import prove_leaf, prove_reference
from center.log.records import LogCheckpoint, LogLeaf
from center.log.selfcheck import SelfCheck, last_check
from center.pages.logsearch import find_leaves
from tests.center.log.scene import PICTURE, fill, look, publish, verify
from tests.center.stage import TENANT, Stage, open_stage


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    with open_stage(tmp_path / "centre", database_url=database_url) as opened:
        yield opened


def test_the_log_is_filled_proven_verified_and_forgets_on_either_database(stage: Stage) -> None:
    box = stage.enrol_box()
    fill(stage, box)
    head = publish(stage)
    assert verify(stage, head.text).troubles == []
    with stage.office.database.reading() as session:
        proof = prove_reference(
            session, tenant=TENANT, kind=LeafKind.RECORD, reference=box.records[3].sha256, head=head
        )
    verify_inclusion(proof.path, leaf=proof.leaf.hash, index=proof.number, size=proof.size, root=proof.root)
    with stage.office.database.writing() as session:
        erase_person(session, tenant=TENANT, user_id="officer-a", ground="art. 47", at=stage.clock())
    report = verify(stage, head.text)
    assert (report.troubles, report.erased) == ([], 1)
    with stage.office.database.writing() as session, pytest.raises(UnknownPerson):
        erase_person(session, tenant=TENANT, user_id="officer-a", ground="again", at=stage.clock())


def test_the_self_check_and_the_search_of_the_page_say_the_same_on_either_database(stage: Stage) -> None:
    box = stage.enrol_box()
    fill(stage, box)
    check = SelfCheck(stage.office.database, stage.office.notary, now=stage.clock)
    check.run_due(lambda: False)
    with stage.office.database.reading() as session:
        last = last_check(session, TENANT, stage.clock())
        assert last is not None
        assert (last.leaves, last.holds, last.troubles) == (25, True, [])
        for words, numbers in {
            box.records[0].sha256: [1],
            "4": [4],
            PICTURE: [24, 23],
            f"{box.identity.device}.i-1": [1],
            "no such lead": [],
            "99": [],
        }.items():
            assert [leaf.number for leaf in find_leaves(session, tenant=TENANT, words=words)] == numbers, words


def test_writers_at_once_leave_no_gap_even_when_some_of_them_are_the_first_of_their_name(stage: Stage) -> None:
    def look_often(name: str) -> None:
        for _ in range(5):
            with stage.office.database.writing() as session:
                look(session, stage, name)
                look(session, stage, "officer-of-all")

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(look_often, f"officer-{number}") for number in range(4)]:
            done.result()
    rows = sorted(stage.all(LogLeaf), key=lambda row: row.number)
    assert [row.number for row in rows] == list(range(40))
    head = publish(stage)
    assert head.root == root_of(row.hash for row in rows)
    with stage.office.database.reading() as session:
        assert prove_leaf(session, tenant=TENANT, number=39, head=head).path
    assert verify(stage).troubles == []


SEVERAL_WRITERS = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.system("postgresql"))], indirect=True
)
"""SQLite has one writer at a time: nobody comes between two statements of it."""


@contextmanager
def meanwhile(stage: Stage, statement: str, do: Callable[[], object]) -> Iterator[None]:
    """Have something done by somebody else right before the first statement that begins so."""
    engine, waiting = stage.office.database.engine, [do]

    def execute(*told: object) -> None:
        if waiting and str(told[2]).startswith(statement):
            waiting.pop()()

    event.listen(engine, "before_cursor_execute", execute)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", execute)
    assert not waiting


@SEVERAL_WRITERS
def test_a_look_that_comes_during_an_erasure_does_not_vanish_with_its_leaf_left_behind(stage: Stage) -> None:
    fill(stage, stage.enrol_box())

    def look_again() -> None:
        with suppress(OperationalError), stage.office.database.writing() as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            look(session, stage, "officer-a")

    with meanwhile(stage, "DELETE FROM log_opening", look_again), stage.office.database.writing() as session:
        erase_person(session, tenant=TENANT, user_id="officer-a", ground="art. 47", at=stage.clock())
    assert verify(stage).troubles == []


@SEVERAL_WRITERS
def test_a_head_that_two_publish_at_once_is_one_head(stage: Stage) -> None:
    with stage.office.database.writing() as session:
        look(session, stage, "officer-a")
    with meanwhile(stage, "INSERT INTO log_checkpoint", lambda: publish(stage)):
        assert publish(stage).size == 1
    assert [row.size for row in stage.all(LogCheckpoint)] == [1]
