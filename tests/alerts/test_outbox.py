"""The outbox: nothing committed is lost, nothing is forgotten without a receipt, one box and one process each."""

import itertools
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import schema, wire
from alerts.control_messages import Disposition, Receipt
from alerts.errors import (
    MessageTooLarge,
    OutboxError,
    OutboxFull,
    OutboxInUse,
    OutboxOfAnother,
    OutboxTooNew,
    OutboxUnreadable,
)
from alerts.outbox import Counts, Outbox
from alerts.receipts import Ledger, lone_receipt
from alerts.records import FIRST_PREVHASH, hash_of, read_record
from tests.alerts.parts import NOON, kept_of, make_alert, make_clock, make_evidence, make_identity, receipt_of

IDENTITY = make_identity()
FIND = {IDENTITY.signing_key.key_id: IDENTITY.signing_key.verify_key}.get


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    with Outbox.open(path, identity=IDENTITY) as opened:
        yield opened


def append(outbox: Outbox, count: int = 1) -> None:
    for n in range(count):
        with outbox.transaction() as transaction:
            transaction.append(make_clock(n), at=NOON)


def fail_after_appending(outbox: Outbox, statement: str) -> None:
    """A transaction that does two things and is then given up."""

    def work() -> None:
        with outbox.transaction() as transaction:
            transaction.connection.execute(statement)
            transaction.append(make_alert(), at=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()


def sequences(outbox: Outbox) -> list[int]:
    return [pending.sequence for pending in outbox.due(limit=1000)]


def chain_is_whole(outbox: Outbox) -> bool:
    """Every record that waits names the one before it; the newest is the head."""
    records = [read_record(pending.raw, FIND) for pending in outbox.due(limit=10_000)]
    linked = all(later.prevhash == hash_of(earlier.raw) for earlier, later in itertools.pairwise(records))
    return linked and (not records or outbox.head() == (records[-1].sequence, records[-1].sha256))


def test_records_are_chained_from_64_zeros_on(outbox: Outbox) -> None:
    append(outbox, 3)
    records = [read_record(pending.raw, FIND) for pending in outbox.due(limit=10)]
    assert [record.sequence for record in records] == [1, 2, 3]
    assert [record.prevhash for record in records] == [FIRST_PREVHASH, records[0].sha256, records[1].sha256]
    assert {record.epoch for record in records} == {outbox.epoch}


def test_an_outbox_continues_its_chain_after_it_was_closed_and_emptied(path: Path) -> None:
    with Outbox.open(path, identity=IDENTITY) as first:
        append(first, 2)
        first.settle(receipt_of(first, 2), at=NOON)
        epoch, head = first.epoch, first.head()
    with Outbox.open(path, identity=IDENTITY) as second:
        append(second)
        (pending,) = second.due(limit=10)
        record = read_record(pending.raw, FIND)
    assert (record.epoch, record.sequence, record.prevhash) == (epoch, 3, head[1])


def test_each_new_outbox_begins_an_epoch_of_its_own(tmp_path: Path) -> None:
    epochs = set()
    for name in "abc":
        with Outbox.open(tmp_path / name, identity=IDENTITY) as opened:
            epochs.add(opened.epoch)
    assert len(epochs) == 3


def test_the_callers_state_is_committed_with_the_message_or_not_at_all(outbox: Outbox) -> None:
    with outbox.transaction() as transaction:
        transaction.connection.execute("CREATE TABLE incident (id TEXT)")
    with outbox.transaction() as transaction:
        transaction.connection.execute("INSERT INTO incident VALUES ('kept')")
        transaction.append(make_alert(), at=NOON)
    fail_after_appending(outbox, "INSERT INTO incident VALUES ('lost')")
    with outbox.reading() as connection:
        assert connection.execute("SELECT id FROM incident").fetchall() == [("kept",)]
    assert sequences(outbox) == [1]
    append(outbox)
    assert chain_is_whole(outbox)


def test_live_records_come_before_the_backlog_each_in_order(outbox: Outbox) -> None:
    append(outbox, 6)
    due = outbox.due(limit=5, live_after=4, exclude={6, 1})
    assert [pending.sequence for pending in due] == [5, 2, 3, 4]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sets(st.integers(1, 12)), st.sets(st.integers(1, 12)))
def test_exactly_what_a_receipt_names_is_forgotten(tmp_path: Path, stored: set[int], aside: set[int]) -> None:
    file = tmp_path / "property.db"
    for part in tmp_path.glob("property.db*"):
        part.unlink()
    with Outbox.open(file, identity=IDENTITY) as outbox:
        append(outbox, 12)
        kept = [kept_of(outbox, n, Disposition.QUARANTINED) for n in aside] + [kept_of(outbox, n) for n in stored]
        settled = outbox.settle(Ledger.of(kept).receipt(), at=NOON)
        assert set(sequences(outbox)) == set(range(1, 13)) - stored - aside
        assert (settled.stored, settled.quarantined, settled.is_forked) == (stored - aside, aside, False)
        assert outbox.counts().quarantined_records == len(aside)


def test_a_receipt_beyond_what_was_ever_made_does_no_harm(outbox: Outbox) -> None:
    append(outbox, 2)
    settled = outbox.settle(Receipt(cumulative=2**53 - 1, sha256="a" * 64), at=NOON)
    append(outbox)
    assert settled.is_forked
    assert sequences(outbox) == [1, 2, 3]


def test_files_wait_for_their_record_and_are_given_up_with_it(outbox: Outbox) -> None:
    for letter in "ab":
        with outbox.transaction() as transaction:
            transaction.append(make_evidence(letter * 64), at=NOON)
            transaction.queue_upload(letter * 64, size_bytes=3)
    assert outbox.counts() == Counts(2, 2, 0, 0, 0, 0)
    outbox.settle(receipt_of(outbox, 2, 2), at=NOON)
    assert outbox.counts() == Counts(0, 1, 1, 0, 0, 0)


def test_a_file_is_queued_only_after_its_record(outbox: Outbox) -> None:
    with pytest.raises(OutboxError, match="after the record"), outbox.transaction() as transaction:
        transaction.queue_upload("a" * 64, size_bytes=3)


def test_a_message_that_no_reader_would_take_is_refused_at_once(outbox: Outbox) -> None:
    endless = make_evidence().model_copy(update={"incident": "x" * (wire.MAX_BYTES * 3 // 4)})
    with pytest.raises(MessageTooLarge, match="at most 262144 travel"), outbox.transaction() as transaction:
        transaction.append(endless, at=NOON)
    assert outbox.head() == (0, FIRST_PREVHASH)


def test_many_threads_make_one_unbroken_chain(outbox: Outbox) -> None:
    threads = [threading.Thread(target=append, args=(outbox, 10)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sequences(outbox) == list(range(1, 41))
    assert chain_is_whole(outbox)


def test_listeners_hear_of_commits_and_not_of_rollbacks(outbox: Outbox) -> None:
    heard: list[int] = []
    outbox.add_listener(lambda: heard.append(outbox.head()[0]))
    append(outbox)
    fail_after_appending(outbox, "SELECT 1")
    append(outbox)
    assert heard == [1, 2]


def test_a_second_process_is_told_that_the_box_runs_already(path: Path, outbox: Outbox) -> None:
    with pytest.raises(OutboxInUse, match="running already"):
        Outbox.open(path, identity=IDENTITY)
    outbox.close()
    Outbox.open(path, identity=IDENTITY).close()


def test_an_outbox_of_another_box_is_not_continued(path: Path, outbox: Outbox) -> None:
    outbox.close()
    with pytest.raises(OutboxOfAnother, match="box-1 of demo-county"):
        Outbox.open(path, identity=make_identity(device="box-2"))


def test_what_is_no_outbox_is_said_and_left_alone(path: Path) -> None:
    path.write_bytes(b"this is not a database, it is a letter " * 100)
    with pytest.raises(OutboxUnreadable, match="move it aside"):
        Outbox.open(path, identity=IDENTITY)
    assert path.read_bytes().startswith(b"this is not")


def test_a_place_where_no_file_can_be_is_said_in_one_line(path: Path, tmp_path: Path) -> None:
    path.mkdir()
    (tmp_path / "file").touch()
    for impossible in (path, tmp_path / "file" / "outbox.db"):
        with pytest.raises(OutboxUnreadable) as caught:
            Outbox.open(impossible, identity=IDENTITY)
        assert "\n" not in str(caught.value)


def test_an_outbox_of_a_newer_version_is_not_touched(path: Path, outbox: Outbox) -> None:
    outbox.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OutboxTooNew, match="version 99"):
        Outbox.open(path, identity=IDENTITY)


def test_an_older_outbox_becomes_a_newer_one_with_everything_in_it(path: Path, outbox: Outbox) -> None:
    append(outbox, 3)
    before = outbox.due(limit=10)
    outbox.close()
    newer = (*schema.MIGRATIONS, ("ALTER TABLE records ADD COLUMN note TEXT NOT NULL DEFAULT 'old'",))
    with Outbox.open(path, identity=IDENTITY, migrations=newer) as migrated:
        assert migrated.due(limit=10) == before
        append(migrated)
        with migrated.reading() as connection:
            assert connection.execute("SELECT count(*) FROM records WHERE note = 'old'").fetchone() == (4,)
            assert connection.execute("PRAGMA user_version").fetchone() == (len(newer),)


def test_a_migration_that_fails_leaves_the_outbox_as_it_was(path: Path, outbox: Outbox) -> None:
    append(outbox, 2)
    outbox.close()
    broken = (*schema.MIGRATIONS, ("DELETE FROM records", "no statement at all"))
    with pytest.raises(sqlite3.OperationalError):
        Outbox.open(path, identity=IDENTITY, migrations=broken)
    with Outbox.open(path, identity=IDENTITY) as again:
        assert sequences(again) == [1, 2]


def test_a_full_database_says_so_keeps_what_it_has_and_recovers(outbox: Outbox) -> None:
    append(outbox, 5)
    (pages,) = outbox._connection.execute("PRAGMA page_count").fetchone()
    outbox._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxFull, match="disk is full") as caught:
        append(outbox, 500)
    kept = sequences(outbox)
    assert "\n" not in str(caught.value)
    assert outbox.trouble
    assert kept[:5] == [1, 2, 3, 4, 5]
    assert chain_is_whole(outbox)
    outbox.settle(receipt_of(outbox, 2), at=NOON)
    outbox._connection.execute("PRAGMA max_page_count = 100000")
    append(outbox, 5)
    assert not outbox.trouble
    assert sequences(outbox) == list(range(3, kept[-1] + 6))
    assert chain_is_whole(outbox)


def test_each_connection_has_a_greater_number_through_restarts_clocks_of_1970_and_full_disks(path: Path) -> None:
    numbers = []
    for at in (NOON, datetime(1970, 1, 1, tzinfo=UTC), NOON):
        with Outbox.open(path, identity=IDENTITY) as outbox:
            numbers += [outbox.next_connection(at=at) for _ in range(2)]
    with Outbox.open(path, identity=IDENTITY) as outbox:
        fill_disk_at(outbox, "UPDATE OF connection ON chain")
        numbers += [outbox.next_connection(at=NOON) for _ in range(2)]
        assert "full" in outbox.trouble
    assert numbers == sorted(set(numbers))


def fill_disk_at(outbox: Outbox, event: str) -> None:
    """From now on there is no room for this."""
    outbox._connection.execute("CREATE TABLE ballast (bytes BLOB)")
    outbox._connection.execute(
        f"CREATE TRIGGER full AFTER {event} BEGIN INSERT INTO ballast VALUES (zeroblob(9999)); END"
    )
    (pages,) = outbox._connection.execute("PRAGMA page_count").fetchone()
    outbox._connection.execute(f"PRAGMA max_page_count = {pages}")


@pytest.fixture
def copied(path: Path, tmp_path: Path) -> Iterator[tuple[Outbox, Outbox]]:
    """Two boxes with one state: a card was copied after the third record, of which the centre has none yet."""
    with Outbox.open(path, identity=IDENTITY) as first:
        append(first, 3)
    shutil.copy(path, tmp_path / "copy.db")
    with Outbox.open(path, identity=IDENTITY) as one, Outbox.open(tmp_path / "copy.db", identity=IDENTITY) as other:
        append(one, 2)
        for number in (101, 102):
            with other.transaction() as transaction:
                transaction.append(make_clock(number), at=NOON)
        yield one, other


def test_a_receipt_for_a_copy_of_this_box_lets_nothing_be_forgotten_that_only_this_one_has(
    copied: tuple[Outbox, Outbox],
) -> None:
    one, other = copied
    settled = one.settle(receipt_of(other, 5), at=NOON)
    assert settled.is_forked
    assert sequences(one) == [1, 2, 3, 4, 5]
    assert one.settle(receipt_of(other, 3), at=NOON).stored == {1, 2, 3}
    assert sequences(one) == [4, 5]


def test_each_of_two_copies_forgets_its_own_record_and_not_the_others(copied: tuple[Outbox, Outbox]) -> None:
    one, other = copied
    receipt = lone_receipt(kept_of(other, 4))
    assert (one.settle(receipt, at=NOON).stored, other.settle(receipt, at=NOON).stored) == (set(), {4})
    assert 4 in sequences(one)


def test_what_was_forgotten_still_tells_whose_chain_a_later_receipt_speaks_of(copied: tuple[Outbox, Outbox]) -> None:
    one, other = copied
    foreign = receipt_of(other, 5)
    one.settle(lone_receipt(kept_of(one, 5)), at=NOON)
    assert one.settle(foreign, at=NOON).is_forked
    assert sequences(one) == [1, 2, 3, 4]
    one.settle(receipt_of(one, 4), at=NOON)
    with one.reading() as connection:
        assert connection.execute("SELECT count(*) FROM settled").fetchone() == (0,)


def test_a_box_that_was_set_back_and_says_nothing_new_gets_rid_of_what_the_centre_has(
    copied: tuple[Outbox, Outbox],
) -> None:
    set_back, ahead = copied
    with set_back.transaction() as transaction:
        transaction.connection.execute("DELETE FROM records WHERE sequence > 3")
        transaction.connection.execute(
            "UPDATE chain SET sequence = 3, sha256 = (SELECT sha256 FROM records WHERE sequence = 3)"
        )
    ledger = Ledger.of([kept_of(ahead, number) for number in range(1, 6)])
    for number in (1, 2, 3):
        settled = set_back.settle(ledger.receipt(kept_of(ahead, number)), at=NOON)
        assert (settled.stored, settled.is_forked) == ({number}, True)
    assert sequences(set_back) == []
