"""The centre's signed word that its database has a record: the only thing that lets the outbox forget it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from alerts.control_messages import Disposition, Receipt, Span
from alerts.ranges import touching
from alerts.records import FIRST_PREVHASH

MAX_SPANS = 256


class Kept(NamedTuple):
    """A record that the centre's database has: its place, what became of it, and its hash."""

    sequence: int
    disposition: Disposition
    sha256: str

    @property
    def first(self) -> int:
        """A record is a range of one."""
        return self.sequence

    @property
    def last(self) -> int:
        """The same."""
        return self.sequence

    @property
    def span(self) -> Span:
        """This record alone."""
        return Span(first=self.sequence, last=self.sequence, disposition=self.disposition, sha256=self.sha256)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Which sequences of one epoch the centre's database has. A value.

    Everything up to `cumulative`, whose hash is `sha256`, is there. `spans` (disjoint, ascending, neighbours of one
    disposition joined) are what is there beyond it, and what was quarantined anywhere.
    """

    cumulative: int = 0
    sha256: str = FIRST_PREVHASH
    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, records: Iterable[Kept], *, cumulative: int = 0, sha256: str = FIRST_PREVHASH) -> "Ledger":
        """From records in any order, of which the first counts at each place; `cumulative` is known already."""
        first: dict[int, Kept] = {}
        for kept in records:
            first.setdefault(kept.sequence, kept)
        while cumulative + 1 in first:
            cumulative += 1
            sha256 = first[cumulative].sha256
        told = (
            kept for kept in first.values() if kept.sequence > cumulative or kept.disposition is Disposition.QUARANTINED
        )
        return cls(cumulative, sha256, tuple(_runs(told)))

    def receipt(self, *answered: Kept) -> Receipt:
        """What to tell the box; of more than 256 spans, those of the records `answered` are kept first.

        A record is named where only the hash of a later one, which did not come together with it, stood for it: a box
        that was set back to an old state has no later one, and could not tell that it is meant.
        """
        asked = {kept.sequence for kept in answered}
        plain = self.cumulative  # nothing above needs a name
        while plain in asked:
            plain -= 1
        named = tuple(run for run in _runs(answered) if run.last <= plain and run not in self.spans)
        spans = (*named, *self.spans)
        if len(spans) > MAX_SPANS:

            def urgency(span: Span) -> tuple[bool, bool, int]:
                answers = span in named or any(span.first <= sequence <= span.last for sequence in asked)
                return (not answers, span.last <= self.cumulative, span.first)

            spans = tuple(sorted(sorted(spans, key=urgency)[:MAX_SPANS], key=lambda span: span.first))
        return Receipt(cumulative=self.cumulative, sha256=self.sha256, spans=spans)


def _runs(records: Iterable[Kept]) -> Iterator[Span]:
    """Records of one chain as spans: neighbours of one disposition joined."""
    for disposition, alike in groupby(sorted(set(records)), key=lambda kept: kept.disposition):
        for run in touching(alike):
            yield Span(first=run[0].first, last=run[-1].last, disposition=disposition, sha256=run[-1].sha256)


def lone_receipt(kept: Kept) -> Receipt:
    """What to tell a box whose journal was forked: this very record is safe, and of others nothing is said."""
    return Receipt(cumulative=0, sha256=FIRST_PREVHASH, spans=(kept.span,), is_forked=True)


def next_counter(previous: int, at: datetime) -> int:
    """The counter after `previous`: never smaller than the milliseconds since 1970.

    A centre restored from a backup has forgotten its last counters; so it still passes what its boxes have seen.
    """
    return max(previous + 1, int(at.timestamp() * 1000))
