"""Receipts: exactly what the database has, told in bounded space."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.control_messages import Disposition, Receipt
from alerts.downlinks import write_downlink
from alerts.errors import WrongType
from alerts.events import open_event
from alerts.keys import SigningKey
from alerts.receipts import MAX_SPANS, Kept, Ledger, next_counter
from alerts.status import read_status
from tests.alerts.parts import LIFETIME, NOON

KEY = SigningKey.generate()
FIND = {KEY.key_id: KEY.verify_key}.get
ARRIVALS = st.lists(st.tuples(st.integers(1, 40), st.sampled_from(Disposition)), max_size=80)


def hash_at(sequence: int) -> str:
    return f"{sequence:064x}"


def ledger(arrivals: Iterable[tuple[int, Disposition]], cumulative: int = 0) -> Ledger:
    kept = (Kept(sequence, disposition, hash_at(sequence)) for sequence, disposition in arrivals)
    return Ledger.of(kept, cumulative=cumulative, sha256=hash_at(cumulative))


def told(receipt: Receipt) -> tuple[set[int], set[int]]:
    """Which sequences a receipt says are safe, and which quarantined."""
    spans = {n: span.disposition for span in receipt.spans for n in range(span.first, span.last + 1)}
    safe = set(range(1, receipt.cumulative + 1)) | set(spans)
    return safe, {n for n, disposition in spans.items() if disposition is Disposition.QUARANTINED}


def expected(arrivals: list[tuple[int, Disposition]]) -> tuple[set[int], set[int]]:
    first: dict[int, Disposition] = {}
    for sequence, disposition in arrivals:
        first.setdefault(sequence, disposition)
    return set(first), {n for n, disposition in first.items() if disposition is Disposition.QUARANTINED}


@given(ARRIVALS)
def test_a_receipt_says_exactly_what_came_in_whatever_order_and_however_often(
    arrivals: list[tuple[int, Disposition]],
) -> None:
    receipt = ledger(arrivals).receipt()
    assert told(receipt) == expected(arrivals)
    assert receipt.sha256 == hash_at(receipt.cumulative)
    assert all(span.sha256 == hash_at(span.last) for span in receipt.spans)


@given(ARRIVALS)
def test_spans_are_ascending_disjoint_and_joined_and_the_cumulative_is_as_high_as_it_can_be(
    arrivals: list[tuple[int, Disposition]],
) -> None:
    whole = ledger(arrivals)
    assert whole.cumulative + 1 not in expected(arrivals)[0]
    for span, following in zip(whole.spans, whole.spans[1:], strict=False):
        assert span.first <= span.last < following.first
        assert span.last + 1 < following.first or span.disposition is not following.disposition


@given(ARRIVALS, st.integers(0, 40))
def test_a_ledger_continues_from_a_known_cumulative(arrivals: list[tuple[int, Disposition]], known: int) -> None:
    base = [(n, Disposition.STORED) for n in range(1, known + 1)]
    later = [(n, disposition) for n, disposition in arrivals if n > known]
    assert ledger(later, known) == ledger(base + later)


def test_of_too_many_spans_those_that_answer_what_has_just_come_are_told() -> None:
    receipt = ledger((n * 2, Disposition.STORED) for n in range(1, 1001)).receipt(
        Kept(2000, Disposition.STORED, hash_at(2000))
    )
    safe, _ = told(receipt)
    assert len(receipt.spans) == MAX_SPANS
    assert {2000, 2, 4} <= safe <= set(range(2, 2001, 2))


@given(st.sets(st.integers(1, 30)), st.integers(0, 30))
def test_several_answered_records_are_told_as_each_would_be_alone(answered: set[int], cumulative: int) -> None:
    whole = ledger([(n, Disposition.STORED) for n in range(1, cumulative + 1)])
    kept = [Kept(n, Disposition.STORED, hash_at(n)) for n in sorted(answered) if n <= cumulative]
    receipt = whole.receipt(*kept)
    alone = {span.last for each in kept for span in whole.receipt(each).spans}
    spanned = {n for span in receipt.spans for n in range(span.first, span.last + 1)}
    with_the_last = {n for n in alone if all(m in answered for m in range(n, cumulative + 1))}
    assert spanned == alone - with_the_last
    assert all(span.sha256 == hash_at(span.last) for span in receipt.spans)


def test_a_sealed_receipt_reads_back_and_is_nothing_else() -> None:
    receipt = ledger([(1, Disposition.STORED), (3, Disposition.QUARANTINED)]).receipt()
    raw = write_downlink(receipt, key=KEY, tenant="t", device="d", epoch="e", counter=7, at=NOON, lifetime=LIFETIME)
    sealed = open_event(raw, {Receipt.TYPE: Receipt}, FIND)
    assert sealed.data == receipt
    assert (sealed.event.counter, sealed.event.epoch, sealed.key_id) == (7, "e", KEY.key_id)
    with pytest.raises(WrongType):
        read_status(raw, FIND)


@pytest.mark.parametrize("previous", [0, 5, 2**52])
def test_the_next_counter_grows_even_after_a_restored_backup(previous: int) -> None:
    assert next_counter(previous, NOON) > previous
    assert next_counter(previous, NOON) >= NOON.timestamp() * 1000
