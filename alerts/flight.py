"""Which records are under way to the centre, which are to be sent again, and which go first. No clock, no network."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from alerts.messages import Span

WINDOW = 64
"""Records of the backlog that may be under way without a receipt; live ones may double it."""

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
        return sequence in self._sent or len(self._sent) < (WINDOW if sequence <= live_after else 2 * WINDOW)

    def sent(self, sequence: int, at_s: float) -> int:
        """Note that it was handed over; how often it has been since the connection was made."""
        times = self._sent[sequence].times + 1 if sequence in self._sent else 1
        self._sent[sequence] = _Sent(at_s, times)
        return times

    def confirmed(self, safe: Collection[Span]) -> None:
        """What the centre has is no longer under way, nor what was sent once more while its receipt came."""
        for sequence in list(self._sent):
            if any(span.first <= sequence <= span.last for span in safe):
                del self._sent[sequence]

    def pause_s(self, at_s: float, *, at_most_s: float) -> float:
        """Seconds until something is to be sent again, between 0.05 and `at_most_s`."""
        soonest = min(map(self._due_s, self._sent), default=at_s + at_most_s)
        return min(at_most_s, max(0.05, soonest - at_s))

    def _due_s(self, sequence: int) -> float:
        sent = self._sent[sequence]
        return sent.at_s + min(RESEND_CAP_S, self._resend_after_s * 2.0 ** min(sent.times - 1, 10))
