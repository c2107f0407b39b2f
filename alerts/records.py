"""The journal: what a box reports, chained, so that a missing or altered record shows."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from alerts import events
from alerts.errors import MalformedMessage
from alerts.identity import Identity
from alerts.keys import KeyFinder, SigningKey
from alerts.messages import Alert, Clock, Coverage, Dropped, Event, Evidence, FilesGone, KeyRotation

FIRST_PREVHASH = "0" * 64
"""The `prevhash` of the first record of an epoch."""

JournalData: TypeAlias = Alert | Evidence | Coverage | Clock | Dropped | FilesGone | KeyRotation

JOURNAL_TYPES: Mapping[str, type[JournalData]] = MappingProxyType(
    {kind.TYPE: kind for kind in (Alert, Evidence, Coverage, Clock, Dropped, FilesGone, KeyRotation)}
)


@dataclass(frozen=True, slots=True)
class Record:
    """One verified record: `raw` are the bytes to store, `sha256` is theirs, `key_id` made the signature.

    That the key belongs to `event.device` of `event.tenant` is for the reader to check: only he knows whose key it is.
    """

    event: Event
    data: JournalData
    raw: bytes
    sha256: str
    key_id: str
    sequence: int
    prevhash: str

    @property
    def epoch(self) -> str:
        """The outbox it was made in."""
        return self.event.epoch


def write_record(
    data: JournalData,
    *,
    identity: Identity,
    epoch: str,
    sequence: int,
    prevhash: str,
    at: datetime,
    cosigner: SigningKey | None = None,
) -> Record:
    """Sign the record with this place in the chain; `at` is when it was made, aware UTC.

    `cosigner` is the new key that a rotation names.
    """
    event = Event(
        id=f"{epoch}-{sequence}",
        source=identity.source,
        type=data.TYPE,
        time=at,
        tenant=identity.tenant,
        device=identity.device,
        epoch=epoch,
        sequence=sequence,
        prevhash=prevhash,
        data=events.to_data(data),
    )
    raw = events.seal_event(event, identity.signing_key, cosigner)
    return Record(event, data, raw, hash_of(raw), identity.signing_key.key_id, sequence, prevhash)


def read_record(raw: bytes, find_key: KeyFinder) -> Record:
    """Verify and read a record; pure. Raises the classes under MessageError."""
    sealed = events.open_event(raw, JOURNAL_TYPES, find_key)
    event = sealed.event
    if event.sequence is None or event.prevhash is None:
        raise MalformedMessage("a journal record without sequence or prevhash")
    if (event.sequence == 1) != (event.prevhash == FIRST_PREVHASH):
        raise MalformedMessage("the first record, and only the first, has a prevhash of zeros")
    return Record(event, sealed.data, raw, hash_of(raw), sealed.key_id, event.sequence, event.prevhash)


def hash_of(raw: bytes) -> str:
    """SHA-256 of stored bytes, as the next record's `prevhash` gives it."""
    return hashlib.sha256(raw).hexdigest()
