"""The centre's seal on a bundle: what is in it, where each incident ends, and when each record came.

The seal is a DSSE envelope around a CloudEvent, as every message of the centre's, signed with the centre's key. It
names every other member by SHA-256 and size, so that nothing can be altered, added or left out; and the last revision
of each incident with its record, so that a cut end shows. What the centre itself lacked when it made the bundle stands
in it too (`lacking`, `gaps`, `forks`, `absent`, `unlogged`): what is missing and not told of was taken out. So do
records of the case whose own times cannot be, which then count from their receipt (`odd_times`), and what the centre
has come to distrust since it took it in (`untrusted`): with that, no bundle holds.
"""

import json
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from alerts import dsse, events, wire
from alerts.bundles.container import MAX_BYTES, MAX_MEMBERS, MAX_NAME, Part
from alerts.errors import MalformedMessage
from alerts.events import Sealed
from alerts.keys import KeyFinder, SigningKey
from alerts.media_types import extension_of
from alerts.messages import Count, Event, Id, Message, Phase, Range, Sha256, Utc

FORMAT: Final = 1
SEAL_NAME: Final = "seal.json"
MAX_SEAL_BYTES: Final = 8 * 2**20

CaseId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,129}$")]
"""A lead's id: the box's name, a dot, the incident's."""

Sequence = Annotated[int, Field(ge=1, le=2**53 - 1)]


class SealedMember(Message):
    """One file of the bundle."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0, le=MAX_BYTES)]


class IncidentEnd(Message):
    """The last revision of an incident that the centre had, and the record that told it.

    `lacking` are the revisions before it of which no record ever came.
    """

    device: Id
    incident: Id
    revision: Annotated[int, Field(ge=1)]
    phase: Phase
    epoch: Id
    sequence: Sequence
    record_sha256: Sha256
    lacking: Annotated[tuple[Range, ...], Field(max_length=MAX_MEMBERS + 1)] = ()


class ReceivedRecord(Message):
    """A journal record and when the centre received it."""

    device: Id
    epoch: Id
    sequence: Sequence
    sha256: Sha256
    received_at: Utc


class Gap(Message):
    """Records of a journal that are not in the bundle although they lie between some that are."""

    device: Id
    epoch: Id
    first: Sequence
    last: Sequence


class ForkedJournal(Message):
    """A journal that two boxes wrote: places in it may have several records that belong to different chains."""

    device: Id
    epoch: Id


class AbsentFile(Message):
    """A file that a box announced and the centre did not have."""

    sha256: Sha256
    role: Id


class AddedRecording(Message):
    """A recording that an officer made and added: the centre vouches for its bytes since `added_at`, nobody for more.

    `source` is what it was made with, `taken_at` the officer's word on when.
    """

    sha256: Sha256
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]{1,64}$")]
    source: Id
    added_at: Utc
    taken_at: Utc | None = None


class HeadStamp(Message):
    """That an outside authority stamped the log's head of `size` leaves, which then told of the case, at `at`.

    `authority` is where it was asked, by the centre's word.
    """

    size: Annotated[int, Field(ge=1, le=2**53 - 1)]
    at: Utc
    authority: Annotated[str, StringConstraints(max_length=256)]


class UntrustedRecord(Message):
    """A record of the case beyond `last`, the last of its journal that the centre trusts of the key that signed it."""

    sha256: Sha256
    last: Annotated[int, Field(ge=0, le=2**53 - 1)]


class Derivative(Message):
    """A redacted copy that the centre made of a file of this bundle and that a person released; no evidence itself."""

    sha256: Sha256
    derived_from: Sha256
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]{1,64}$")]
    made_at: Utc


class BundleSeal(Message):
    """What the centre signs: see the module."""

    TYPE: ClassVar[str] = "teawatch.bundle.v1"

    format: Literal[1] = FORMAT
    case: CaseId
    members: Annotated[tuple[SealedMember, ...], Field(max_length=MAX_MEMBERS)]
    ends: Annotated[tuple[IncidentEnd, ...], Field(max_length=256)]
    records: Annotated[tuple[ReceivedRecord, ...], Field(max_length=MAX_MEMBERS)]
    gaps: Annotated[tuple[Gap, ...], Field(max_length=MAX_MEMBERS)] = ()
    forks: Annotated[tuple[ForkedJournal, ...], Field(max_length=MAX_MEMBERS)] = ()
    absent: Annotated[tuple[AbsentFile, ...], Field(max_length=MAX_MEMBERS)] = ()
    recordings: Annotated[tuple[AddedRecording, ...], Field(max_length=256)] = ()
    odd_times: Annotated[tuple[Sha256, ...], Field(max_length=MAX_MEMBERS)] = ()
    untrusted: Annotated[tuple[UntrustedRecord, ...], Field(max_length=MAX_MEMBERS)] = ()
    unlogged: Count = 0
    unlogged_recordings: Count = 0
    derivatives: Annotated[tuple[Derivative, ...], Field(max_length=256)] = ()
    unlogged_derivatives: Count = 0
    stamp: HeadStamp | None = None


def member_of(part: Part) -> SealedMember:
    """What the seal says of a member."""
    return SealedMember(name=part.name, sha256=part.sha256, size_bytes=part.size_bytes)


def record_name(device: str, epoch: str, sequence: int, sha256: str) -> str:
    """Where a record lies in the bundle, so that names sort as the journal goes."""
    return f"records/{device}/{epoch}/{sequence:012d}-{sha256[:16]}.json"


def recording_name(sha256: str, media_type: str) -> str:
    """Where an officer's recording lies in the bundle."""
    return f"recordings/{sha256}.{extension_of(media_type)}"


def derivative_name(sha256: str, media_type: str) -> str:
    """Where a redacted copy lies in the bundle: apart from what is evidence."""
    return f"derivatives/{sha256}.{extension_of(media_type)}"


def file_name(role: str, sha256: str, media_type: str) -> str:
    """Where a file of evidence lies in the bundle."""
    return f"files/{role}-{sha256}.{extension_of(media_type)}"


def write_seal(seal: BundleSeal, *, key: SigningKey, tenant: str, at: datetime) -> bytes:
    """Sign it, made `at` (aware UTC)."""
    event = Event(
        id=f"bundle-{int(at.timestamp() * 1000)}",
        source=f"urn:teawatch:{tenant}:center",
        type=BundleSeal.TYPE,
        time=at,
        tenant=tenant,
        device="center",
        epoch="bundle",
        data=events.to_data(seal),
    )
    return events.seal_event(event, key)


def read_seal(raw: bytes, find_key: KeyFinder) -> Sealed[BundleSeal]:
    """Verify and read a seal. Raises the classes under MessageError."""
    envelope = dsse.read_envelope(raw, max_bytes=MAX_SEAL_BYTES)
    if envelope.payload_type != dsse.payload_type_of(BundleSeal.TYPE):
        raise MalformedMessage(f"{envelope.payload_type[:120]!r} is no seal of a bundle")
    opened = dsse.verify(envelope, find_key)
    wire.decode_object(opened.payload, max_bytes=MAX_SEAL_BYTES)
    event = events.read_message(Event, opened.payload)
    if event.type != BundleSeal.TYPE:
        raise MalformedMessage(f"an event of type {event.type!r} in an envelope for a seal")
    return Sealed(event, events.read_message(BundleSeal, json.dumps(event.data).encode()), raw, opened.key_id)
