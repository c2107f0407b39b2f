"""The chain of custody: whatever anybody does with a file of evidence, with person, reason and time.

Every viewing and retrieval is registered with reason, content and person (Public-safety video systems regulation, State
Council order 799, art. 16); the whole course of enforcement is kept on record (Administrative Penalty Law 2021, art.
47). Each event is a leaf of the centre's log, in which the person stands under a pseudonym.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Index, String, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.leaves import LeafKind
from center.log.appending import enter
from center.log.pseudonyms import Named, find_pseudonym, pseudonym_of, subject_of
from enforcement.errors import NoteMissing
from traceability.append_only import ERASABLE, guard
from traceability.records import Base, Identified


class Act(StrEnum):
    """What was done with a file; a page has words for each."""

    RECEIVED = "received"  # a box brought it, and its hash was the announced one
    ADDED = "added"  # an officer added a recording of their own
    VIEWED = "viewed"
    DOWNLOADED = "downloaded"
    REVIEWED = "reviewed"
    RELIED_ON = "relied_on"  # a step of a penalty was taken on the strength of it
    REDACTED = "redacted"  # a redacted copy was made of it: see `center.evidence.redactions`
    RELEASED = "released"  # a redacted copy may leave the officers' side
    WITHHELD = "withheld"  # it may not, or no longer
    TRANSFERRED = "transferred"  # handed out of the centre, in a bundle for instance
    DELETED = "deleted"  # its term was over: see `center.evidence.retention`


IN_A_LIST: Final = "list"
"""The reason of a look at a small copy, among others."""

ONE_LOOK: Final = timedelta(hours=1)
"""So long one look at a file lasts: a player fetches a clip piece by piece, and a list shows it again and again."""

LOOKS: Final = (Act.VIEWED, Act.DOWNLOADED)
"""Acts that change nothing and hand nothing to anybody else."""


class CustodyEvent(Identified, Base):
    """One thing done with one file. Never changed; deleted only when the person in it must be forgotten.

    `person` is a pseudonym of the log, a box's for `received`. `lead_id` is empty where the act was about the file
    alone: the same bytes may belong to several leads. `made_sha256` is what came out of it, empty for most acts.
    """

    __tablename__ = "custody_event"
    __table_args__ = (
        Index(None, "tenant", "sha256", "at"),
        Index(None, "tenant", "lead_id"),
        Index(None, "tenant", "person"),
    )

    act: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[str] = mapped_column(String(64))
    lead_id: Mapped[str] = mapped_column(String(128))
    person: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str]
    at: Mapped[datetime]
    made_sha256: Mapped[str] = mapped_column(String(64), default="", server_default="")

    @property
    def body(self) -> dict[str, object]:
        """What the leaf in the log says of it."""
        made: dict[str, object] = {"made": self.made_sha256} if self.made_sha256 else {}
        return made | {
            "act": self.act,
            "event": self.id,
            "file": self.sha256,
            "lead": self.lead_id,
            "person": self.person,
            "reason": self.reason,
        }


guard(CustodyEvent.metadata.tables[CustodyEvent.__tablename__], ERASABLE)


@dataclass(frozen=True, slots=True)
class Handled:
    """One line of the chain as a person reads it; `who` is None where that was erased.

    `event` is the row's id, which its leaf of the log refers to.
    """

    act: Act
    sha256: str
    who: str | None
    reason: str
    at: datetime
    made_sha256: str = ""
    event: str = field(default="", compare=False)


def say_why(reason: str) -> str:
    """The reason as it is kept: whatever a person does with evidence has one, in words. Raises NoteMissing."""
    words = reason.strip()
    if not words:
        raise NoteMissing("whoever handles evidence says why, in words; nothing was done")
    return words


def note_custody(
    session: Session,
    *,
    tenant: str,
    act: Act,
    sha256: str,
    who: str,
    at: datetime,
    reason: str = "",
    lead_id: str = "",
    made_sha256: str = "",
) -> None:
    """Write down that this was done with this file, and have it entered into the log.

    `who` is a user id, for `Act.RECEIVED` the name of the box, which needs no reason. Raises NoteMissing.
    """
    words = reason.strip() if act is Act.RECEIVED else say_why(reason)
    kind = Named.DEVICE if act is Act.RECEIVED else Named.PERSON
    done = CustodyEvent(
        tenant=tenant,
        id=secrets.token_hex(12),
        act=act.value,
        sha256=sha256,
        lead_id=lead_id,
        person=pseudonym_of(session, tenant=tenant, kind=kind, subject=who),
        reason=words,
        at=at,
        made_sha256=made_sha256,
    )
    session.add(done)
    person = done.person if kind is Named.PERSON else ""
    enter(session, tenant=tenant, kind=LeafKind.CUSTODY, fields=done.body, reference=done.id, at=at, person=person)


def is_looking(
    session: Session, *, tenant: str, user_id: str, sha256: str, at: datetime, small_copies: bool = True
) -> bool:
    """Whether this person is registered as having looked at this file so shortly before `at` that it is the same look.

    Without `small_copies`, as having looked at the file itself.
    """
    person = find_pseudonym(session, tenant=tenant, kind=Named.PERSON, subject=user_id)
    own = (
        CustodyEvent.tenant == tenant,
        CustodyEvent.person == person,
        CustodyEvent.sha256 == sha256,
        CustodyEvent.act.in_(LOOKS),
    )
    looks = select(CustodyEvent.id).where(*own, CustodyEvent.at >= at - ONE_LOOK)
    if not small_copies:
        looks = looks.where(CustodyEvent.reason != IN_A_LIST)
    return person is not None and session.scalars(looks.limit(1)).first() is not None


def transferred_leads(session: Session, *, tenant: str) -> frozenset[str]:
    """Leads of which something was handed out of the centre: a case somewhere stands on them."""
    out = (CustodyEvent.tenant == tenant, CustodyEvent.act == Act.TRANSFERRED.value)
    return frozenset(session.scalars(select(CustodyEvent.lead_id).where(*out).distinct()))


def chain_of(session: Session, *, tenant: str, lead_id: str, files: Collection[str]) -> tuple[Handled, ...]:
    """Whatever was done with these files of a lead, the first first."""
    about = or_(CustodyEvent.lead_id == lead_id, CustodyEvent.sha256.in_(files))
    rows = select(CustodyEvent).where(CustodyEvent.tenant == tenant, about)
    found = session.scalars(rows.order_by(CustodyEvent.at, CustodyEvent.id)).all()
    names = {
        pseudonym: subject_of(session, tenant=tenant, pseudonym=pseudonym)
        for pseudonym in {row.person for row in found}
    }
    return tuple(
        Handled(Act(row.act), row.sha256, names[row.person], row.reason, row.at, row.made_sha256, row.id)
        for row in found
    )
