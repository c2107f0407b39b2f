"""The newest letter wins, nothing waits for ever, and what went wrong reaches the reader."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.mailbox import Closed, Mailbox


@given(st.lists(st.sampled_from(["put", "take"])))
def test_whatever_the_order_every_letter_is_taken_once_or_counted_as_dropped(moves: list[str]) -> None:
    mailbox: Mailbox[int] = Mailbox()
    sent = 0
    taken = []
    waiting = False
    for move in moves:
        if move == "put":
            mailbox.put(sent)
            sent, waiting = sent + 1, True
        elif waiting:
            taken.append(mailbox.take())
            waiting = False
            assert taken[-1] == sent - 1
    assert sent == len(taken) + mailbox.dropped + waiting


def test_a_letter_left_before_closing_is_still_delivered() -> None:
    mailbox: Mailbox[str] = Mailbox()
    mailbox.put("last")
    mailbox.close()
    assert mailbox.take() == "last"
    with pytest.raises(Closed):
        mailbox.take()


def test_closing_with_discard_drops_and_counts_the_waiting_letter() -> None:
    mailbox: Mailbox[str] = Mailbox()
    mailbox.put("stale")
    mailbox.close(discard=True)
    with pytest.raises(Closed):
        mailbox.take()
    mailbox.put("too late")
    assert mailbox.dropped == 2


def test_closing_wakes_a_waiting_reader() -> None:
    mailbox: Mailbox[str] = Mailbox()
    ended = []

    def read() -> None:
        try:
            mailbox.take()
        except Closed:
            ended.append(True)

    reader = threading.Thread(target=read)
    reader.start()
    mailbox.close()
    reader.join(20)
    assert ended == [True]


def test_the_error_given_at_the_first_close_is_raised_once_and_then_the_box_is_closed() -> None:
    mailbox: Mailbox[str] = Mailbox()
    mailbox.close(OSError("disk gone"))
    mailbox.close(OSError("later"))
    with pytest.raises(OSError, match="disk gone"):
        mailbox.take()
    with pytest.raises(Closed):
        mailbox.take()
