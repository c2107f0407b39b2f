"""The centre's signed word that its database has a record: the only thing that lets the outbox forget it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from alerts import events
from alerts.events import Sealed
from alerts.keys import KeyFinder, SigningKey
from alerts.messages import Disposition, Event, Receipt, Span
from alerts.records import FIRST_PREVHASH

MAX_SPANS = 256


class Kept(NamedTuple):
    """A record that the centre's database has: its place, what became of it, and its hash."""

    sequence: int
    disposition: Disposition
    sha256: str

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
        told = [
            first[sequence].span
            for sequence in sorted(first)
            if sequence > cumulative or first[sequence].disposition is Disposition.QUARANTINED
        ]
        return cls(cumulative, sha256, _join(told))

    def receipt(self, answered: Kept | None = None) -> Receipt:
        """What to tell the box; of more than 256 spans, that of the record `answered` is kept first.

        That record is named alone where only the hash of a later one stood for it: a box that was set back to an old
        state has no later one, and could not tell that it is meant.
        """
        spans = self.spans
        if answered and answered.sequence < self.cumulative and answered.span not in spans:
            spans = (answered.span, *spans)
        if len(spans) > MAX_SPANS:

            def urgency(span: Span) -> tuple[bool, bool, int]:
                answers = answered is not None and span.first <= answered.sequence <= span.last
                return (not answers, span.last <= self.cumulative, span.first)

            spans = tuple(sorted(sorted(spans, key=urgency)[:MAX_SPANS], key=lambda span: span.first))
        return Receipt(cumulative=self.cumulative, sha256=self.sha256, spans=spans)


def _join(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].last + 1 == span.first and joined[-1].disposition is span.disposition:
            joined[-1] = span.model_copy(update={"first": joined[-1].first})
        else:
            joined.append(span)
    return tuple(joined)


def lone_receipt(kept: Kept) -> Receipt:
    """What to tell a box whose journal was forked: this very record is safe, and of others nothing is said."""
    return Receipt(cumulative=0, sha256=FIRST_PREVHASH, spans=(kept.span,), is_forked=True)


def next_counter(previous: int, at: datetime) -> int:
    """The counter after `previous`: never smaller than the milliseconds since 1970.

    A centre restored from a backup has forgotten its last counters; so it still passes what its boxes have seen.
    """
    return max(previous + 1, int(at.timestamp() * 1000))


def write_receipt(
    receipt: Receipt,
    *,
    key: SigningKey,
    tenant: str,
    device: str,
    epoch: str,
    counter: int,
    at: datetime,
    lifetime: timedelta,
) -> bytes:
    """Seal a receipt for one epoch of one box.

    `counter` must grow with every receipt to that box, for ever (keep it in the database): the box follows no
    receipt whose counter it has seen or passed. `next_counter` gives it. `lifetime` from `at` on it may be followed.
    """
    event = Event(
        id=f"{device}-{epoch}-receipt-{counter}",
        source=f"urn:teawatch:{tenant}:center",
        type=Receipt.TYPE,
        time=at,
        tenant=tenant,
        device=device,
        epoch=epoch,
        counter=counter,
        expires=at + lifetime,
        data=events.to_data(receipt),
    )
    return events.seal_event(event, key)


def read_receipt(raw: bytes, find_key: KeyFinder) -> Sealed[Receipt]:
    """Verify and read a receipt. Whether it is for this box, new and not expired: `downlinks.admit`."""
    return events.open_event(raw, {Receipt.TYPE: Receipt}, find_key)
