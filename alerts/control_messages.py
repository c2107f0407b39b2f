"""What a box says of itself, and what the centre tells a box, beside the journal: status, receipts, commands."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from alerts.messages import ClockState, Count, Id, KeyId, Message, Range, Sha256, Utc


class Heard(Message):
    """A word of the centre's that a box followed: sealed `at` by the centre's clock, here at `monotonic_ms` of a boot.

    So that moment of the boot was no earlier, whatever this box's clock says.
    """

    at: Utc
    monotonic_ms: Count


class Status(Message):
    """Whether the box is on line; retained, with a last will; not part of the journal's chain.

    Each connection of an outbox has a greater number than the one before, and `number` counts the statuses in it: the
    last will, which is sealed first, has 0. So an old status can be told from the newest, whatever the clock says.
    `clock` is when it was sealed, `heard` the last word of the centre in the same boot: from both the centre reckons
    when what this box recorded without a set clock was.
    """

    TYPE: ClassVar[str] = "teawatch.status.v1"

    online: bool
    epoch: Id
    connection: Annotated[int, Field(ge=1, le=2**53 - 1)]
    number: Count
    pending_records: Count
    pending_uploads: Count
    rejected_downlinks: Count
    quarantined_records: Count = 0
    discarded_records: Count = 0
    trouble: Annotated[str, StringConstraints(max_length=200)] = ""
    clock: ClockState | None = None
    heard: Heard | None = None


class Disposition(StrEnum):
    """What the centre did with a record."""

    STORED = "stored"
    QUARANTINED = "quarantined"


class Span(Message):
    """An inclusive range of sequence numbers with one disposition; `sha256` is the hash of the record `last`."""

    first: Annotated[int, Field(ge=1)]
    last: Annotated[int, Field(ge=1)]
    disposition: Disposition
    sha256: Sha256


class Receipt(Message):
    """The centre's word that its database has these records of one epoch.

    Everything up to and including `cumulative` is safe; `spans` names what is safe beyond it, and, with
    `quarantined`, what was put aside anywhere. `sha256` is the hash of the record `cumulative` (64 zeros at 0): records
    are chained, so it stands for all before it, and a box whose record there is another one is not meant.

    `is_forked`: two chains of this epoch came, so this box or its state was copied. Then each record is told alone.
    """

    TYPE: ClassVar[str] = "teawatch.receipt.v1"

    cumulative: Count
    sha256: Sha256
    spans: Annotated[tuple[Span, ...], Field(max_length=256)] = ()
    is_forked: bool = False


class Recall(Message):
    """The centre asks for records of one epoch that it misses; the box sends them again, or says that they are gone."""

    TYPE: ClassVar[str] = "teawatch.recall.v1"

    ranges: Annotated[tuple[Range, ...], Field(min_length=1, max_length=256)]


class RotateKey(Message):
    """The centre asks a box to make itself a new key in place of this one; a box that has another already does not."""

    TYPE: ClassVar[str] = "teawatch.rotatekey.v1"

    retires: KeyId
