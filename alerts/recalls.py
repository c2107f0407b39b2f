"""The centre asks for records that it misses: what waits is sent again, of the rest it is told that it is gone."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from alerts.discarding import MOST_RANGES
from alerts.messages import Dropped, Range
from alerts.ranges import Run, count_numbers, missing
from alerts.transactions import Transaction


def answer(transaction: Transaction, asked: Sequence[Range], *, at: datetime) -> set[int]:
    """Which of the asked sequences wait here and can be sent again.

    Of those that are gone (a centre set back to an old state asks for them) a record made `at` says so, though only
    while no such record is on its way already: it may name the same.
    """
    connection = transaction.connection
    (head,) = connection.execute("SELECT sequence FROM chain").fetchone()
    here: set[int] = set()
    gone: list[Range] = []
    for each in asked:
        last = min(each.last, head)
        rows = connection.execute(
            "SELECT sequence FROM records WHERE sequence BETWEEN ? AND ? ORDER BY sequence", (each.first, last)
        )
        waiting = [sequence for (sequence,) in rows.fetchall()]
        here.update(waiting)
        lacking = missing(each.first, last, (Run(sequence, sequence) for sequence in waiting))
        gone += [Range(first=run.first, last=run.last) for run in islice(lacking, MOST_RANGES - len(gone))]
    (on_their_way,) = connection.execute("SELECT count(*) FROM records WHERE type = ?", (Dropped.TYPE,)).fetchone()
    if gone and not on_their_way:
        dropped = Dropped(count=count_numbers(gone), reason="gone", first_at=at, last_at=at, ranges=tuple(gone))
        transaction.append(dropped, at=at)
    return here
