"""The centre's signed word that its database has a record: the only thing that lets the outbox forget it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts import events
from alerts.events import Sealed
from alerts.keys import KeyFinder, SigningKey
from alerts.messages import Disposition, Event, Receipt, Span

MAX_SPANS = 256


@dataclass(frozen=True, slots=True)
class Ledger:
    """Which sequences of one epoch the centre's database has. A value.

    Everything up to `cumulative` is there. `spans` (disjoint, ascending, neighbours of one disposition joined) are
    what is there beyond it, and what was quarantined anywhere.
    """

    cumulative: int = 0
    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, seen: Iterable[tuple[int, Disposition]], *, cumulative: int = 0) -> "Ledger":
        """From rows of sequence and disposition, in any order, duplicates included; `cumulative` is known already."""
        first: dict[int, Disposition] = {}
        for sequence, disposition in seen:
            first.setdefault(sequence, disposition)
        while cumulative + 1 in first:
            cumulative += 1
        kept = sorted(
            (sequence, disposition)
            for sequence, disposition in first.items()
            if sequence > cumulative or disposition is Disposition.QUARANTINED
        )
        return cls(cumulative, _join(Span(first=n, last=n, disposition=d) for n, d in kept))

    def receipt(self, about: Collection[int] = ()) -> Receipt:
        """What to tell the box; of more than 256 spans, those `about` what has just come are kept first."""
        spans = self.spans
        if len(spans) > MAX_SPANS:

            def urgency(span: Span) -> tuple[bool, bool, int]:
                answers = any(span.first <= sequence <= span.last for sequence in about)
                return (not answers, span.last <= self.cumulative, span.first)

            spans = tuple(sorted(sorted(spans, key=urgency)[:MAX_SPANS], key=lambda span: span.first))
        return Receipt(cumulative=self.cumulative, spans=spans)


def _join(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].last + 1 == span.first and joined[-1].disposition is span.disposition:
            joined[-1] = Span(first=joined[-1].first, last=span.last, disposition=span.disposition)
        else:
            joined.append(span)
    return tuple(joined)


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
