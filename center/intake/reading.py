"""From bytes off the wire to an entry the centre can judge: who signed it, where it stands, what it says.

A record that a known box signed but that this version cannot read (a newer type, a field it does not know) is
authentic all the same: it is kept with its place in the journal, so that the box learns what became of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from alerts import dsse, events, records, wire
from alerts.errors import (
    BadSignature,
    MalformedMessage,
    MessageError,
    MessageTooLarge,
    UnknownKey,
    Unsigned,
    UnsupportedAlgorithm,
    WrongType,
)
from alerts.keys import VerifyKey
from alerts.messages import Event
from alerts.records import JournalData
from alerts.topics import Topic
from center.devices import find_owner, find_signer
from center.intake.quarantine import Reason, Refusal

REASONS: tuple[tuple[type[MessageError], Reason], ...] = (
    (MessageTooLarge, Reason.TOO_LARGE),
    (WrongType, Reason.UNKNOWN_TYPE),
    (Unsigned, Reason.UNSIGNED),
    (UnknownKey, Reason.UNKNOWN_KEY),
    (UnsupportedAlgorithm, Reason.UNSUPPORTED_ALGORITHM),
    (BadSignature, Reason.BAD_SIGNATURE),
    (MalformedMessage, Reason.MALFORMED),
)


class Refused(Exception):
    """What arrived is not authentic, or not in its place: quarantined without a receipt."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Entry:
    """One authentic journal record. `data` is None where `problem` says why nobody can read it."""

    event: Event
    data: JournalData | None
    raw: bytes
    sha256: str
    key_id: str
    sequence: int
    prevhash: str
    problem: Refusal | None = None


def read_entry(session: Session, topic: Topic, raw: bytes) -> Entry:
    """Verify a journal record and that the box that signed it may say it here. Raises Refused."""
    find_key = owners(session, topic.tenant)
    try:
        record = records.read_record(raw, find_key)
        entry = Entry(record.event, record.data, raw, record.sha256, record.key_id, record.sequence, record.prevhash)
    except (WrongType, MalformedMessage) as error:
        entry = _unreadable(raw, find_key, refusal_of(error))
    except MessageError as error:
        raise Refused(refusal_of(error)) from error
    check_place(session, topic, entry.event, entry.key_id)
    return entry


def _unreadable(raw: bytes, find_key: Callable[[str], VerifyKey | None], problem: Refusal) -> Entry:
    """An entry whose signature holds but whose content this version cannot read. Raises Refused."""
    try:
        opened = dsse.verify(dsse.read_envelope(raw), find_key)
        wire.decode_object(opened.payload)
        event = events.read_message(Event, opened.payload)
    except MessageError as error:
        again = refusal_of(error)
        raise Refused(again if again.reason is not Reason.MALFORMED else problem) from error
    if event.sequence is None or event.prevhash is None:
        raise Refused(problem)
    return Entry(event, None, raw, records.hash_of(raw), opened.key_id, event.sequence, event.prevhash, problem=problem)


def check_place(session: Session, topic: Topic, event: Event, key_id: str) -> None:
    """A box speaks for itself, under its own topic. Raises Refused."""
    signer = find_owner(session, topic.tenant, key_id)
    if signer is None or event.device != signer.device or event.tenant != topic.tenant:
        owner = signer.device if signer is not None else "nobody"
        raise Refused(Refusal(Reason.WRONG_DEVICE, f"signed by {owner}, speaks for {event.tenant}/{event.device}"))
    if event.device != topic.device:
        raise Refused(Refusal(Reason.WRONG_TOPIC, f"a record of {event.device} under the topic of {topic.device}"))


def finder(session: Session, tenant: str) -> Callable[[str], VerifyKey | None]:
    """`find_key` for the functions of `alerts`: keys of boxes that may speak now."""

    def find(key_id: str) -> VerifyKey | None:
        signer = find_signer(session, tenant, key_id)
        return signer.key if signer is not None else None

    return find


def owners(session: Session, tenant: str) -> Callable[[str], VerifyKey | None]:
    """`find_key` for journal records: also keys that boxes had, for what these signed in their time stays true."""

    def find(key_id: str) -> VerifyKey | None:
        owner = find_owner(session, tenant, key_id)
        return owner.key if owner is not None else None

    return find


def refusal_of(error: MessageError) -> Refusal:
    """Why a message is put aside, from the error of reading it."""
    reason = next(reason for kind, reason in REASONS if isinstance(error, kind))
    return Refusal(reason, str(error))
