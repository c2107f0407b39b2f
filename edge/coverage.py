"""The coverage ledger: when each camera was watched, so that "no violation" differs from "nobody was looking".

Only time in which the box really looked counts as seen; a gate that sleeps over watched packets looks. Lengths are
monotonic, so that a clock that is set meanwhile moves the whole report and stretches nothing. What is not reported yet
is saved beside the outbox every minute: what a power cut takes is unseen, never seen.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from alerts.messages import ClockQuality, Coverage, Hindrance, Stretch

REPORT_EVERY_S = 900.0
REPORT_APART_S = 60.0
"""A change is reported at once, but no two reports of a camera are closer than this: flapping stays cheap."""
LONGEST_TICK_S = 15.0
"""If nothing was noted for longer, the box did not come to looking."""
SILENT_AFTER_S = 10.0
"""A stream that plays without packets for so long is down, whatever its state says."""
LATE_AFTER_S = 5.0
"""A look that has been due for so long is not done in time."""
MOST_STRETCHES = 64
MOST_KEPT = 512
LONGEST_OFF = timedelta(days=366)

_STATES: Mapping[str, Hindrance] = {"refused": Hindrance.REFUSED, "degraded": Hindrance.DEGRADED}
_ORDER = {hindrance: place for place, hindrance in enumerate(Hindrance)}
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Sight:
    """Whether a camera is watched right now: nothing hinders, or what does and since when (`monotonic_s`)."""

    hindrance: Hindrance | None = None
    since_s: float | None = None


def sight_of(
    *,
    state: str,
    monotonic_s: float,
    packet_s: float | None = None,
    due_s: float | None = None,
    gate_error: bool = False,
    troubles: Mapping[Hindrance, float] | None = None,
) -> Sight:
    """What is to be noted of a camera, from what the pipeline knows of it.

    `state` is as in the event `camera_state`. `packet_s` is when its last packet came, `due_s` since when a look has
    been due that is not done (None: none is), `troubles` what its picture suffers from and since when: all on the
    monotonic clock, in seconds. A stream that is down was so from its last packet on, however long it took to see that.
    """
    if state not in ("playing", *_STATES):
        return Sight(Hindrance.NO_STREAM, packet_s)
    found: dict[Hindrance, float | None] = dict(troubles or {})
    if state in _STATES:
        found[_STATES[state]] = packet_s if state == "refused" else None
    if packet_s is not None and monotonic_s - packet_s > SILENT_AFTER_S:
        found[Hindrance.NO_STREAM] = packet_s
    if gate_error:
        found[Hindrance.GATE_ERROR] = None
    if due_s is not None and monotonic_s - due_s > LATE_AFTER_S:
        found[Hindrance.OVERLOADED] = due_s
    if not found:
        return Sight()
    first = min(found, key=_ORDER.__getitem__)
    return Sight(first, found[first])


class CoverageLedger:
    """One camera's ledger; pure: the clocks are passed in, and what it writes is for the caller to keep."""

    def __init__(self, camera: str, *, monotonic_s: float, left_at: datetime | None = None) -> None:
        """`left_at` is until when the last run of this box knew: from then to now the box was off."""
        self.camera = camera
        self._left_at = left_at
        self._start_ms = _ms(monotonic_s)
        self._last_ms = self._start_ms
        self._reported_ms = self._start_ms
        self._sight = Sight()
        self._told: Hindrance | str | None = "nothing"
        self._pieces: list[Stretch] = []

    def note(self, sight: Sight, *, monotonic_s: float) -> None:
        """So it is now, and was since the last note; seen is only what is seen at both ends."""
        now_ms = _ms(monotonic_s)
        length_ms = now_ms - self._last_ms
        if length_ms > 0:
            hindrance = self._sight.hindrance or sight.hindrance
            if length_ms > LONGEST_TICK_S * 1000:
                hindrance = hindrance or Hindrance.OVERLOADED
            self._pieces.append(Stretch(length_ms=length_ms, hindrance=hindrance))
            self._last_ms = now_ms
        if sight.hindrance and sight.since_s is not None:
            self._take_back(_ms(sight.since_s), sight.hindrance)
        self._pieces = list(_joined(self._pieces))
        self._coarsen()
        self._sight = sight

    def is_due(self) -> bool:
        """Whether a report should be written: it is time, or something changed."""
        age_ms = self._last_ms - self._reported_ms
        changed = any(piece.hindrance != self._told for piece in self._pieces)
        return age_ms >= REPORT_EVERY_S * 1000 or (changed and age_ms >= REPORT_APART_S * 1000)

    def report(self, *, utc: datetime, monotonic_s: float, clock: ClockQuality) -> tuple[Coverage, ...]:
        """Everything noted since the last report, oldest first; `told` forgets it once it is safe.

        `utc` and `monotonic_s` are the two clocks read together.
        """
        until_at = _whole_ms(utc) - timedelta(milliseconds=_ms(monotonic_s) - self._last_ms)
        pieces = [*self._off_before(until_at), *self._pieces]
        return tuple(_messages(self.camera, pieces, until_at, clock))

    def told(self) -> None:
        """What was reported is safe."""
        if self._pieces:
            self._told = self._pieces[-1].hindrance
        self._pieces = []
        self._left_at = None
        self._reported_ms = self._last_ms

    def _off_before(self, until_at: datetime) -> list[Stretch]:
        start_at = until_at - timedelta(milliseconds=sum(piece.length_ms for piece in self._pieces))
        if self._left_at is None or not timedelta(0) < start_at - self._left_at <= LONGEST_OFF:
            return []
        return [Stretch(length_ms=(start_at - self._left_at) // _MILLISECOND, hindrance=Hindrance.BOX_OFF)]

    def _take_back(self, since_ms: int, hindrance: Hindrance) -> None:
        """A trouble is believed only after a while: what looked like seeing since it began was not."""
        kept: list[Stretch] = []
        end_ms = self._last_ms
        for piece in reversed(self._pieces):
            start_ms = end_ms - piece.length_ms
            doubtful_ms = min(piece.length_ms, end_ms - since_ms)
            if piece.hindrance is None and doubtful_ms > 0:
                kept.append(Stretch(length_ms=doubtful_ms, hindrance=hindrance))
                if doubtful_ms < piece.length_ms:
                    kept.append(Stretch(length_ms=piece.length_ms - doubtful_ms))
            else:
                kept.append(piece)
            end_ms = start_ms
        self._pieces = kept[::-1]

    def _coarsen(self) -> None:
        """While nothing can be written, memory stays bounded: the two oldest become one, unseen if either was."""
        while len(self._pieces) > MOST_KEPT:
            first, second, *rest = self._pieces
            hindrance = first.hindrance or second.hindrance
            joined = Stretch(length_ms=first.length_ms + second.length_ms, hindrance=hindrance)
            self._pieces = list(_joined([joined, *rest]))


def _messages(camera: str, pieces: list[Stretch], until_at: datetime, clock: ClockQuality) -> Iterator[Coverage]:
    at = until_at - timedelta(milliseconds=sum(piece.length_ms for piece in pieces))
    cuts = [*range(0, len(pieces), MOST_STRETCHES), len(pieces)]
    for first, last in pairwise(cuts):
        part = tuple(pieces[first:last])
        end_at = at + timedelta(milliseconds=sum(piece.length_ms for piece in part))
        yield Coverage(camera=camera, from_at=at, until_at=end_at, stretches=part, clock=clock)
        at = end_at


def _joined(pieces: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours of the same kind as one."""
    held: Stretch | None = None
    for piece in pieces:
        if held is not None and held.hindrance == piece.hindrance:
            held = Stretch(length_ms=held.length_ms + piece.length_ms, hindrance=held.hindrance)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _whole_ms(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
