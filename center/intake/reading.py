"""From bytes off the wire to an entry the centre can judge: who signed it, where it stands, what it says.

Everything here needs no database but for keys never seen before: it runs before the transaction, and hash and
signature are most of the work. Whose key it is, and whether it speaks for itself, is asked in the transaction
(`standing_of`).

A record that a known box signed but that this version cannot read (a newer type, a field it does not know) is
authentic all the same: it is kept with its place in the journal, so that the box learns what became of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from alerts import dsse, events, records, wire
from alerts.control_messages import Status
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
from alerts.events import Sealed
from alerts.keys import KeyFinder
from alerts.messages import Event, KeyRotation
from alerts.records import JournalData
from alerts.status import read_status
from alerts.subscriber import Incoming
from alerts.topics import Channel
from center.boxes.devices import Ending, Signer
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


Said = Entry | Sealed[Status] | Refusal | None
"""What a message says: a record, a status, nothing that can be believed, or nothing that concerns us."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A message and what it says."""

    message: Incoming
    said: Said

    @property
    def changes_keys(self) -> bool:
        """Whether it must be filed before what comes after it can be read."""
        return isinstance(self.said, Entry) and isinstance(self.said.data, KeyRotation)


def read(message: Incoming, find_key: KeyFinder, *, tenant: str, max_bytes: int) -> Reading:
    """Verify what came under this topic; never raises for what a box may send.

    `find_key` knows every key that was ever a box's.
    """
    topic, raw = message
    if topic.tenant != tenant:
        return Reading(message, Refusal(Reason.WRONG_TOPIC, f"tenant {topic.tenant!r} is not served here"))
    if len(raw) > max_bytes:
        return Reading(message, Refusal(Reason.TOO_LARGE, f"{len(raw)} bytes; at most {max_bytes} are accepted"))
    try:
        return Reading(message, _open(topic.channel, raw, find_key))
    except MessageError as error:
        return Reading(message, refusal_of(error))
    except Refused as refused:
        return Reading(message, refused.refusal)


def _open(channel: Channel, raw: bytes, find_key: KeyFinder) -> Said:
    match channel:
        case Channel.JOURNAL:
            return _read_entry(raw, find_key)
        case Channel.STATUS:
            return read_status(raw, find_key)
        case _:
            return None


def _read_entry(raw: bytes, find_key: KeyFinder) -> Entry:
    """Raises Refused and the classes under MessageError."""
    try:
        record = records.read_record(raw, find_key)
    except (WrongType, MalformedMessage) as error:
        return _unreadable(raw, find_key, refusal_of(error))
    return Entry(record.event, record.data, raw, record.sha256, record.key_id, record.sequence, record.prevhash)


def _unreadable(raw: bytes, find_key: KeyFinder, problem: Refusal) -> Entry:
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


def standing_of(reading: Reading, signers: Mapping[str, Signer]) -> Refusal | None:
    """A box speaks for itself, under its own topic: why not, or None.

    What a key signed in its time stays true, so a record may carry one that has ended (`judging` asks how far it
    reaches); a status is of now.
    """
    topic, said = reading.message.topic, reading.said
    if not isinstance(said, Entry | Sealed):
        return None
    event, signer = said.event, signers.get(said.key_id)
    if signer is None:
        return Refusal(Reason.UNKNOWN_KEY, f"nobody vouches for the key {said.key_id!r}")
    if isinstance(said, Sealed) and not signer.is_in_force:
        return Refusal(why_it_ended(signer), f"a status signed with the ended key {said.key_id} ({signer.ending})")
    if event.device != signer.device or event.tenant != topic.tenant:
        detail = f"signed by {signer.device}, speaks for {event.tenant}/{event.device}"
        return Refusal(Reason.WRONG_DEVICE, detail)
    if event.device != topic.device:
        return Refusal(Reason.WRONG_TOPIC, f"a record of {event.device} under the topic of {topic.device}")
    return None


def why_it_ended(signer: Signer) -> Reason:
    """What to say of what a key signed after its end."""
    return Reason.REVOKED_KEY if signer.ending == Ending.REVOKED else Reason.RETIRED_KEY


def refusal_of(error: MessageError) -> Refusal:
    """Why a message is put aside, from the error of reading it."""
    reason = next(reason for kind, reason in REASONS if isinstance(error, kind))
    return Refusal(reason, str(error))
