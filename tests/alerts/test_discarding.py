"""An outbox within its bytes: what is given up, in which order, and that it is said."""

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from alerts.control_messages import Disposition
from alerts.discarding import Limit
from alerts.messages import Alert, Dropped, Phase, Range
from alerts.outbox import Outbox
from alerts.records import JournalData, Record, read_record
from tests.alerts.parts import (
    NOON,
    kept_of,
    make_alert,
    make_clock,
    make_coverage,
    make_evidence,
    make_identity,
    receipt_of,
)

LIMIT = Limit(100_000)
KINDS: dict[str, JournalData] = {
    "coverage": make_coverage(),
    "clock": make_clock(),
    "updated": make_alert(2, Phase.UPDATED),
    "evidence": make_evidence(),
    "closed": make_alert(3, Phase.CLOSED),
    "opened": make_alert(),
}


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox.sqlite3", identity=make_identity(), limit=LIMIT) as opened:
        yield opened


def append(outbox: Outbox, *kinds: str) -> None:
    for kind in kinds:
        with outbox.transaction() as transaction:
            transaction.append(KINDS[kind], at=NOON)


def waiting(outbox: Outbox) -> list[Record]:
    key = outbox.identity.signing_key.verify_key
    with outbox.reading() as connection:
        rows = connection.execute("SELECT raw FROM records ORDER BY sequence").fetchall()
    return [read_record(raw, {key.key_id: key}.get) for (raw,) in rows]


def waiting_bytes(outbox: Outbox) -> tuple[int, int]:
    """As the database counts them, and as they are."""
    with outbox.reading() as connection:
        (counted,) = connection.execute("SELECT waiting_bytes FROM chain").fetchone()
    return counted, sum(len(record.raw) for record in waiting(outbox))


def given_up(outbox: Outbox) -> list[Dropped]:
    return [record.data for record in waiting(outbox) if isinstance(record.data, Dropped)]


def sequences(ranges: tuple[Range, ...]) -> set[int]:
    return {sequence for each in ranges for sequence in range(each.first, each.last + 1)}


def kind_of(record: Record) -> str:
    return str(record.data.phase) if isinstance(record.data, Alert) else type(record.data).__name__.lower()


@pytest.mark.parametrize(("first", "then"), list(pairwise(KINDS)))
def test_what_the_centre_can_do_without_goes_first_however_new_it_is(outbox: Outbox, first: str, then: str) -> None:
    append(outbox, *[then] * 15, *[first] * 15)
    while not given_up(outbox):
        append(outbox, "opened")
    left = [record.sequence for record in waiting(outbox)]
    assert set(range(1, 16)) <= set(left)
    assert not set(range(16, 31)) <= set(left)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_it_keeps_within_its_bytes_and_every_record_is_here_or_named_as_given_up(
    outbox: Outbox, seed: int
) -> None:
    chance = random.Random(seed)
    opened = set()
    for _ in range(400):
        kind = chance.choices(list(KINDS), (4, 1, 4, 2, 2, 0.2))[0]
        append(outbox, kind)
        if kind == "opened":
            opened |= {record.sequence for record in waiting(outbox) if kind_of(record) == "opened"}
    counted, present = waiting_bytes(outbox)
    assert counted == present <= LIMIT.bytes
    here = {record.sequence for record in waiting(outbox)}
    (dropped,) = given_up(outbox)
    gone = sequences(dropped.ranges)
    assert sorted([*here, *gone]) == list(range(1, outbox.head()[0] + 1))
    assert opened <= here
    assert outbox.counts().discarded_records == dropped.count == sum(kind.count for kind in dropped.kinds)
    assert 0 < dropped.count < len(gone), "records that said the same before are gone as well"


def test_the_chain_can_still_be_followed_over_what_was_given_up(outbox: Outbox) -> None:
    append(outbox, "opened")
    while not given_up(outbox):
        append(outbox, "coverage")
    by_sequence = {record.sequence: record for record in waiting(outbox)}
    for each in given_up(outbox)[0].ranges:
        assert by_sequence[each.last + 1].prevhash == each.sha256


def test_an_outbox_of_nothing_but_beginnings_gives_none_of_them_up(outbox: Outbox) -> None:
    append(outbox, *["opened"] * 80)
    assert waiting_bytes(outbox)[0] > LIMIT.bytes
    assert len(waiting(outbox)) == 80


def test_what_a_transaction_adds_is_not_given_up_by_itself(outbox: Outbox) -> None:
    append(outbox, *["opened"] * 40)
    with outbox.transaction() as transaction:
        for _ in range(60):
            transaction.append(KINDS["coverage"], at=NOON)
    assert not given_up(outbox)
    append(outbox, "opened")
    assert sequences(given_up(outbox)[0].ranges) <= set(range(41, 101))


def test_files_announced_by_what_was_given_up_are_brought_no_more(outbox: Outbox) -> None:
    with outbox.transaction() as transaction:
        transaction.append(KINDS["evidence"], at=NOON)
        transaction.queue_upload("a" * 64, size_bytes=3)
    while not given_up(outbox):
        append(outbox, "opened")
    with outbox.reading() as connection:
        (row,) = connection.execute("SELECT state, trouble FROM uploads").fetchall()
    assert row == ("refused", "its record was discarded for want of room")


def test_a_receipt_that_was_on_its_way_for_what_is_given_up_is_followed(outbox: Outbox) -> None:
    append(outbox, "opened", "coverage")
    late, whole = kept_of(outbox, 2).span, receipt_of(outbox, 2)
    while not given_up(outbox):
        append(outbox, "opened")
    for receipt in (whole.model_copy(update={"cumulative": 1, "spans": (late,), "sha256": "0" * 64}), whole):
        settled = outbox.settle(receipt, at=NOON)
        assert not settled.is_forked or receipt is not whole
    assert waiting(outbox)[0].sequence == 3
    assert late.disposition is Disposition.STORED
