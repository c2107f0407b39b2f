"""What came before anybody knew that a box was no longer to be trusted: shown in the quarantine, for people to judge.

The journal is never rewritten, and leads made of such records stay: somebody may be at work on them.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.control_messages import Disposition
from alerts.topics import Channel, Topic
from center.devices import DeviceKey, KeyReach
from center.intake.journal import JournalRow
from center.intake.quarantine import Limits, Reason, Refusal, put_aside


def put_aside_beyond(session: Session, *, tenant: str, device: str, limits: Limits, at: datetime) -> int:
    """List what was stored and lies beyond the reach of the key that signed it, now that it ends earlier; how much."""
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
            JournalRow.sequence > KeyReach.last,
        )
        .order_by(JournalRow.epoch, JournalRow.sequence)
    )
    count = 0
    for row, last in session.execute(rows):
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
        count += 1
    return count
