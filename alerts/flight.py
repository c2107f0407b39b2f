"""Which records are under way to the centre, which are to be sent again, and which go first. No clock, no network.

On a slow link whatever is under way stands before a live alert, so the backlog has a window that follows the receipts:
while they come promptly it grows, when they come late it is halved. A link of 256 kbit/s then holds less than a second
of backlog, a fast one as much as is worth it, and many boxes share a busy centre without drowning it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from alerts.control_messages import Span
from alerts.ranges import is_in

WINDOW = 64
"""Records of the backlog that may be under way without a receipt at most; live ones may double it."""

FIRST_WINDOW = 8
LEAST_WINDOW = 4
PROMPT_S = 0.4
"""Receipts that come as soon let the window grow by one each."""

LATE_S = 0.8
"""A receipt that comes so late has it halved, once for all that was sent before that."""

LIVE_S = 60.0
"""For so long after it was made a record goes before the backlog."""

RESEND_CAP_S = 30.0


@dataclass(frozen=True, slots=True)
class _Sent:
    at_s: float
    times: int


class Flight:
    """Times are monotonic seconds, given by the caller."""

    def __init__(self, resend_after_s: float) -> None:
        self._resend_after_s = resend_after_s
        self._sent: dict[int, _Sent] = {}
        self._marks = [(0.0, 0), (0.0, 0)]
        self._halved_at_s = 0.0
        self.window = FIRST_WINDOW

    def restart(self, head: int, at_s: float) -> None:
        """A new connection: nothing counts as sent, and what was made up to `head` is the backlog."""
        self._sent.clear()
        self._marks = [(at_s, head), (at_s, head)]

    def live_after(self, head: Callable[[], int], at_s: float) -> int:
        """The last sequence of the backlog: what was made within the last one to two minutes is live."""
        if at_s - self._marks[1][0] >= LIVE_S:
            self._marks = [self._marks[1], (at_s, head())]
        return self._marks[0][1]

    def resting(self, at_s: float) -> set[int]:
        """Sequences that are under way and not yet to be sent again."""
        return {sequence for sequence in self._sent if self._due_s(sequence) > at_s}

    def has_room(self, sequence: int, live_after: int) -> bool:
        """Whether this record may be sent now."""
        return sequence in self._sent or len(self._sent) < (self.window if sequence <= live_after else 2 * WINDOW)

    def sent(self, sequence: int, at_s: float) -> int:
        """Note that it was handed over; how often it has been since the connection was made."""
        times = self._sent[sequence].times + 1 if sequence in self._sent else 1
        self._sent[sequence] = _Sent(at_s, times)
        return times

    def confirmed(self, safe: Collection[Span], at_s: float) -> None:
        """What the centre has is no longer under way, nor what was sent once more while its receipt came.

        Of what was sent twice nobody knows which the receipt answers, so it says nothing of the link.
        """
        for sequence in list(self._sent):
            if is_in(sequence, safe):
                sent = self._sent.pop(sequence)
                if sent.times == 1:
                    self._adapt(sent.at_s, at_s)

    def _adapt(self, sent_s: float, at_s: float) -> None:
        if at_s - sent_s <= PROMPT_S:
            self.window = min(WINDOW, self.window + 1)
        elif at_s - sent_s >= LATE_S and sent_s >= self._halved_at_s:
            self.window = max(LEAST_WINDOW, self.window // 2)
            self._halved_at_s = at_s

    @property
    def under_way(self) -> Collection[int]:
        """Sequences that were handed over and have no receipt."""
        return self._sent.keys()

    def forget(self, sequences: Collection[int]) -> None:
        """These are not under way: they are to be sent at once, or not at all."""
        for sequence in sequences:
            self._sent.pop(sequence, None)

    def pause_s(self, at_s: float, *, at_most_s: float) -> float:
        """Seconds until something is to be sent again, between 0.05 and `at_most_s`."""
        soonest = min(map(self._due_s, self._sent), default=at_s + at_most_s)
        return min(at_most_s, max(0.05, soonest - at_s))

    def _due_s(self, sequence: int) -> float:
        sent = self._sent[sequence]
        return sent.at_s + min(RESEND_CAP_S, self._resend_after_s * 2.0 ** min(sent.times - 1, 10))
