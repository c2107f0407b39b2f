"""The daily digest: one day in numbers and the signed head over it, as text to be printed and pinned up outside.

What hangs on a notice board or lies in a newspaper's archive cannot be changed afterwards by whoever keeps the log;
so a digest is what turns "the centre says so" into something a stranger can hold against it.
"""

import sys
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from alerts.control_messages import Disposition
from alerts.dsse import read_envelope
from alerts.leaves import LeafKind
from alerts.messages import Dropped
from alerts.ranges import Run, count_numbers, joined
from alerts.wire import decode_object
from center.intake.gone import GoneRow
from center.intake.journal import EpochRow, JournalRow, gaps
from center.intake.quarantine import QuarantineEntry
from center.log.heads import Notary
from center.log.records import LogCheckpoint, LogLeaf
from center.log.stamping import StampedHead
from center.words import N_, Language, languages
from enforcement.findings import Finding
from enforcement.leads import Lead
from traceability.records import OfTenant

RULE: Final = "-" * 72


@dataclass(frozen=True, slots=True)
class Day:
    """A local day as two instants, and what happened in it. `missing` is as of now, everything else of the day."""

    on: date
    records: int
    quarantined: int
    put_aside: int
    dropped: int
    missing: int
    leads: int
    findings: int
    custody: int
    reviews: int
    erasures: int
    leaves: int


def count_day(session: Session, *, tenant: str, on: date, zone: ZoneInfo) -> Day:
    """The numbers of one local day."""
    first = datetime.combine(on, time(), zone)
    end = datetime.combine(on + timedelta(days=1), time(), zone)

    def count(table: type[OfTenant], column: InstrumentedAttribute[datetime], *more: ColumnElement[bool]) -> int:
        rows = select(func.count()).where(table.tenant == tenant, column >= first, column < end, *more)
        return session.scalar(rows) or 0

    def leaves(kind: LeafKind) -> int:
        return count(LogLeaf, LogLeaf.at, LogLeaf.kind == kind.value)

    return Day(
        on=on,
        records=count(JournalRow, JournalRow.received_at),
        quarantined=count(JournalRow, JournalRow.received_at, JournalRow.disposition == Disposition.QUARANTINED.value),
        put_aside=count(QuarantineEntry, QuarantineEntry.first_at, QuarantineEntry.authentic.is_(False)),
        dropped=_dropped(session, tenant, first, end),
        missing=_missing(session, tenant),
        leads=count(Lead, Lead.received_at),
        findings=count(Finding, Finding.reviewed_at),
        custody=leaves(LeafKind.CUSTODY),
        reviews=leaves(LeafKind.REVIEW),
        erasures=leaves(LeafKind.ERASURE),
        leaves=count(LogLeaf, LogLeaf.at),
    )


def _dropped(session: Session, tenant: str, first: datetime, end: datetime) -> int:
    """How many records boxes said that day they had to discard, each once: a box may say the same again and again."""
    given_up = _given_up(session, tenant, before=end) - _given_up(session, tenant, before=first)
    return given_up + _never_recorded(session, tenant, first, end)


def _given_up(session: Session, tenant: str, *, before: datetime) -> int:
    """How many sequence numbers boxes had given up for want of room until then; ranges may overlap."""
    columns = select(GoneRow.device, GoneRow.epoch, GoneRow.first, GoneRow.last)
    told = (GoneRow.tenant == tenant, GoneRow.reason == "outbox_limit", GoneRow.received_at < before)
    rows = session.execute(
        columns.where(*told).order_by(GoneRow.device, GoneRow.epoch, GoneRow.first).execution_options(yield_per=500)
    )
    journals = groupby(rows, key=lambda row: (row.device, row.epoch))
    return sum(count_numbers(joined(Run(row.first, row.last) for row in own)) for _, own in journals)


def _never_recorded(session: Session, tenant: str, first: datetime, end: datetime) -> int:
    """How many records got no sequence number, the box's disk being full."""
    own = (JournalRow.tenant == tenant, JournalRow.received_at >= first, JournalRow.received_at < end)
    total = 0
    for raw in session.scalars(select(JournalRow.raw).where(*own, JournalRow.type == Dropped.TYPE)):
        match _data_of(raw):
            case {"reason": "outbox_full", "count": int(count)}:
                total += count
    return total


def _data_of(raw: bytes) -> object:
    envelope = read_envelope(raw)
    return decode_object(envelope.payload).get("data")


def _missing(session: Session, tenant: str) -> int:
    """How many records are still awaited: neither here nor given up, and below the highest of their journal."""
    behind = select(EpochRow).where(EpochRow.tenant == tenant, EpochRow.highest > EpochRow.cumulative)
    return sum(count_numbers(gaps(session, epoch, most=sys.maxsize)) for epoch in session.scalars(behind))


def covering_head(session: Session, *, tenant: str, on: date, zone: ZoneInfo) -> LogCheckpoint | None:
    """The first head that was published after a local day had ended."""
    end = datetime.combine(on + timedelta(days=1), time(), zone)
    rows = select(LogCheckpoint).where(LogCheckpoint.tenant == tenant, LogCheckpoint.published_at >= end)
    return session.scalars(rows.order_by(LogCheckpoint.size).limit(1)).first()


def write_digest(day: Day, head: LogCheckpoint, notary: Notary, *, name: str, stamp: StampedHead | None = None) -> str:
    """The digest in Chinese and in English, and the head once, to the letter; `stamp` is on it or on a later one."""
    numbers = "\n".join(_numbers(language, day, name) for language in languages().values())
    closing = "\n".join(_closing(language, head, stamp) for language in languages().values())
    return f"{numbers}\n{RULE}\n{head.text}{RULE}\n{closing}\n{notary.verifier}\n"


def _numbers(language: Language, day: Day, name: str) -> str:
    say = language.say
    lines = (
        say(N_("%(name)s: daily digest of %(day)s"), name=name, day=day.on.isoformat()),
        say(
            N_("Records received: %(count)s, of which quarantined: %(aside)s"), count=day.records, aside=day.quarantined
        ),
        say(N_("Messages refused as not authentic: %(count)s"), count=day.put_aside),
        say(N_("Records that boxes had to discard: %(count)s"), count=day.dropped),
        say(N_("Records still missing: %(count)s"), count=day.missing),
        say(N_("Leads opened: %(leads)s; findings written: %(findings)s"), leads=day.leads, findings=day.findings),
        say(N_("Acts of custody: %(acts)s; words of reviewers: %(reviews)s"), acts=day.custody, reviews=day.reviews),
        say(N_("Erasures on request: %(count)s"), count=day.erasures),
        say(N_("Leaves entered into the log: %(count)s"), count=day.leaves),
    )
    return "\n".join([*lines, ""])


def _closing(language: Language, head: LogCheckpoint, stamp: StampedHead | None) -> str:
    keep = language.say(
        N_(
            "This is the signed head of the log over its first %(size)s leaves. Keep it: whoever has it can prove later"
            " that nothing in them was altered, removed or inserted. The log's key:"
        ),
        size=head.size,
    )
    if stamp is None:
        return keep
    own, later = (
        N_("An outside authority (%(authority)s) stamped this head at %(at)s UTC."),
        N_("An outside authority (%(authority)s) stamped the later head of %(size)s leaves at %(at)s UTC."),
    )
    words, at = own if stamp.size == head.size else later, f"{stamp.at:%Y-%m-%d %H:%M:%S}"
    return f"{language.say(words, authority=stamp.authority, size=stamp.size, at=at)}\n{keep}"
