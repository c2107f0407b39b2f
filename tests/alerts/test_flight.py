"""What is under way: bounded, sent again after silence, live before backlog."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.control_messages import Disposition, Span
from alerts.flight import (
    FIRST_WINDOW,
    LATE_S,
    LEAST_WINDOW,
    LIVE_S,
    LONGEST_WAY_S,
    PROMPT_S,
    QUICKEST_MINUTES,
    RESEND_CAP_S,
    STEADY_GROWTH,
    WINDOW,
    Flight,
)


def test_what_was_sent_rests_until_the_silence_is_over() -> None:
    flight = Flight(resend_after_s=5)
    flight.sent(1, at_s=100)
    assert flight.resting(at_s=104.9) == {1}
    assert flight.resting(at_s=105) == set()


def test_each_resending_waits_longer_up_to_a_cap() -> None:
    flight = Flight(resend_after_s=5)
    waits = []
    for _ in range(6):
        flight.sent(1, at_s=0)
        waits.append(next(s for s in range(100) if flight.resting(at_s=s) == set()))
    assert waits == [5, 10, 20, 30, 30, RESEND_CAP_S]


def test_the_backlog_fills_its_window_and_leaves_room_for_what_happens_now() -> None:
    flight = Flight(resend_after_s=5)
    for sequence in range(1, FIRST_WINDOW + 1):
        assert flight.has_room(sequence, live_after=1000)
        flight.sent(sequence, at_s=0)
    assert not flight.has_room(FIRST_WINDOW + 1, live_after=1000)
    assert flight.has_room(1001, live_after=1000)
    assert flight.has_room(1, live_after=1000)


def test_a_receipt_ends_the_journey_of_exactly_what_it_names() -> None:
    flight = Flight(resend_after_s=5)
    for sequence in range(1, 9):
        flight.sent(sequence, at_s=0)
    safe = [Span(first=a, last=b, disposition=Disposition.STORED, sha256="a" * 64) for a, b in ((1, 2), (5, 6))]
    flight.confirmed(safe, at_s=1)
    assert flight.resting(at_s=1) == {3, 4, 7, 8}
    flight.sent(5, at_s=0)  # it was on its way once more when its receipt came
    flight.confirmed(safe, at_s=1)
    assert flight.resting(at_s=1) == {3, 4, 7, 8}


def answered(flight: Flight, first: int, last: int, *, after_s: float, sent_s: float = 0.0) -> int:
    for sequence in range(first, last + 1):
        flight.sent(sequence, sent_s)
    flight.confirmed([Span(first=first, last=last, disposition=Disposition.STORED, sha256="a" * 64)], sent_s + after_s)
    return flight.window


def test_the_window_grows_while_receipts_are_prompt_and_shrinks_where_they_are_late() -> None:
    flight = Flight(resend_after_s=5)
    assert answered(flight, 1, 8, after_s=0.01) == 2 * FIRST_WINDOW
    assert answered(flight, 9, 200, after_s=PROMPT_S) == WINDOW
    assert answered(flight, 265, 328, after_s=LATE_S + 0.1, sent_s=10) == WINDOW // 2
    assert answered(flight, 329, 330, after_s=LATE_S + 1, sent_s=10) == WINDOW // 2, "the same lateness counts once"
    for round_s in range(20, 40):
        answered(flight, 331, 332, after_s=LATE_S + 0.1, sent_s=round_s)
    assert flight.window == LEAST_WINDOW


def test_receipts_that_are_neither_prompt_nor_late_let_the_window_grow_slowly_up_to_the_same_bound() -> None:
    flight = Flight(resend_after_s=5)
    between_s = 0.01 + (PROMPT_S + LATE_S) / 2
    assert answered(flight, 1, 1, after_s=0.01) == FIRST_WINDOW + 1
    assert answered(flight, 2, 9, after_s=between_s) == FIRST_WINDOW + 1 + 8 * STEADY_GROWTH
    assert answered(flight, 10, 600, after_s=between_s) == WINDOW


@pytest.mark.parametrize(("way_s", "window"), [(0.9 * LONGEST_WAY_S, WINDOW), (LONGEST_WAY_S + 2 * LATE_S, 4)])
def test_a_long_way_does_not_make_a_receipt_late_unless_it_is_longer_than_any_way_is(way_s: float, window: int) -> None:
    flight = Flight(resend_after_s=5)
    for number in range(20):
        answered(flight, 8 * number + 1, 8 * number + 8, after_s=way_s, sent_s=10.0 * number)
    assert flight.window == window


def test_each_connection_is_judged_by_its_own_quickest_receipt() -> None:
    flight = Flight(resend_after_s=5)
    answered(flight, 1, 1, after_s=0.01)
    flight.restart(head=1, at_s=10)
    assert answered(flight, 2, 9, after_s=0.8, sent_s=20) > FIRST_WINDOW


def test_a_way_that_has_become_longer_is_no_queue_after_some_minutes() -> None:
    flight = Flight(resend_after_s=5)
    answered(flight, 1, 1, after_s=0.03)
    windows = [
        answered(flight, number, number, after_s=0.03 + LATE_S + 0.02, sent_s=10.0 * number)
        for number in range(2, 6 * QUICKEST_MINUTES + WINDOW)
    ]
    assert min(windows) == LEAST_WINDOW, "what is late by the quickest receipt of these minutes is late"
    assert windows[-1] == WINDOW


def test_a_receipt_of_what_was_sent_twice_says_nothing_of_the_link() -> None:
    flight = Flight(resend_after_s=5)
    flight.sent(1, at_s=0)
    assert answered(flight, 1, 1, after_s=0.01, sent_s=6) == FIRST_WINDOW


def test_a_new_connection_counts_nothing_as_sent_and_everything_before_it_as_backlog() -> None:
    flight = Flight(resend_after_s=5)
    flight.sent(1, at_s=10)
    flight.restart(head=7, at_s=11)
    assert flight.resting(at_s=11) == set()
    assert flight.live_after(lambda: 9, at_s=12) == 7


def test_what_was_live_becomes_backlog_after_a_while() -> None:
    flight = Flight(resend_after_s=5)
    flight.restart(head=0, at_s=0)
    assert flight.live_after(lambda: 10, at_s=LIVE_S) == 0
    assert flight.live_after(lambda: 20, at_s=2 * LIVE_S) == 10
    assert flight.live_after(lambda: 30, at_s=2.5 * LIVE_S) == 10


@given(st.lists(st.tuples(st.integers(1, 20), st.floats(0, 1000))))
def test_the_pause_is_never_so_short_that_it_spins_nor_longer_than_allowed(sent: list[tuple[int, float]]) -> None:
    flight = Flight(resend_after_s=5)
    for sequence, at_s in sent:
        flight.sent(sequence, at_s)
    assert 0.05 <= flight.pause_s(500, at_most_s=1.0) <= 1.0
