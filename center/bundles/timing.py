"""Records of a case whose own times cannot be, found before the centre seals what a reader will judge."""

from sqlalchemy.orm import Session

from alerts.bundles.journals import BundledRecord
from alerts.bundles.times import impossible_times
from center.boxes.keys import list_keys
from center.bundles.gathering import Gathered, row_name
from center.intake.rereading import event_of


def odd_times(session: Session, gathered: Gathered) -> tuple[str, ...]:
    """The hashes of those records, by the very rule by which `teawatch verify` finds them."""
    lead = gathered.lead
    enrolled_at = min(key.since for key in list_keys(session, lead.tenant, lead.device))
    records = [
        BundledRecord(
            name=row_name(row),
            event=event_of(row),
            data=said,
            sha256=row.sha256,
            key_id=row.key_id,
            sequence=row.sequence,
            prevhash=row.prevhash,
            received_at=row.received_at,
        )
        for row, said in gathered.told
    ]
    odd = impossible_times(records, {lead.device: enrolled_at}.get)
    return tuple(dict.fromkeys(record.sha256 for record, _ in odd))
