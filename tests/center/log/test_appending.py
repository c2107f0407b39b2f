"""Leaves come into the log with what they are about, or not at all, and every one of them proves itself."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from alerts.checkpoints import open_checkpoint
from alerts.control_messages import Disposition
from alerts.leaves import LeafKind
from alerts.merkle import root_of, verify_consistency, verify_inclusion
from center.errors import LogDamaged, NotInLog
from center.log.appending import enter
from center.log.entries import enter_records
from center.log.heads import Notary, publish_head
from center.log.proofs import prove_leaf, prove_reference
from center.log.publishing import HeadClock
from center.log.records import LogCheckpoint, LogLeaf, LogNode, LogOpening
from center.log.tree import head_of, prove_consistency
from tests.center.stage import BOX, NOW, TENANT, Box, Stage, make_alert, make_clock


def say(session: Session, word: str) -> None:
    enter(session, tenant=TENANT, kind=LeafKind.CUSTODY, fields={"word": word}, reference=word, at=NOW)


def fill(stage: Stage, count: int) -> None:
    with stage.office.database.writing() as session:
        for number in range(count):
            say(session, f"w{number}")


def words(stage: Stage) -> list[object]:
    return [row.opening.fields.get("word") for row in sorted(stage.all(LogOpening), key=lambda row: row.number)]


def root(stage: Stage) -> bytes:
    with stage.office.database.reading() as session:
        return head_of(session, TENANT).root


def test_leaves_are_numbered_from_0_and_the_head_is_the_root_over_all_of_them(stage: Stage) -> None:
    for count in (1, 40, 0, 3, 300):
        fill(stage, count)
    rows = sorted(stage.all(LogLeaf), key=lambda row: row.number)
    assert [row.number for row in rows] == list(range(344))
    assert root(stage) == root_of(row.leaf.hash for row in rows)
    assert [row.hash for row in rows] == [row.leaf.hash for row in rows]
    assert {(row.level, row.position) for row in stage.all(LogNode)} == {(4, n) for n in range(21)} | {(8, 0)}


def fail_inside(session: Session) -> None:
    with session.begin_nested():
        say(session, "goes")
        with session.begin_nested():
            say(session, "goes, for what is around it goes")
        raise LookupError


def fail_whole(stage: Stage) -> None:
    with stage.office.database.writing() as session:
        say(session, "never")
        raise LookupError


def test_what_is_rolled_back_takes_its_leaves_along(stage: Stage) -> None:
    with stage.office.database.writing() as session:
        say(session, "stays")
        with session.begin_nested():
            say(session, "stays too")
        with pytest.raises(LookupError):
            fail_inside(session)
        say(session, "last")
    with pytest.raises(LookupError):
        fail_whole(stage)
    assert words(stage) == ["stays", "stays too", "last"]


def fail_at_flush(session: Session) -> None:
    with session.begin_nested():
        say(session, "goes")
        session.add(LogCheckpoint(tenant=TENANT, size=1))
        session.flush()


def test_a_flush_that_fails_in_a_savepoint_takes_only_that_savepoints_leaves_along(stage: Stage) -> None:
    with stage.office.database.writing() as session:
        say(session, "stays")
        with pytest.raises(IntegrityError):
            fail_at_flush(session)
        say(session, "last")
    assert words(stage) == ["stays", "last"]


def test_several_writers_at_once_leave_no_gap_and_no_double(stage: Stage) -> None:
    threads = [threading.Thread(target=lambda: [fill(stage, 2) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = sorted(stage.all(LogLeaf), key=lambda row: row.number)
    assert [row.number for row in rows] == list(range(40))
    assert root(stage) == root_of(row.hash for row in rows)


@pytest.mark.parametrize("table", ["log_leaf", "log_node", "log_checkpoint"])
@pytest.mark.parametrize("wish", ["UPDATE {} SET tenant = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_rewrite_the_log(stage: Stage, table: str, wish: str) -> None:
    fill(stage, 16)
    head(stage)
    with pytest.raises(DatabaseError, match="append-only"), stage.office.database.writing() as session:
        session.execute(text(wish.format(table)))


def test_an_opening_may_be_erased_and_never_says_anything_else(stage: Stage) -> None:
    fill(stage, 2)
    with pytest.raises(DatabaseError, match="append-only"), stage.office.database.writing() as session:
        session.execute(text("UPDATE log_opening SET body = 'x'"))
    with stage.office.database.writing() as session:
        session.execute(text("DELETE FROM log_opening WHERE number = 0"))
    assert words(stage) == ["w1"]


def notary(stage: Stage) -> Notary:
    return Notary(TENANT, "tea.example/log", stage.office.keyring.signing_key)


def head(stage: Stage) -> LogCheckpoint:
    with stage.office.database.writing() as session:
        published = publish_head(session, notary(stage), stage.clock())
        session.flush()
        session.expunge(published)
    return published


def test_a_record_is_proven_to_somebody_who_has_the_key_alone(stage: Stage, box: Box) -> None:
    record = box.write(make_alert())
    stage.hear(record.raw)
    stage.hear(box.write(make_clock()).raw)
    published = head(stage)
    with stage.office.database.reading() as session:
        proof = prove_reference(session, tenant=TENANT, kind=LeafKind.RECORD, reference=record.sha256, head=published)

    key = stage.office.keyring.signing_key.verify_key
    opened = open_checkpoint(proof.checkpoint, origin="tea.example/log", key=key)
    verify_inclusion(proof.path, leaf=proof.leaf.hash, index=proof.number, size=opened.size, root=opened.root)
    assert proof.opening is not None
    proof.opening.check(proof.leaf)
    assert proof.leaf.kind is LeafKind.RECORD
    assert proof.leaf.at == NOW
    assert proof.opening.fields["record"] == record.sha256
    assert proof.opening.fields["disposition"] == "stored"
    assert BOX not in repr(proof)


def test_every_leaf_is_proven_against_every_head_that_covers_it(stage: Stage) -> None:
    heads = []
    for count in (1, 2, 14, 1, 50, 200):
        fill(stage, count)
        heads.append(head(stage))
    with stage.office.database.reading() as session:
        for published in heads:
            for number in range(0, published.size, 7):
                proof = prove_leaf(session, tenant=TENANT, number=number, head=published)
                verify_inclusion(
                    proof.path, leaf=proof.leaf.hash, index=number, size=published.size, root=published.root
                )
        for old in heads:
            path = prove_consistency(session, tenant=TENANT, first=old.size, second=heads[-1].size)
            new = heads[-1]
            verify_consistency(path, first=old.size, first_root=old.root, second=new.size, second_root=new.root)


def test_a_head_is_published_once_for_each_size(stage: Stage) -> None:
    fill(stage, 1)
    first = head(stage)
    stage.clock.advance(hours=1)
    again = head(stage)
    assert (again.text, again.published_at) == (first.text, first.published_at)
    fill(stage, 1)
    assert head(stage).size == 2


def test_a_batch_of_records_asks_once_for_its_box(stage: Stage) -> None:
    asked: list[str] = []

    def count(*told: object) -> None:
        asked.append(str(told[2]))

    event.listen(stage.office.database.engine, "before_cursor_execute", count)
    with stage.office.database.writing() as session:
        records = [(BOX, f"{number:064x}", Disposition.STORED) for number in range(50)]
        enter_records(session, tenant=TENANT, records=records, at=NOW)
    assert len([statement for statement in asked if "pseudonym" in statement]) <= 4
    assert len(asked) <= 20, "the leaves of a transaction are written together"


def test_a_running_centre_publishes_and_a_stopping_one_publishes_what_came_last(stage: Stage) -> None:
    fill(stage, 3)
    office = stage.office
    clock = HeadClock(office.database, office.notary, every=timedelta(hours=1), now=stage.clock)
    clock.start()
    clock.stop()
    assert [row.size for row in stage.all(LogCheckpoint)] == [3]
    HeadClock(office.database, office.notary, every=timedelta(hours=1), now=stage.clock).stop()
    assert [row.size for row in stage.all(LogCheckpoint)] == [3]


def test_what_the_log_does_not_have_is_not_proven(stage: Stage) -> None:
    fill(stage, 3)
    published = head(stage)
    fill(stage, 1)
    with stage.office.database.reading() as session:
        with pytest.raises(NotInLog, match="no leaf of kind record"):
            prove_reference(session, tenant=TENANT, kind=LeafKind.RECORD, reference="0" * 64, head=published)
        with pytest.raises(NotInLog, match="does not cover leaf 3"):
            prove_leaf(session, tenant=TENANT, number=3, head=published)


def test_a_log_with_a_hole_says_so_instead_of_proving(stage: Stage) -> None:
    fill(stage, 3)
    published = head(stage)
    with stage.office.database.writing() as session:
        session.execute(text("DROP TRIGGER log_leaf_no_delete"))
        session.execute(text("DELETE FROM log_leaf WHERE number = 1"))
    with stage.office.database.reading() as session, pytest.raises(LogDamaged, match="log verify"):
        prove_leaf(session, tenant=TENANT, number=0, head=published)


def test_what_came_and_what_was_put_aside_and_whose_key_it_is_stand_in_the_log(stage: Stage, box: Box) -> None:
    stage.hear(box.write(make_alert()).raw)
    stage.hear(b"nonsense")
    stage.hear(b"nonsense")
    stage.hear(box.records[0].raw)
    with stage.office.database.reading() as session:
        kinds = session.scalars(select(LogLeaf.kind).order_by(LogLeaf.number)).all()
    assert kinds == ["key", "record", "quarantine"]
