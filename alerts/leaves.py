"""What stands in the centre's log: leaves that anybody may read and that name nobody.

A leaf says of which kind it is, when it was entered, and a *commitment*: HMAC-SHA-256, keyed with 32 random bytes of
its own, over the bytes of its body. Who is shown body and salt (an `Opening`) checks that the leaf means just that; to
everybody else the leaf tells nothing, and once the opening is erased nobody can tell any more, while every proof of
the log holds as before. So an append-only log and the right to deletion (Personal Information Protection Law, art. 47)
do not exclude each other.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from alerts import merkle, wire
from alerts.errors import MalformedMessage, ProofRejected

VERSION: Final = 1
SALT_BYTES: Final = 32
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class LeafKind(StrEnum):
    """What the log holds. A body's fields stand beside each.

    - record: a journal record of a box that the centre stored; `device` (a pseudonym), `record` (the SHA-256 of its
      bytes), `disposition`
    - quarantine: something that was put aside; `reason`, `sha256`
    - key: a box was enrolled, changed its key or was shut out; `device`, `act`, and what holds of this key from then
      on: `key_id`, `since_ms`, `ended_ms`, `ending`, by journal the `first` and `last` record that is trusted
    - custody: a view, download, review, redaction, transfer or upload of a file; `person`, `act`, `file`, `lead`, ...
    - review: a reviewer's word on a lead; `person`, `part`, `verdict`, `lead`, `opinion_sha256`, ...
    - hold: a lead was put under legal hold or released; `person`, `lead`, `holds` (0 or 1), `reason_sha256`
    - recording: an officer added a recording; `person`, `file`, `lead`, `size_bytes`, `media_type`, `note_sha256`, ...
    - erasure: openings that were erased; `leaves`, `ground`
    """

    RECORD = "record"
    QUARANTINE = "quarantine"
    KEY = "key"
    CUSTODY = "custody"
    REVIEW = "review"
    HOLD = "hold"
    RECORDING = "recording"
    ERASURE = "erasure"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One public line of the log; `at` is aware UTC, to the millisecond."""

    kind: LeafKind
    at: datetime
    commitment: bytes

    def spell(self) -> bytes:
        """The exact bytes that the tree hashes."""
        commitment, kind = self.commitment.hex().encode(), self.kind.value.encode()
        parts = (milliseconds(self.at), commitment, kind, VERSION)
        return b'{"at_ms":%d,"commitment":"%b","kind":"%b","version":%d}' % parts

    @property
    def hash(self) -> bytes:
        """The leaf's hash in the tree."""
        return merkle.leaf_hash(self.spell())


@dataclass(frozen=True, slots=True)
class Opening:
    """What a leaf's commitment was made of: kept apart, where it can be erased."""

    salt: bytes
    body: bytes

    @classmethod
    def of(cls, fields: Mapping[str, object]) -> "Opening":
        """The opening of a body with these fields, with a new salt; raises MalformedMessage for what may not travel."""
        return cls(secrets.token_bytes(SALT_BYTES), wire.encode(fields))

    @property
    def commitment(self) -> bytes:
        """What stands for it in the leaf."""
        return hmac.digest(self.salt, self.body, hashlib.sha256)

    @property
    def fields(self) -> dict[str, object]:
        """The body's fields; raises MalformedMessage."""
        return wire.decode_object(self.body)

    def check(self, leaf: Leaf) -> None:
        """Return if the leaf means just this; raises ProofRejected."""
        if len(self.salt) != SALT_BYTES or not hmac.compare_digest(self.commitment, leaf.commitment):
            raise ProofRejected("the leaf of the log was made over something else than this")


def read_leaf(raw: bytes) -> Leaf:
    """Read what `Leaf.spell` wrote, in that one spelling; raises MalformedMessage."""
    match wire.decode_object(raw):
        case {"at_ms": int(at_ms), "commitment": str(commitment), "kind": str(kind), "version": 1} if (
            _DIGEST.fullmatch(commitment) and kind in set(LeafKind) and not isinstance(at_ms, bool)
        ):
            leaf = Leaf(LeafKind(kind), _instant(at_ms), bytes.fromhex(commitment))
        case _:
            raise MalformedMessage("not a leaf of a log of version 1")
    if leaf.spell() != raw:
        raise MalformedMessage("not the one spelling of a leaf")
    return leaf


def milliseconds(at: datetime) -> int:
    """Milliseconds since 1970 of an aware time, rounded down."""
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _instant(at_ms: int) -> datetime:
    try:
        return datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    except (ValueError, OverflowError, OSError):
        raise MalformedMessage(f"{at_ms} ms since 1970 is no time") from None
