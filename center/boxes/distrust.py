"""What came before anybody knew that a box was no longer to be trusted: shown in the quarantine, for people to judge.

The journal is never rewritten, and leads made of such records stay, marked: somebody may be at work on them, but none
of them is evidence any more (`enforcement.distrust`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.control_messages import Disposition
from alerts.messages import Alert, Evidence
from alerts.topics import Channel, Topic
from center.boxes.devices import DeviceKey, KeyReach
from center.handlers import route
from center.intake.journal import JournalRow
from center.intake.quarantine import Limits, Reason, Refusal, put_aside
from center.intake.rereading import incident_of
from enforcement.distrust import Doubt, distrust_records
from enforcement.leads import lead_id


@dataclass(frozen=True, slots=True)
class Distrusted:
    """How many records are trusted no more, and the leads that rest on one of them and did not before."""

    records: int
    leads: tuple[str, ...]


class _Beyond(NamedTuple):
    """A stored record, and the last of its journal that its key vouches for."""

    row: JournalRow
    last: int


def distrust_beyond(session: Session, *, tenant: str, device: str, limits: Limits, at: datetime) -> Distrusted:
    """List what was stored and lies beyond the reach of the key that signed it, now that it ends earlier.

    Each such record stands in the quarantine, and the leads that rest on any are marked.
    """
    beyond = tuple(_beyond(session, tenant, device))
    for row, last in beyond:
        place = f"record {row.sequence} of journal {row.epoch} came {row.received_at:%Y-%m-%d %H:%M:%S} UTC"
        detail = f"{place} and was taken in; the last record of it to trust is {last}: look at what was made of it"
        put_aside(
            session,
            Refusal(Reason.REVOKED_KEY, detail),
            tenant=tenant,
            topic=Topic(tenant, device, Channel.JOURNAL).text,
            device=device,
            raw=row.raw,
            authentic=True,
            limits=limits,
            at=at,
        )
    return Distrusted(len(beyond), _mark_leads(session, tenant, beyond, at))


def distrust_leads(session: Session, *, tenant: str, device: str, key_id: str, at: datetime) -> tuple[str, ...]:
    """Mark the leads that rest on what this key signed beyond its end: it came before anybody knew of the end."""
    return _mark_leads(session, tenant, tuple(_beyond(session, tenant, device, key_id)), at)


def distrust_what_was(session: Session, *, at: datetime) -> None:
    """Mark the leads that rest on what came beyond the end of a key, of every box: earlier versions did not."""
    ended = select(DeviceKey.tenant, DeviceKey.device).where(DeviceKey.retired_at.is_not(None)).distinct()
    for tenant, device in session.execute(ended.order_by(DeviceKey.tenant, DeviceKey.device)).all():
        _mark_leads(session, tenant, tuple(_beyond(session, tenant, device)), at)


def _beyond(session: Session, tenant: str, device: str, key_id: str = "") -> Iterator[_Beyond]:
    rows = (
        select(JournalRow, KeyReach.last)
        .join(DeviceKey, (DeviceKey.tenant == JournalRow.tenant) & (DeviceKey.key_id == JournalRow.key_id))
        .join(
            KeyReach,
            (KeyReach.tenant == JournalRow.tenant)
            & (KeyReach.key_id == JournalRow.key_id)
            & (KeyReach.epoch == JournalRow.epoch),
        )
        .where(
            JournalRow.tenant == tenant,
            JournalRow.device == device,
            JournalRow.disposition == Disposition.STORED.value,
            DeviceKey.retired_at.is_not(None),
            KeyReach.last < JournalRow.sequence,
        )
        .order_by(JournalRow.epoch, JournalRow.sequence)
    )
    if key_id:
        rows = rows.where(DeviceKey.key_id == key_id)
    for row, last in session.execute(rows):
        if last is not None:
            yield _Beyond(row, last)


def _mark_leads(session: Session, tenant: str, beyond: Sequence[_Beyond], at: datetime) -> tuple[str, ...]:
    doubts = [
        Doubt(lead_id(row.device, incident), row.sha256, row.epoch, row.sequence, last, row.key_id)
        for row, last in beyond
        if row.type in (Alert.TYPE, Evidence.TYPE) and (incident := incident_of(row))
    ]
    happened = distrust_records(session, tenant=tenant, doubts=doubts, at=at)
    route(session, happened)
    return tuple(each.lead_id for each in happened)
