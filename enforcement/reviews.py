"""Reviews (审核): what turns a lead (线索) into evidence (证据), and the guard for the steps of a penalty.

Administrative Penalty Law 2021, art. 41: records of electronic monitoring equipment are reviewed for being true,
clear, complete and accurate; what was not reviewed, or did not pass, is no evidence for a penalty. Two different
persons say so in writing, one for the law (法制审核), one for the technology (技术审核), each with an opinion and its
grounds. A word once given is never changed: it is taken back by another.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sqlalchemy import ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enforcement.actors import Actor, Role
from enforcement.distrust import DistrustedRecord, distrusted_of
from enforcement.errors import IllegalMove, NotAllowed, NoteMissing, NotEvidence, SamePerson, Unknown
from enforcement.events import LeadReviewed
from enforcement.leads import Lead
from enforcement.task_records import Task
from enforcement.transitions import State
from traceability.append_only import guard
from traceability.records import Base, JsonList, OfTenant


class Part(StrEnum):
    """The two sides of a review."""

    LEGAL = "legal"
    TECHNICAL = "technical"


class Verdict(StrEnum):
    """What a reviewer says; `withdraw` takes the own part's last word back."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


class Standing(StrEnum):
    """What a lead is: nothing more, half-way there, evidence, found unfit to be any, or resting on what is not true."""

    LEAD = "lead"
    UNDER_REVIEW = "under_review"
    EVIDENCE = "evidence"
    REJECTED = "rejected"
    DISTRUSTED = "distrusted"


class Lack(StrEnum):
    """Why no penalty may rest on a lead."""

    LEGAL = "legal"
    TECHNICAL = "technical"
    FALSE_ALARM = "false_alarm"
    DISTRUSTED = "distrusted"


PARTS: Final[Mapping[Role, Part]] = MappingProxyType(
    {Role.LEGAL_REVIEWER: Part.LEGAL, Role.TECHNICAL_REVIEWER: Part.TECHNICAL}
)
"""Which side a role speaks for."""


class Review(OfTenant, Base):
    """One reviewer's word on a lead. Append-only; of each part the last word counts.

    `record_sha256` and `files` say what was looked at: the lead's record and the hashes of the files that were here.
    """

    __tablename__ = "review"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "lead_id"], ["lead.tenant", "lead.id"]),
        Index(None, "tenant", "at"),
    )

    lead_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str] = mapped_column(String(16))
    reviewer: Mapped[str] = mapped_column(String(64))
    opinion: Mapped[str]
    grounds: Mapped[str]
    at: Mapped[datetime]
    record_sha256: Mapped[str] = mapped_column(String(64))
    files: Mapped[JsonList]


guard(Review.metadata.tables[Review.__tablename__])


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What stands of a lead's reviews: the last word of each part, None where none stands.

    A yes counts for the record it was said of, which is `record_sha256` while the lead has not changed since, and for
    nothing once records the lead rests on are `distrusted`.
    """

    legal: Review | None
    technical: Review | None
    record_sha256: str
    distrusted: tuple[DistrustedRecord, ...]

    @property
    def is_distrusted(self) -> bool:
        """Whether the lead rests on a record that is trusted no more."""
        return bool(self.distrusted)

    @property
    def standing(self) -> Standing:
        """What the lead is."""
        if self.is_distrusted:
            return Standing.DISTRUSTED
        words = [word for word in (self.legal, self.technical) if word is not None]
        if any(word.verdict == Verdict.REJECT for word in words):
            return Standing.REJECTED
        if all(self.passed_by(part) for part in Part):
            return Standing.EVIDENCE
        return Standing.UNDER_REVIEW if words else Standing.LEAD

    def passed_by(self, part: Part) -> bool:
        """Whether this part said yes to the lead as it is now."""
        word = self.of(part)
        return word is not None and word.verdict == Verdict.APPROVE and word.record_sha256 == self.record_sha256

    def of(self, part: Part) -> Review | None:
        """The word of one part."""
        return self.legal if part is Part.LEGAL else self.technical


def reviewed_leads(session: Session, *, tenant: str) -> frozenset[str]:
    """Leads for which a reviewer's word stands: under review, or evidence."""
    last: dict[tuple[str, str], str] = {}
    rows = select(Review.lead_id, Review.part, Review.verdict).where(Review.tenant == tenant)
    for lead, part, verdict in session.execute(rows.order_by(Review.lead_id, Review.number)):
        last[lead, part] = verdict
    rejected = {lead for (lead, _), verdict in last.items() if verdict == Verdict.REJECT}
    return frozenset(lead for (lead, _), verdict in last.items() if verdict == Verdict.APPROVE) - rejected


def review_lead(
    session: Session,
    *,
    tenant: str,
    lead_id: str,
    verdict: Verdict,
    opinion: str,
    grounds: str,
    files: Collection[str],
    by: Actor,
    at: datetime,
) -> LeadReviewed:
    """Say, for the part one's role speaks for, whether a lead may serve as evidence; or take that back.

    `files` are the hashes of the files that are here to be looked at.

    Raises:
        Unknown: there is no such lead.
        NotAllowed: the role reviews nothing.
        SamePerson: the other part was reviewed by the same person, or the lead's task is in this person's hands.
        IllegalMove: there is nothing to approve, the task calls it a false alarm, this word stands already, or there
            is no word to take back.
        NoteMissing: opinion or grounds are empty.
    """
    part = PARTS.get(by.role)
    if part is None:
        raise NotAllowed(f"the role {by.role.value} may not review leads; a legal or a technical reviewer may")
    lead = session.get(Lead, (tenant, lead_id), with_for_update=True)
    if lead is None:
        raise Unknown(f"there is no lead {lead_id!r}")
    if not opinion.strip() or not grounds.strip():
        raise NoteMissing("a review needs an opinion and its grounds in words")
    before = reviews_of(session, tenant=tenant, lead_id=lead_id)
    standing = standing_of(session, lead)
    _require_other_person(session, lead, standing, part, by)
    _require_sense(session, lead, standing.of(part), verdict, files)
    session.add(
        Review(
            tenant=tenant,
            lead_id=lead_id,
            number=len(before) + 1,
            part=part.value,
            verdict=verdict.value,
            reviewer=by.user_id,
            opinion=opinion.strip(),
            grounds=grounds.strip(),
            at=at,
            record_sha256=lead.record_sha256,
            files=sorted(files),
        )
    )
    session.flush()
    return LeadReviewed(tenant, at, lead_id, len(before) + 1)


def _require_other_person(session: Session, lead: Lead, standing: Reviewed, part: Part, by: Actor) -> None:
    other = standing.of(Part.TECHNICAL if part is Part.LEGAL else Part.LEGAL)
    if other is not None and other.reviewer == by.user_id:
        raise SamePerson(f"lead {lead.id}: {by.user_id} reviewed the other part; both parts need different persons")
    task = session.get(Task, (lead.tenant, lead.id))
    if task is not None and task.officer == by.user_id:
        raise SamePerson(f"lead {lead.id}: {by.user_id} handles its task and cannot review it too")


def _require_sense(session: Session, lead: Lead, word: Review | None, verdict: Verdict, files: Collection[str]) -> None:
    if verdict is Verdict.WITHDRAW and word is None:
        raise IllegalMove(f"lead {lead.id}: no review of this part stands that could be withdrawn")
    if word is not None and word.verdict == verdict and word.record_sha256 == lead.record_sha256:
        raise IllegalMove(f"lead {lead.id}: this part says {verdict.value} already")
    if verdict is not Verdict.APPROVE:
        return
    if distrusted_of(session, tenant=lead.tenant, lead_id=lead.id):
        raise IllegalMove(f"lead {lead.id} rests on a record that is trusted no more; it cannot become evidence")
    if not files:
        raise IllegalMove(f"lead {lead.id} has no file yet that could be reviewed")
    task = session.get(Task, (lead.tenant, lead.id))
    if task is not None and task.state == State.FALSE_ALARM:
        raise IllegalMove(f"lead {lead.id} was called a false alarm; it cannot become evidence")


def reviews_of(session: Session, *, tenant: str, lead_id: str) -> tuple[Review, ...]:
    """Every word on a lead, the first first."""
    rows = select(Review).where(Review.tenant == tenant, Review.lead_id == lead_id).order_by(Review.number)
    return tuple(session.scalars(rows))


def standing_of(session: Session, lead: Lead) -> Reviewed:
    """What stands of the words on a lead as it is now."""
    last = {word.part: word for word in reviews_of(session, tenant=lead.tenant, lead_id=lead.id)}
    stands = {part: word for part, word in last.items() if word.verdict != Verdict.WITHDRAW}
    distrusted = distrusted_of(session, tenant=lead.tenant, lead_id=lead.id)
    return Reviewed(stands.get(Part.LEGAL), stands.get(Part.TECHNICAL), lead.record_sha256, distrusted)


def lacks_of(session: Session, lead: Lead) -> tuple[Lack, ...]:
    """Why no penalty may rest on this lead; nothing where one may."""
    return _lacks(session, lead, standing_of(session, lead))


def _lacks(session: Session, lead: Lead, reviewed: Reviewed) -> tuple[Lack, ...]:
    task = session.get(Task, (lead.tenant, lead.id))
    found = [Lack(part.value) for part in Part if not reviewed.passed_by(part)]
    if task is not None and task.state == State.FALSE_ALARM:
        found.append(Lack.FALSE_ALARM)
    if reviewed.is_distrusted:
        found.append(Lack.DISTRUSTED)
    return tuple(found)


def require_evidence(session: Session, *, tenant: str, lead_id: str) -> Reviewed:
    """The two reviews a penalty may rest on; what each step of one asks first, and holds until it is committed.

    Raises:
        Unknown: there is no such lead.
        NotEvidence: a review is missing, was withdrawn, says no or was of an earlier record; the lead was called a
            false alarm since; or a record that it rests on is trusted no more.
    """
    lead = session.get(Lead, (tenant, lead_id), with_for_update=True)
    if lead is None:
        raise Unknown(f"there is no lead {lead_id!r}")
    reviewed = standing_of(session, lead)
    lacks = _lacks(session, lead, reviewed)
    if lacks:
        raise NotEvidence(f"lead {lead_id} is no evidence: {_said(reviewed, lacks)}", lacks)
    return reviewed


def _said(reviewed: Reviewed, lacks: Collection[Lack]) -> str:
    said = []
    parts = [part.value for part in Part if Lack(part.value) in lacks]
    if parts:
        said.append(f"the {' and the '.join(parts)} review did not pass it (Administrative Penalty Law, art. 41)")
    if Lack.FALSE_ALARM in lacks:
        said.append("it was called a false alarm")
    said += [
        f"it rests on record {record.sequence}, and of that key none after {record.last} is trusted any more"
        for record in reviewed.distrusted[:1]
    ]
    return "; ".join(said)
