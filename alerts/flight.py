"""Which records are under way to the centre, which are to be sent again, and which go first. No clock, no network.

On a slow link whatever is under way stands before a live alert, so the backlog has a window that follows the receipts:
while they come promptly it grows fast, while they are not late it grows, when they are late it is halved. A link of
256 kbit/s then holds less than a second of backlog, a fast one as much as is worth it, and many boxes share a busy
centre without drowning it. It never just stays: a centre takes in many records for hardly more than one, so boxes that
were content with four each would keep it busy with little.

How late a receipt is counts from the quickest of this connection within the last minutes: a long way is no queue, nor
is one that has become longer (as LEDBAT, RFC 6817, has it of its base delay).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from alerts.control_messages import Span
from alerts.ranges import is_in

WINDOW = 64
"""Records of the backlog that may be under way without a receipt at most; live ones may double it."""

FIRST_WINDOW = 8
LEAST_WINDOW = 4
PROMPT_S = 0.2
"""Receipts that take so much longer than the quickest, or less, let the window grow by one each, others by a part."""

STEADY_GROWTH = 0.25
LATE_S = 0.4
"""A receipt that takes so much longer than the quickest has it halved, once for all that was sent before that."""

LONGEST_WAY_S = 1.0
"""No link and no centre is taken to be slower than that by itself: the rest is what stands before them."""

QUICKEST_MINUTES = 4
"""The quickest receipt is that of this minute and of the ones before it, so many in all."""

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
        self._quickest_s: dict[int, float] = {}
        self._window = float(FIRST_WINDOW)

    def restart(self, head: int, at_s: float) -> None:
        """A new connection: nothing counts as sent, and what was made up to `head` is the backlog."""
        self._sent.clear()
        self._quickest_s.clear()
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
        longer_s = at_s - sent_s - self._quickest(at_s - sent_s, at_s)
        if longer_s < LATE_S:
            self._window = min(WINDOW, self._window + (1 if longer_s <= PROMPT_S else STEADY_GROWTH))
        elif sent_s >= self._halved_at_s:
            self._window = max(LEAST_WINDOW, self._window / 2)
            self._halved_at_s = at_s

    def _quickest(self, took_s: float, at_s: float) -> float:
        """The quickest receipt of the last minutes, by minute; `took_s` is one that came now."""
        minute = int(at_s // 60)
        kept = {each: least_s for each, least_s in self._quickest_s.items() if each > minute - QUICKEST_MINUTES}
        self._quickest_s = kept | {minute: min(took_s, kept.get(minute, LONGEST_WAY_S))}
        return min(self._quickest_s.values())

    @property
    def window(self) -> int:
        """How many of the backlog may be under way."""
        return int(self._window)

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
