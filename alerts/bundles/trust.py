"""Whose keys a reader trusts, and where: a small JSON file that comes to him on another way than the bundle.

`teawatch center keys export` writes it. Keys inside a bundle prove nothing and are never looked at. A box's key speaks
for that box only, from its enrolment on, and within its spans: a key that was rotated or revoked is good for the part
of a journal that lies before, and not beyond.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from alerts import events, wire
from alerts.errors import MessageError, TrustUnusable
from alerts.keys import VerifyKey
from alerts.messages import Count, Id, Message, Utc

MAX_BYTES = 16 * 2**20

KeyText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")]
KeyId = Annotated[str, StringConstraints(pattern=r"^ed25519:[0-9a-f]{32}$")]
Sequence = Annotated[int, Field(ge=1, le=2**53 - 1)]


class _TrustedKey(Message):
    key_id: KeyId
    key: KeyText

    @property
    def verify_key(self) -> VerifyKey:
        """The key itself."""
        return VerifyKey.from_text(self.key)

    @model_validator(mode="after")
    def _names_itself(self) -> Self:
        if self.verify_key.key_id != self.key_id:
            msg = f"the key {self.key_id} has another fingerprint"
            raise ValueError(msg)
        return self


class CentreKey(_TrustedKey):
    """A key of the centre, and when what it sealed is trusted."""

    since: Utc | None = None
    until: Utc | None = None

    def is_good_at(self, at: datetime) -> bool:
        """Whether a seal of that time is trusted."""
        return (self.since is None or self.since <= at) and (self.until is None or at <= self.until)


class KeySpan(Message):
    """A part of one journal: from record `first` to record `last`, or on without an end; none of it where that is 0."""

    epoch: Id
    first: Sequence = 1
    last: Count | None = None

    def holds(self, sequence: int) -> bool:
        """Whether the record lies in it."""
        return self.first <= sequence and (self.last is None or sequence <= self.last)


class DeviceKey(_TrustedKey):
    """A key of a box. `retired_at` is when it was rotated, replaced or revoked: from then on only its spans count."""

    device: Id
    enrolled_at: Utc
    retired_at: Utc | None = None
    spans: Annotated[tuple[KeySpan, ...], Field(max_length=1024)] = ()

    def speaks_at(self, epoch: str, sequence: int) -> bool:
        """Whether it is trusted at this place: within the spans of the journal; where none is told, while in force."""
        own = [span for span in self.spans if span.epoch == epoch]
        return any(span.holds(sequence) for span in own) if own else self.retired_at is None


class Trust(Message):
    """The file. `log_keys` are verifier keys of the centre's log, as C2SP writes them."""

    format: Literal[1] = 1
    tenant: Id
    written_at: Utc
    centre_keys: Annotated[tuple[CentreKey, ...], Field(min_length=1, max_length=64)]
    device_keys: Annotated[tuple[DeviceKey, ...], Field(max_length=65_536)] = ()
    log_keys: Annotated[tuple[Annotated[str, StringConstraints(max_length=512)], ...], Field(max_length=64)] = ()

    @model_validator(mode="after")
    def _knows_each_once(self) -> Self:
        for keys in (self.centre_keys, self.device_keys):
            ids = [each.key_id for each in keys]
            if len(set(ids)) < len(ids):
                msg = "a key stands twice"
                raise ValueError(msg)
        return self

    def centre_key(self, key_id: str) -> CentreKey | None:
        """The centre's key of this name, if it has it."""
        return next((each for each in self.centre_keys if each.key_id == key_id), None)

    def enrolled_at(self, device: str) -> datetime | None:
        """When the box was enrolled for the first time; a key that came by rotation may be older than its arrival."""
        return min((each.enrolled_at for each in self.device_keys if each.device == device), default=None)

    def device_key(self, key_id: str) -> DeviceKey | None:
        """The box's key of this name, if any box has it."""
        return next((each for each in self.device_keys if each.key_id == key_id), None)


def write_trust(trust: Trust) -> bytes:
    """The file, one key a line, for people to compare and programs to read."""
    text = trust.model_dump_json(exclude_none=True, indent=1)
    return text.encode() + b"\n"


def read_trust(raw: bytes) -> Trust:
    """Read what `write_trust` wrote or a person. Raises TrustUnusable."""
    try:
        wire.decode_object(raw, max_bytes=MAX_BYTES)
        return events.read_message(Trust, raw)
    except MessageError as error:
        raise TrustUnusable(f"not a file of keys as `teawatch center keys export` writes it: {error}") from None


def load_trust(path: Path) -> Trust:
    """As `read_trust`, from a file. Raises TrustUnusable."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise TrustUnusable(f"{path}: {error.strerror}") from None
    try:
        return read_trust(raw)
    except TrustUnusable as error:
        raise TrustUnusable(f"{path}: {error}") from None
