"""What travels between box and centre: frozen, versioned, nothing extra, no floating-point numbers.

Every class here is the `data` of a CloudEvents 1.0 object; `Event` is that object. Measures are integers with their
unit in the name. Boxes are in pixels of the original frame, origin at its upper left corner. Times are aware UTC.
A change that an old reader could misread gets a new type (`…v2`), never a new meaning of an old field.
"""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _read_time(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _RFC_3339.fullmatch(value):
        msg = "a time is written as in RFC 3339, for example 2026-04-05T06:07:08Z"
        raise ValueError(msg)
    return datetime.fromisoformat(value.upper())


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        msg = "the time is outside the calendar"
        raise ValueError(msg) from None


Utc = Annotated[AwareDatetime, BeforeValidator(_read_time), AfterValidator(_in_utc)]
"""An aware time, in UTC once it is read, whatever offset it was written with."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]


class Message(BaseModel):
    """Base of everything that is signed: frozen, strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Phase(StrEnum):
    """Where an incident stands when the alert is made."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


class ClockQuality(StrEnum):
    """How far the box's UTC can be trusted; the centre stores whatever comes and shows this beside it."""

    SYNCHRONISED = "synchronised"
    UNSYNCHRONISED = "unsynchronised"
    UNKNOWN = "unknown"


class Box(Message):
    """A rectangle in pixels of the original frame."""

    x: int
    y: int
    width: Count
    height: Count


class SeenObject(Message):
    """One object the rule was about, as detected in the frame of the alert."""

    class_name: Id
    score_permille: Annotated[int, Field(ge=0, le=1000)]
    box: Box


class Clause(Message):
    """One condition of the rule: what was measured, against which threshold. `name` is a key of `catalogue.CLAUSES`."""

    name: Id
    holds: bool
    measured: int
    threshold: int
    unit: Id


class Because(Message):
    """Why the rule fired: its clauses and the stream times, in milliseconds, of the frames they rest on."""

    clauses: Annotated[tuple[Clause, ...], Field(min_length=1, max_length=32)]
    first_frame_ms: Count
    last_frame_ms: Count


class Model(Message):
    """The network that saw it."""

    name: Id
    sha256: Sha256


class Packets(Message):
    """The camera's packets that a file was made from: they are the original, a picture is what a decoder made of them.

    Packets are numbered from 0 since the box opened the camera; `take` counts its connections. `first_ms` and
    `last_ms` are stream time, `first_at` and `last_at` this box's clock when they came. `decoder` is empty where
    nothing was decoded: the file holds the very packets. `encoder` is empty where the camera made them; else it sent
    raw pictures, and this is what the box made JPEG of them with.
    """

    first: Count
    last: Count
    take: Count
    first_ms: Count
    last_ms: Count
    first_at: Utc
    last_at: Utc
    codec: Id
    decoder: Annotated[str, StringConstraints(max_length=64)] = ""
    encoder: Annotated[str, StringConstraints(max_length=64)] = ""


class ClockState(Message):
    """What a box knew of its clock when it sealed: at `monotonic_ms` of this boot it believed that it was `utc`.

    `source` says on whose word: the kernel that a time server disciplines it, systemd's mark alone, nobody's.
    `offset_us` is what the kernel was still correcting, `max_error_us` the error that it did not exclude.
    """

    utc: Utc
    boot: Id
    monotonic_ms: Count
    source: Literal["kernel", "timesyncd", "nobody", "unknown"]
    offset_us: Annotated[int, Field(ge=-(2**40), le=2**40)] | None = None
    max_error_us: Count | None = None


class Shortfall(StrEnum):
    """Why a clip shows less than it was to; `alerts.catalogue.SHORTFALLS` has words for each."""

    CONNECTION = "connection"
    CODING = "coding"
    GAP = "gap"
    STALLED = "stalled"
    SIZE = "size"
    MEMORY = "memory"
    RAW = "raw"


class Artefact(Message):
    """A file of evidence, announced by hash and size before it is sent.

    `credentials` says whether content credentials (C2PA) are embedded in it; absent where the box makes none.
    `falls_short`: why a clip does not show all that it was to.
    """

    sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0, le=2**31)]
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]{1,64}$")]
    role: Literal["picture", "annotated", "clip", "redacted"]
    derived_from: Sha256 | None = None
    packets: Packets | None = None
    credentials: Literal["c2pa", "failed"] | None = None
    falls_short: Annotated[tuple[Shortfall, ...], Field(max_length=8)] = ()


class FrameSize(Message):
    """Width and height of the original frame in pixels."""

    width: Annotated[int, Field(gt=0, le=32768)]
    height: Annotated[int, Field(gt=0, le=32768)]


class Alert(Message):
    """One phase of one incident. Revisions count from 1; the highest revision is the truth."""

    TYPE: ClassVar[str] = "teawatch.alert.v1"

    incident: Id
    revision: Annotated[int, Field(ge=1)]
    phase: Phase
    kind: Id
    rule: Id
    config_sha256: Sha256
    camera: Id
    zone: Id
    observed_at: Utc
    opened_at: Utc
    stream_ms: Count
    footage: Literal["live", "recording"]
    frame: FrameSize
    objects: Annotated[tuple[SeenObject, ...], Field(max_length=64)]
    because: Because
    model: Model
    evidence: Annotated[tuple[Artefact, ...], Field(max_length=16)] = ()
    clock: ClockQuality
    clock_state: ClockState | None = None
    unobserved_ms: Count = 0


class Evidence(Message):
    """Files sealed for an incident after its alert went out: derivatives such as the annotated picture."""

    TYPE: ClassVar[str] = "teawatch.evidence.v1"

    incident: Id
    camera: Id
    artefacts: Annotated[tuple[Artefact, ...], Field(min_length=1, max_length=16)]
    clock_state: ClockState | None = None


class Clock(Message):
    """Maps one boot of the box to UTC: at `monotonic_ms` of this boot the box believed it was `utc`."""

    TYPE: ClassVar[str] = "teawatch.clock.v1"

    boot: Id
    monotonic_ms: Count
    utc: Utc
    quality: ClockQuality


class Range(Message):
    """An inclusive range of sequence numbers; `sha256`, where it is known, is the hash of the record `last`."""

    first: Annotated[int, Field(ge=1, le=2**53 - 1)]
    last: Annotated[int, Field(ge=1, le=2**53 - 1)]
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _runs_forwards(self) -> Self:
        if self.last < self.first:
            msg = "a range ends before it begins"
            raise ValueError(msg)
        return self


class Discarded(Message):
    """How many records of one kind a box discarded."""

    kind: Literal["coverage", "clock", "updated", "evidence", "closed"]
    count: Annotated[int, Field(ge=1, le=2**53 - 1)]


class Dropped(Message):
    """The box's own admission that something will not come: how much, when it was made, and why.

    `outbox_full`: the disk took nothing, so this was never recorded and has no sequence numbers. `outbox_limit`:
    records that waited were discarded to keep the outbox within its bytes. `gone`: the centre asked for records that
    this box no longer has, having had a receipt for them or discarded them. `ranges` (ascending, disjoint) are what
    the centre need not wait for.
    """

    TYPE: ClassVar[str] = "teawatch.dropped.v1"

    count: Annotated[int, Field(ge=1, le=2**53 - 1)]
    reason: Literal["outbox_full", "outbox_limit", "gone"]
    first_at: Utc
    last_at: Utc
    ranges: Annotated[tuple[Range, ...], Field(max_length=1024)] = ()
    kinds: Annotated[tuple[Discarded, ...], Field(max_length=8)] = ()

    @model_validator(mode="after")
    def _ranges_ascend(self) -> Self:
        if any(later.first <= earlier.last for earlier, later in pairwise(self.ranges)):
            msg = "ranges overlap or do not ascend"
            raise ValueError(msg)
        return self


class FilesGone(Message):
    """The box's own admission that files it announced will never come: it deleted them, its disk being full."""

    TYPE: ClassVar[str] = "teawatch.lostfiles.v1"

    files: Annotated[tuple[Sha256, ...], Field(min_length=1, max_length=256)]
    reason: Literal["disk_full"]


KeyText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")]
KeyId = Annotated[str, StringConstraints(pattern=r"^ed25519:[0-9a-f]{32}$")]


class Cosigned(Message):
    """A message that a second key signs as well: the one it names, which so shows that somebody has it."""

    key: KeyText


class KeyRotation(Cosigned):
    """The box has a new key: records after this one are signed with it, those up to this one with the key it retires.

    Signed by both, so that neither a thief of the old key can pass off a stranger's key as his own, nor anybody else
    name a successor.
    """

    TYPE: ClassVar[str] = "teawatch.keyrotation.v1"

    retires: KeyId


class Hindrance(StrEnum):
    """Why nobody was looking. Several at once: the first in this order is told."""

    BOX_OFF = "box_off"
    REFUSED = "refused"
    NO_STREAM = "no_stream"
    DEGRADED = "degraded"
    GATE_ERROR = "gate_error"
    FROZEN = "frozen"
    COVERED = "covered"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    TURNED = "turned"
    BLURRED = "blurred"
    CLOCK_OFF = "clock_off"
    OVERLOADED = "overloaded"


class Stretch(Message):
    """A length of time in which a camera was watched (no hindrance), or was not and why."""

    length_ms: Annotated[int, Field(ge=1, le=2**40)]
    hindrance: Hindrance | None = None


class Coverage(Message):
    """When one camera was watched and when not, without a gap from `from_at` to `until_at`.

    Lengths are measured by the monotonic clock and laid back from `until_at`: a box whose clock was set meanwhile
    places the whole time by its better knowledge. Of time that no coverage speaks of, nobody knows anything.
    """

    TYPE: ClassVar[str] = "teawatch.coverage.v1"

    camera: Id
    from_at: Utc
    until_at: Utc
    stretches: Annotated[tuple[Stretch, ...], Field(min_length=1, max_length=64)]
    clock: ClockQuality

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.until_at - self.from_at != timedelta(milliseconds=self.unseen_ms + self.seen_ms):
            msg = "the stretches do not fill the time between from_at and until_at"
            raise ValueError(msg)
        return self

    @property
    def seen_ms(self) -> int:
        """How long the camera was watched."""
        return sum(each.length_ms for each in self.stretches if each.hindrance is None)

    @property
    def unseen_ms(self) -> int:
        """How long it was not, whatever the reason."""
        return sum(each.length_ms for each in self.stretches if each.hindrance is not None)


class Event(Message):
    """A CloudEvents 1.0 object in structured mode; `data` is one of the messages above, named by `type`.

    `sequence` and `prevhash` are set on journal records only; `counter` and `expires` on what the centre sends.
    """

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    source: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    type: Annotated[str, StringConstraints(pattern=r"^teawatch\.[a-z]+\.v[0-9]+$")]
    time: Utc
    datacontenttype: Literal["application/json"] = "application/json"
    tenant: Id
    device: Id
    epoch: Id
    sequence: Annotated[int, Field(ge=1)] | None = None
    prevhash: Sha256 | None = None
    counter: Annotated[int, Field(ge=1)] | None = None
    expires: Utc | None = None
    data: dict[str, object]
