"""The rows that leaves are about: what each leaf must say, told from the row itself, so that both can be compared."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import SQLColumnExpression, String, cast, select
from sqlalchemy.orm import Session

from alerts.errors import AlertsError
from alerts.keys import VerifyKey
from alerts.leaves import LeafKind
from center.boxes.devices import DeviceKey, KeyReach
from center.evidence.custody import CustodyEvent
from center.evidence.recordings import Recording
from center.intake.journal import JournalRow
from center.intake.quarantine import QuarantineEntry
from center.log.entries import key_fields, review_fields
from center.log.pseudonyms import Named
from center.log.records import Pseudonym
from enforcement.reviews import Review

BATCH_ROWS: Final = 500


class Fact(NamedTuple):
    """A row, by the reference its leaf has: when it came, and what the leaf's body must say.

    `body` is None where the row contradicts itself; `at` where the row does not say when.
    """

    reference: str
    at: datetime | None
    body: Mapping[str, object] | None


def by_bytes(session: Session, column: SQLColumnExpression[str]) -> SQLColumnExpression[str]:
    """The column as it is to be ordered: byte for byte, as Python compares, whatever the database's language is."""
    return column.collate("C") if session.get_bind().dialect.name == "postgresql" else column


def records(session: Session, tenant: str) -> Iterator[Fact]:
    """The journal: each record's bytes are hashed again."""
    names = _names_of_devices(session, tenant)
    columns = (JournalRow.sha256, JournalRow.received_at, JournalRow.device, JournalRow.disposition, JournalRow.raw)
    rows = select(*columns).where(JournalRow.tenant == tenant).order_by(by_bytes(session, JournalRow.sha256))
    for sha256, at, device, disposition, raw in session.execute(rows).yield_per(BATCH_ROWS):
        body = {"device": names.get(device), "disposition": disposition, "record": sha256}
        is_whole = isinstance(raw, bytes) and hashlib.sha256(raw).hexdigest() == sha256
        yield Fact(sha256, at, body if is_whole else None)


def _names_of_devices(session: Session, tenant: str) -> Mapping[str, str]:
    rows = select(Pseudonym).where(Pseudonym.tenant == tenant, Pseudonym.kind == Named.DEVICE.value)
    return {row.subject: row.pseudonym for row in session.scalars(rows)}


def quarantined(session: Session, tenant: str) -> Iterator[Fact]:
    """What was put aside."""
    columns = (QuarantineEntry.id, QuarantineEntry.first_at, QuarantineEntry.reason, QuarantineEntry.sha256)
    rows = select(*columns).where(QuarantineEntry.tenant == tenant).order_by(by_bytes(session, QuarantineEntry.id))
    for entry, at, reason, sha256 in session.execute(rows).yield_per(BATCH_ROWS):
        yield Fact(entry, at, {"entry": entry, "reason": reason, "sha256": sha256})


def handled(session: Session, tenant: str) -> Iterator[Fact]:
    """The chain of custody."""
    rows = select(CustodyEvent).where(CustodyEvent.tenant == tenant).order_by(by_bytes(session, CustodyEvent.id))
    for event in session.scalars(rows.execution_options(yield_per=BATCH_ROWS)):
        yield Fact(event.id, event.at, event.body)


def reviewed(session: Session, tenant: str) -> Iterator[Fact]:
    """Reviewers' words; whose they are is not compared, for who was forgotten has no pseudonym any more."""
    reference = Review.lead_id + "/" + cast(Review.number, String)
    rows = select(Review, reference).where(Review.tenant == tenant).order_by(by_bytes(session, reference))
    for review, name in session.execute(rows.execution_options(yield_per=BATCH_ROWS)):
        yield Fact(name, review.at, review_fields(review))


def recorded(session: Session, tenant: str) -> Iterator[Fact]:
    """What officers said of recordings they added; whose words they are is not compared, as with reviews."""
    reference = Recording.lead_id + "/" + Recording.sha256
    rows = select(Recording).where(Recording.tenant == tenant).order_by(by_bytes(session, reference))
    for recording in session.scalars(rows.execution_options(yield_per=BATCH_ROWS)):
        yield Fact(recording.reference, recording.added_at, recording.fields)


def known(session: Session, tenant: str) -> Iterator[Fact]:
    """Keys of boxes, as they are now, with all that they vouch for."""
    names = _names_of_devices(session, tenant)
    reaches: dict[str, list[KeyReach]] = {}
    for reach in session.scalars(select(KeyReach).where(KeyReach.tenant == tenant)):
        reaches.setdefault(reach.key_id, []).append(reach)
    rows = select(DeviceKey).where(DeviceKey.tenant == tenant).order_by(by_bytes(session, DeviceKey.key_id))
    for key in session.scalars(rows):
        body = {"device": names.get(key.device)} | key_fields(key, reaches.pop(key.key_id, ()))
        yield Fact(key.key_id, None, body if _is_named_after(key) else None)


def _is_named_after(key: DeviceKey) -> bool:
    try:
        return VerifyKey.from_text(key.verify_key).key_id == key.key_id
    except AlertsError:
        return False


SOURCES: Final[Mapping[LeafKind, Callable[[Session, str], Iterator[Fact]]]] = {
    LeafKind.RECORD: records,
    LeafKind.QUARANTINE: quarantined,
    LeafKind.KEY: known,
    LeafKind.CUSTODY: handled,
    LeafKind.REVIEW: reviewed,
    LeafKind.RECORDING: recorded,
}
"""Each kind of leaf that is about rows, and those rows in the order of their references."""

CHANGING: Final = frozenset({LeafKind.KEY})
"""Of these a row changes, and each change has a leaf that tells all of it: the last one counts."""
