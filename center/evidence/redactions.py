"""Redacted copies: made from a sealed picture, looked at by a person, and only then let out of the officers' side.

Where pictures are lawfully published, faces, number plates and names of firms are protected strictly (Public-safety
video systems regulation, State Council order 799, art. 22). What a network finds is no promise that nothing was
missed, and no network here reads the names of firms; so a copy leaves only after somebody looked at it and said so. The
original stays as it was sealed; the copy names it. `released_copies` are those that may go out.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.redaction import Redaction
from center.evidence.custody import Act, is_looking, note_custody
from center.evidence.files import Announced, brought_here, find_file
from center.evidence.recordings import ROLE as RECORDING
from center.evidence.redactor import Redacted
from center.feed.hub import announce
from enforcement.actors import Actor
from enforcement.errors import Conflict, IllegalMove, NoteMissing, Unknown
from enforcement.leads import Lead
from traceability.append_only import guard
from traceability.records import Base, Identified, OfTenant

ROLE: Final = "redacted"
ORIGINALS: Final = ("picture", RECORDING)
"""What a copy is made of: what a box or an officer sealed, not what was drawn on it since."""


class Word(StrEnum):
    """What a person says of a copy."""

    RELEASE = "release"
    WITHHOLD = "withhold"


class Standing(StrEnum):
    """What a copy is by now."""

    WAITING = "waiting"
    RELEASED = "released"
    WITHHELD = "withheld"


MOVES: Final[Mapping[tuple[Standing, Word], Standing]] = {
    (Standing.WAITING, Word.RELEASE): Standing.RELEASED,
    (Standing.WAITING, Word.WITHHOLD): Standing.WITHHELD,
    (Standing.RELEASED, Word.WITHHOLD): Standing.WITHHELD,
    (Standing.WITHHELD, Word.RELEASE): Standing.RELEASED,
}
"""Every word that changes something; any other is refused."""

ACTS: Final[Mapping[Word, Act]] = {Word.RELEASE: Act.RELEASED, Word.WITHHOLD: Act.WITHHELD}


class RedactedCopy(Identified, Base):
    """Who asked for a copy of which picture, why, and what was covered. Append-only; its bytes are a file of the lead.

    `report` is what the command wrote: `alerts.redaction.Redaction`.
    """

    __tablename__ = "redacted_copy"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "lead_id"], ["lead.tenant", "lead.id"]),
        Index(None, "tenant", "original_sha256"),
        Index(None, "tenant", "lead_id"),
    )

    lead_id: Mapped[str] = mapped_column(String(128))
    original_sha256: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    report: Mapped[str]
    reason: Mapped[str]
    asked_by: Mapped[str] = mapped_column(String(128))
    made_at: Mapped[datetime]

    @property
    def told(self) -> Redaction:
        """The report."""
        return Redaction.model_validate_json(self.report)


class CopyWord(OfTenant, Base):
    """What somebody said of a copy, append-only; the last word counts. It is about the bytes, in whatever lead."""

    __tablename__ = "redacted_copy_word"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lead_id: Mapped[str] = mapped_column(String(128))
    word: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str]
    by_user: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime]


guard(RedactedCopy.metadata.tables[RedactedCopy.__tablename__])
guard(CopyWord.metadata.tables[CopyWord.__tablename__])


def check_original(session: Session, *, tenant: str, lead_id: str, original: str, reason: str) -> Announced:
    """The picture of this lead that is to be redacted; the lead is held as it is where the transaction writes.

    Raises Unknown for what is no sealed picture of the lead, or not here; NoteMissing.
    """
    lead = session.get(Lead, (tenant, lead_id), with_for_update=True)
    if lead is None:
        raise Unknown(f"there is no lead {lead_id!r}")
    if not reason.strip():
        raise NoteMissing("a redacted copy is asked for with a reason")
    file = session.get(Announced, (tenant, lead.device, lead.incident, original))
    if file is None or not may_be_redacted(file):
        raise Unknown(f"lead {lead_id} has no sealed picture {original[:16]} here that could be redacted")
    return file


def may_be_redacted(file: Announced) -> bool:
    """Whether it is a sealed picture that is here."""
    return file.is_here and file.role in ORIGINALS and file.media_type.startswith("image/")


def add_copy(
    session: Session, made: Redacted, *, tenant: str, lead_id: str, reason: str, by: Actor, at: datetime
) -> RedactedCopy:
    """Enter a copy whose bytes are in the store. Raises as `check_original`, and Conflict if the lead has this one."""
    told = made.told
    original = check_original(session, tenant=tenant, lead_id=lead_id, original=told.original_sha256, reason=reason)
    _enter_file(session, original, told, at)
    copy = RedactedCopy(
        tenant=tenant,
        id=secrets.token_hex(12),
        lead_id=lead_id,
        original_sha256=told.original_sha256,
        sha256=told.copy_sha256,
        report=made.text,
        reason=reason.strip(),
        asked_by=by.user_id,
        made_at=at,
    )
    session.add(copy)
    session.flush()
    note_custody(
        session,
        tenant=tenant,
        act=Act.REDACTED,
        sha256=told.original_sha256,
        made_sha256=told.copy_sha256,
        who=by.user_id,
        at=at,
        reason=reason,
        lead_id=lead_id,
    )
    announce(session, "evidence", lead_id)
    return copy


def _enter_file(session: Session, original: Announced, told: Redaction, at: datetime) -> None:
    """A file of evidence beside its original; one that was deleted when its term was over comes back."""
    key = (original.tenant, original.device, original.incident, told.copy_sha256)
    known = session.get(Announced, key)
    if known is not None:
        if known.is_here or known.role != ROLE:
            raise Conflict("the lead has this very copy already: nothing else would be covered")
        known.arrived_at, known.deleted_at, known.deleted_rule = at, None, ""
        return
    session.add(
        brought_here(
            tenant=original.tenant,
            device=original.device,
            incident=original.incident,
            camera=original.camera,
            role=ROLE,
            sha256=told.copy_sha256,
            size_bytes=told.size_bytes,
            media_type=told.media_type,
            derived_from=told.original_sha256,
            at=at,
        )
    )


def say(
    session: Session, *, tenant: str, lead_id: str, sha256: str, word: Word, reason: str, by: Actor, at: datetime
) -> Standing:
    """Release a copy, or withhold it (again).

    Raises:
        Unknown: the lead has no such copy here.
        NoteMissing: no reason was given.
        IllegalMove: it is that already; or, to release it, this person has not just looked at it in full.
    """
    lead = session.get(Lead, (tenant, lead_id), with_for_update=True)
    copy = next((each for each in copies_of(session, tenant=tenant, lead_id=lead_id) if each.sha256 == sha256), None)
    if lead is None or copy is None or find_file(session, tenant=tenant, sha256=sha256) is None:
        raise Unknown(f"lead {lead_id} has no redacted copy {sha256[:16]} here")
    if not reason.strip():
        raise NoteMissing("a copy is released or withheld with a word on why")
    words = words_on(session, tenant=tenant, sha256=sha256)
    standing = standing_of(words)
    after = MOVES.get((standing, word))
    if after is None:
        raise IllegalMove(f"the copy is {standing} already")
    if word is Word.RELEASE and not is_looking(
        session, tenant=tenant, user_id=by.user_id, sha256=sha256, at=at, small_copies=False
    ):
        raise IllegalMove("look at the copy itself before releasing it: faces are missed now and then")
    session.add(
        CopyWord(
            tenant=tenant,
            sha256=sha256,
            number=len(words) + 1,
            lead_id=lead_id,
            word=word.value,
            reason=reason.strip(),
            by_user=by.user_id,
            at=at,
        )
    )
    note_custody(
        session, tenant=tenant, act=ACTS[word], sha256=sha256, who=by.user_id, at=at, reason=reason, lead_id=lead_id
    )
    announce(session, "evidence", lead_id)
    return after


def copies_of(session: Session, *, tenant: str, lead_id: str) -> Sequence[RedactedCopy]:
    """The copies made for a lead, the latest first."""
    own = (RedactedCopy.tenant == tenant, RedactedCopy.lead_id == lead_id)
    return session.scalars(
        select(RedactedCopy).where(*own).order_by(RedactedCopy.made_at.desc(), RedactedCopy.id)
    ).all()


def words_on(session: Session, *, tenant: str, sha256: str) -> Sequence[CopyWord]:
    """Whatever was said of a copy, the first first."""
    own = (CopyWord.tenant == tenant, CopyWord.sha256 == sha256)
    return session.scalars(select(CopyWord).where(*own).order_by(CopyWord.number)).all()


def standing_of(words: Sequence[CopyWord]) -> Standing:
    """What a copy is after these words."""
    if not words:
        return Standing.WAITING
    return Standing.RELEASED if words[-1].word == Word.RELEASE else Standing.WITHHELD


def released_copies(session: Session, *, tenant: str, lead_id: str) -> list[RedactedCopy]:
    """The copies of a lead that were released and are here, each once, the latest first."""
    found: dict[str, RedactedCopy] = {}
    for copy in copies_of(session, tenant=tenant, lead_id=lead_id):
        is_released = standing_of(words_on(session, tenant=tenant, sha256=copy.sha256)) is Standing.RELEASED
        if is_released and find_file(session, tenant=tenant, sha256=copy.sha256) is not None:
            found.setdefault(copy.sha256, copy)
    return list(found.values())
