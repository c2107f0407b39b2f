"""Recordings that officers make themselves, with a body camera or in the hand: added to a lead, sealed as they arrive.

The course of enforcement is kept on record in words, sound and picture (Administrative Penalty Law 2021, art. 47). The
centre hashes a recording as it comes, looks at its bytes for what it is, keeps it under its hash like any other file of
evidence, and enters into the log who added it, when and with what words. What nobody but the officer vouches for, such
as when it was taken, is marked as the officer's word.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Final

from sqlalchemy import BigInteger, ForeignKeyConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.leaves import LeafKind, milliseconds
from center.errors import RecordingRefused
from center.evidence.custody import Act, note_custody
from center.evidence.files import Announced, brought_here
from center.log.appending import enter
from center.log.pseudonyms import Named, pseudonym_of
from center.store.shelf import Shelf
from enforcement.actors import Actor
from enforcement.errors import Conflict, NoteMissing, Unknown
from enforcement.leads import Lead
from traceability.append_only import guard
from traceability.records import Base, OfTenant

ROLE: Final = "recording"
CHUNK_BYTES: Final = 2**20
HEAD_BYTES: Final = 16


KINDS: Final = (
    (((0, b"\xff\xd8\xff"),), "image/jpeg"),
    (((0, b"\x89PNG\r\n\x1a\n"),), "image/png"),
    (((0, b"RIFF"), (8, b"WEBP")), "image/webp"),
    (((0, b"RIFF"), (8, b"AVI ")), "video/x-msvideo"),
    (((4, b"ftypqt  "),), "video/quicktime"),
    (((4, b"ftyp"),), "video/mp4"),
    (((0, b"\x1a\x45\xdf\xa3"),), "video/matroska"),
)
"""What is taken: the bytes that stand at which places, and the media type they show."""


class Source(StrEnum):
    """What it was made with."""

    BODY_WORN = "body_worn"
    HAND_HELD = "hand_held"


class Recording(OfTenant, Base):
    """What an officer said of a recording when adding it. Append-only; its bytes are a file of evidence.

    `taken_at` is the officer's word, empty where they gave none.
    """

    __tablename__ = "recording"
    __table_args__ = (ForeignKeyConstraint(["tenant", "lead_id"], ["lead.tenant", "lead.id"]),)

    lead_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(32))
    source: Mapped[str] = mapped_column(String(16))
    note: Mapped[str]
    taken_at: Mapped[datetime | None]
    added_by: Mapped[str] = mapped_column(String(128))
    added_at: Mapped[datetime]

    @property
    def reference(self) -> str:
        """By what its leaf in the log is found."""
        return f"{self.lead_id}/{self.sha256}"

    @property
    def fields(self) -> dict[str, object]:
        """What the leaf says, the person apart; the note stands in it as a hash."""
        return {
            "file": self.sha256,
            "lead": self.lead_id,
            "media_type": self.media_type,
            "note_sha256": hashlib.sha256(self.note.encode()).hexdigest(),
            "size_bytes": self.size_bytes,
            "source": self.source,
            "taken_at_ms": milliseconds(self.taken_at) if self.taken_at else None,
        }


guard(Recording.metadata.tables[Recording.__tablename__])


@dataclass(frozen=True, slots=True)
class Sealed:
    """An uploaded recording: its hash and size, and what its bytes say it is."""

    sha256: str
    size_bytes: int
    media_type: str


def kind_of(head: bytes) -> str | None:
    """The media type that the first bytes of a file show; None for what is neither picture nor video.

    >>> kind_of(bytes.fromhex("ffd8ffe000104a464946"))
    'image/jpeg'
    """
    return next((media_type for signs, media_type in KINDS if all(head[n:].startswith(s) for n, s in signs)), None)


def seal(file: BinaryIO, *, max_bytes: int) -> Sealed:
    """Hash an uploaded file and look at what it is. Raises RecordingRefused."""
    digest, size_bytes, head = hashlib.sha256(), 0, b""
    for chunk in _chunks(file):
        head = head or chunk[:HEAD_BYTES]
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise RecordingRefused(f"the file is larger than {max_bytes // 2**20} MiB")
        digest.update(chunk)
    media_type = kind_of(head)
    if media_type is None:
        raise RecordingRefused("the file is no picture or video: JPEG, PNG, WebP, MP4, MOV, MKV and AVI are taken")
    return Sealed(digest.hexdigest(), size_bytes, media_type)


def keep(store: Shelf, file: BinaryIO, sealed: Sealed) -> None:
    """Put a sealed file into the store, if it is not there. Raises BlobError."""
    if not store.has(sealed.sha256):
        store.append(_chunks(file), sha256=sealed.sha256, size_bytes=sealed.size_bytes, offset=0, by=ROLE)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def check_recording(
    session: Session, sealed: Sealed, *, tenant: str, lead_id: str, note: str, taken_at: datetime | None, at: datetime
) -> Lead:
    """The lead this recording may be added to, held as it is where the transaction writes.

    Asked before a byte is stored, so that nothing lies in the store that no row names. Raises as `add_recording`.
    """
    lead = session.get(Lead, (tenant, lead_id), with_for_update=True)
    if lead is None:
        raise Unknown(f"there is no lead {lead_id!r}")
    if not note.strip():
        raise NoteMissing("a recording is added with a word on what it shows")
    if taken_at is not None and taken_at > at:
        raise RecordingRefused("a recording cannot have been taken later than now")
    if session.get(Announced, (tenant, lead.device, lead.incident, sealed.sha256)) is not None:
        raise Conflict(f"lead {lead_id} has this very file already")
    return lead


def add_recording(
    session: Session,
    sealed: Sealed,
    *,
    tenant: str,
    lead_id: str,
    source: Source,
    note: str,
    taken_at: datetime | None,
    by: Actor,
    at: datetime,
) -> Recording:
    """Add a sealed recording, whose bytes are in the store, to a lead.

    Raises:
        Unknown: there is no such lead.
        NoteMissing: no word says what it shows.
        Conflict: the lead has this very file already.
        RecordingRefused: it would have been taken in the future.
    """
    lead = check_recording(session, sealed, tenant=tenant, lead_id=lead_id, note=note, taken_at=taken_at, at=at)
    recording = Recording(
        tenant=tenant,
        lead_id=lead_id,
        sha256=sealed.sha256,
        size_bytes=sealed.size_bytes,
        media_type=sealed.media_type,
        source=source.value,
        note=note.strip(),
        taken_at=taken_at,
        added_by=by.user_id,
        added_at=at,
    )
    session.add(recording)
    session.add(
        brought_here(
            tenant=tenant,
            device=lead.device,
            incident=lead.incident,
            camera=lead.camera,
            role=ROLE,
            sha256=sealed.sha256,
            size_bytes=sealed.size_bytes,
            media_type=sealed.media_type,
            at=at,
        )
    )
    session.flush()
    person = pseudonym_of(session, tenant=tenant, kind=Named.PERSON, subject=by.user_id)
    enter(
        session,
        tenant=tenant,
        kind=LeafKind.RECORDING,
        fields=recording.fields | {"person": person},
        reference=recording.reference,
        at=at,
        person=person,
    )
    note_custody(
        session, tenant=tenant, act=Act.ADDED, sha256=sealed.sha256, who=by.user_id, at=at, reason=note, lead_id=lead_id
    )
    return recording


def recordings_of(session: Session, *, tenant: str, lead_id: str) -> tuple[Recording, ...]:
    """The recordings people added to a lead, the first first."""
    own = (Recording.tenant == tenant, Recording.lead_id == lead_id)
    return tuple(session.scalars(select(Recording).where(*own).order_by(Recording.added_at, Recording.sha256)))
