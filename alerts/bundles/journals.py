"""The records of a bundle: read, and signed by keys that the reader trusts at just that place."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from alerts import dsse, events, records, wire
from alerts.bundles.container import Container
from alerts.bundles.findings import Finding
from alerts.bundles.seal import BundleSeal, ReceivedRecord, record_name
from alerts.bundles.trust import Trust
from alerts.errors import BadSignature, BundleUnfit, MalformedMessage, MessageError, UnknownKey, WrongType
from alerts.keys import VerifyKey
from alerts.messages import Event
from alerts.records import JournalData

FOLDER = "records/"


@dataclass(frozen=True, slots=True)
class BundledRecord:
    """An authentic record. `data` is None where this version does not know its type."""

    name: str
    event: Event
    data: JournalData | None
    sha256: str
    key_id: str
    sequence: int
    prevhash: str
    received_at: datetime


def read_records(container: Container, seal: BundleSeal, trust: Trust) -> tuple[list[BundledRecord], list[Finding]]:
    """Every record that is authentic and in its place, in the journal's order, and what is wrong with the others."""
    told = {record_name(each.device, each.epoch, each.sequence, each.sha256): each for each in seal.records}
    untrusted = {each.sha256: each.last for each in seal.untrusted}
    keys = {each.key_id: each.verify_key for each in trust.device_keys}
    good, findings = [], []
    for name in (name for name in container.members if name.startswith(FOLDER)):
        received = told.get(name)
        if received is None:
            findings.append(Finding("record_unlisted", {"name": name}))
            continue
        try:
            record = _read(container, name, received, keys.get)
            _check_trust(record, trust)
        except BundleUnfit as error:
            findings.append(error.finding)
            continue
        good.append(record)
        if record.sha256 in untrusted:
            findings.append(Finding("record_distrusted", {"name": name, "last": untrusted[record.sha256]}))
        if record.data is None:
            findings.append(Finding("unread_context", {"name": name}))
    findings += [
        Finding("record_lost", {"sequence": each.sequence, "device": each.device})
        for name, each in told.items()
        if name not in container.members
    ]
    return sorted(good, key=lambda record: (record.event.device, record.event.epoch, record.sequence)), findings


def _read(
    container: Container, name: str, received: ReceivedRecord, find_key: Callable[[str], VerifyKey | None]
) -> BundledRecord:
    """Raises BundleUnfit."""
    if container.members[name].size_bytes > wire.MAX_BYTES:
        raise BundleUnfit(Finding("record_unreadable", {"name": name, "reason": "too long"}))
    raw = container.read(name)
    try:
        event, data, key_id = _open(raw, find_key)
        if event.sequence is None or event.prevhash is None:
            raise MalformedMessage("no sequence or prevhash")
    except UnknownKey:
        key_id = dsse.read_envelope(raw).key_id
        raise BundleUnfit(Finding("record_stranger", {"name": name, "key": key_id[:80]})) from None
    except BadSignature as error:
        raise BundleUnfit(Finding("record_signature", {"name": name, "reason": error})) from None
    except MessageError as error:
        raise BundleUnfit(Finding("record_unreadable", {"name": name, "reason": error})) from None
    sha256 = records.hash_of(raw)
    place = record_name(event.device, event.epoch, event.sequence, sha256)
    if place != name or sha256 != received.sha256:
        raise BundleUnfit(Finding("record_misplaced", {"name": name, "found": place}))
    return BundledRecord(name, event, data, sha256, key_id, event.sequence, event.prevhash, received.received_at)


def _open(raw: bytes, find_key: Callable[[str], VerifyKey | None]) -> tuple[Event, JournalData | None, str]:
    """The event, its data where this version knows the type, and the key. Raises the classes under MessageError."""
    try:
        record = records.read_record(raw, find_key)
    except WrongType:
        opened = dsse.verify(dsse.read_envelope(raw), find_key)
        wire.decode_object(opened.payload)
        return events.read_message(Event, opened.payload), None, opened.key_id
    return record.event, record.data, record.key_id


def _check_trust(record: BundledRecord, trust: Trust) -> None:
    """Raises BundleUnfit where the key may not sign this record."""
    key = trust.device_key(record.key_id)
    if key is None:
        raise BundleUnfit(Finding("record_stranger", {"name": record.name, "key": record.key_id}))
    event = record.event
    if (event.tenant, event.device) != (trust.tenant, key.device):
        says, owner = f"{event.tenant}/{event.device}", f"{trust.tenant}/{key.device}"
        raise BundleUnfit(Finding("record_of_another", {"name": record.name, "says": says, "owner": owner}))
    if not key.speaks_at(event.epoch, record.sequence):
        raise BundleUnfit(Finding("record_past_trust", {"name": record.name, "key": record.key_id}))
