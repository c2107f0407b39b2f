"""Was anybody looking? What boxes claim of a camera, folded into one account without gaps and overlaps.

Claims come late, in any order and sometimes twice, and a clock that was set back makes two claims about one moment.
Where they differ the worse one holds: seen is only what every claim says was seen, and of what no claim speaks nobody
knows anything. So the account may be too modest, never too proud.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from alerts.messages import Hindrance
from center.errors import CenterError

SEEN: Final = "seen"
UNKNOWN: Final = "unknown"
BRIDGED: Final = timedelta(seconds=2)
"""A box's clock is slewed between two reports; a gap so short between them is no gap."""

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST: Final = timedelta(days=31)

_ORDER: Final[Mapping[str, int]] = {hindrance.value: place for place, hindrance in enumerate(Hindrance)}


class BadSpan(CenterError):
    """A question about a time that has not come, ends before it begins, or is longer than LONGEST."""


class Answer(StrEnum):
    """Whether there was a violation at a camera within a time."""

    INCIDENTS = "incidents"
    NONE = "none"
    UNWATCHED = "unwatched"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one record says of a stretch of time: `state` is SEEN or a hindrance."""

    from_at: datetime
    until_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Account:
    """A time from end to end: its stretches in order, each of another state than its neighbours."""

    from_at: datetime
    until_at: datetime
    stretches: tuple[Claim, ...]

    @property
    def totals_ms(self) -> Mapping[str, int]:
        """How long each state held: SEEN, UNKNOWN or a hindrance."""
        totals: Counter[str] = Counter()
        for each in self.stretches:
            totals[each.state] += _ms(each.until_at - each.from_at)
        return totals

    @property
    def length_ms(self) -> int:
        """The whole."""
        return _ms(self.until_at - self.from_at)

    @property
    def seen_ms(self) -> int:
        """How long somebody was looking."""
        return self.totals_ms.get(SEEN, 0)

    @property
    def was_watched(self) -> bool:
        """The whole time, without a break."""
        return all(each.state == SEEN for each in self.stretches)

    def answer(self, incidents: int) -> Answer:
        """No incident means something only where somebody was looking the whole time."""
        if incidents:
            return Answer.INCIDENTS
        return Answer.NONE if self.was_watched else Answer.UNWATCHED


def span(from_at: datetime, until_at: datetime, now: datetime) -> tuple[datetime, datetime]:
    """The time asked about, as far as it has come, in UTC. Raises BadSpan."""
    if not EARLIEST <= from_at < until_at or until_at - from_at > LONGEST:
        raise BadSpan(f"a time must end after it begins, by at most {LONGEST.days} days, in this century")
    if from_at >= now:
        raise BadSpan("that time has not come yet")
    return from_at.astimezone(UTC), min(until_at, now).astimezone(UTC)


def fold(claims: Iterable[Claim], from_at: datetime, until_at: datetime) -> Account:
    """The account of a time from all claims that touch it, in any order."""
    edges: list[tuple[datetime, int, str]] = []
    for claim in claims:
        first, last = max(claim.from_at, from_at), min(claim.until_at, until_at)
        if first < last:
            edges += [(first, 1, claim.state), (last, -1, claim.state)]
    edges.sort(key=lambda edge: edge[0])
    held: Counter[str] = Counter()
    found: list[Claim] = []
    at = from_at
    for moment, change, state in [*edges, (until_at, 0, UNKNOWN)]:
        if moment > at:
            found.append(Claim(at, moment, _worst(held)))
            at = moment
        held[state] += change
    return Account(from_at, until_at, _joined(_bridged(_joined(found))))


def _worst(held: Counter[str]) -> str:
    states = [state for state, count in held.items() if count > 0]
    hindrances = [state for state in states if state != SEEN]
    if hindrances:
        return min(hindrances, key=lambda state: _ORDER.get(state, -1))
    return SEEN if states else UNKNOWN


def _bridged(stretches: Sequence[Claim]) -> list[Claim]:
    """Short gaps between two reports take the worse of both sides."""
    result = list(stretches)
    for place in range(1, len(result) - 1):
        gap = result[place]
        if gap.state == UNKNOWN and gap.until_at - gap.from_at <= BRIDGED:
            sides = Counter([result[place - 1].state, result[place + 1].state])
            result[place] = Claim(gap.from_at, gap.until_at, _worst(sides))
    return result


def _joined(stretches: Iterable[Claim]) -> tuple[Claim, ...]:
    result: list[Claim] = []
    for each in stretches:
        if result and result[-1].state == each.state:
            result[-1] = Claim(result[-1].from_at, each.until_at, each.state)
        else:
            result.append(each)
    return tuple(result)


def _ms(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)
