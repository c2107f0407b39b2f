"""Reviews and the chain of custody in words, for the page of a lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy.orm import Session

from center.accounts.people import Person
from center.evidence.custody import IN_A_LIST, Act, chain_of
from center.evidence.files import Announced
from center.evidence.recordings import Recording, recordings_of
from center.evidence.reviewing import what_lies_there
from center.pages.terms import ARTEFACTS, Toned, name_of, toned
from center.words import N_, Language
from enforcement.errors import EnforcementError, IllegalMove, NotAllowed, NoteMissing, SamePerson
from enforcement.leads import Lead
from enforcement.reviews import PARTS, Part, Review, Standing, Verdict, reviews_of, standing_of

STANDINGS: Final[Mapping[str, Toned]] = MappingProxyType(
    {
        Standing.LEAD: Toned(N_("A lead, not evidence"), "", "info"),
        Standing.UNDER_REVIEW: Toned(N_("Under review"), "warn", "clock"),
        Standing.EVIDENCE: Toned(N_("Evidence"), "good", "seal"),
        Standing.REJECTED: Toned(N_("Found unfit as evidence"), "alarm", "cross"),
        Standing.DISTRUSTED: Toned(N_("Not to be relied on"), "alarm", "warning"),
    }
)
PART_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {Part.LEGAL: N_("Legal review"), Part.TECHNICAL: N_("Technical review")}
)
VERDICTS: Final[Mapping[str, Toned]] = MappingProxyType(
    {
        Verdict.APPROVE: Toned(N_("Passed"), "good", "check"),
        Verdict.REJECT: Toned(N_("Not passed"), "alarm", "cross"),
        Verdict.WITHDRAW: Toned(N_("Taken back"), "", "info"),
    }
)
ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "received": N_("Came from the box, hash as announced"),
        "added": N_("Added by hand"),
        "viewed": N_("Looked at"),
        "downloaded": N_("Copy taken"),
        "reviewed": N_("Reviewed"),
        "relied_on": N_("Used for a step of a penalty"),
        "redacted": N_("Redacted copy made"),
        "released": N_("Redacted copy released"),
        "withheld": N_("Redacted copy withheld"),
        "transferred": N_("Handed out"),
        "deleted": N_("Deleted, its term being over"),
    }
)
SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {"body_worn": N_("Body camera"), "hand_held": N_("Camera or phone in the hand")}
)
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "check_lead": N_("to check the lead"),
        IN_A_LIST: N_("as a small copy in a list"),
        "save_clip": N_("to save the clip"),
        "save_recording": N_("to save the recording"),
        "compare_redaction": N_("to compare a redacted copy with its original"),
    }
)

TROUBLE: Final[Mapping[type[EnforcementError], str]] = MappingProxyType(
    {
        SamePerson: N_("Two different persons review, and neither handles the task. Nothing was changed."),
        IllegalMove: N_("That cannot be said of this lead now. Nothing was changed: look again."),
        NoteMissing: N_("A review needs an opinion and its grounds. Nothing was changed."),
        NotAllowed: N_("Your role may not do this. Nothing was changed."),
    }
)


@dataclass(frozen=True, slots=True)
class PartView:
    """One part of the review: the word that stands, if any."""

    name: str
    word: Review | None
    verdict: Toned | None
    is_older: bool


@dataclass(frozen=True, slots=True)
class Said:
    """One word that was ever said."""

    part: str
    verdict: Toned
    who: str
    at: datetime
    opinion: str
    grounds: str


@dataclass(frozen=True, slots=True)
class ReviewPanel:
    """The review of a lead for one person; `part` is empty for who is no reviewer."""

    lead_id: str
    standing: Toned
    parts: Sequence[PartView]
    said: Sequence[Said]
    part: str
    may_withdraw: bool
    shown: str


@dataclass(frozen=True, slots=True)
class CustodyLine:
    """One act of custody; `who` is empty where the person was erased. `event` is what its leaf of the log refers to."""

    event: str
    act: str
    file: str
    sha256: str
    made_sha256: str
    who: str
    reason: str
    at: datetime


def review_of(session: Session, language: Language, person: Person, lead: Lead) -> ReviewPanel:
    """Where the review of a lead stands."""
    words = reviews_of(session, tenant=lead.tenant, lead_id=lead.id)
    reviewed = standing_of(session, lead)
    own = PARTS.get(person.role)
    parts = [_part(language, lead, part, reviewed.of(part)) for part in Part]
    said = [
        Said(
            part=name_of(language, PART_NAMES, word.part),
            verdict=toned(language, VERDICTS, word.verdict),
            who=word.reviewer,
            at=word.at,
            opinion=word.opinion,
            grounds=word.grounds,
        )
        for word in reversed(words)
    ]
    return ReviewPanel(
        lead_id=lead.id,
        standing=toned(language, STANDINGS, reviewed.standing),
        parts=parts,
        said=said,
        part=name_of(language, PART_NAMES, own) if own else "",
        may_withdraw=own is not None and reviewed.of(own) is not None,
        shown=what_lies_there(session, lead),
    )


def _part(language: Language, lead: Lead, part: Part, word: Review | None) -> PartView:
    verdict = toned(language, VERDICTS, word.verdict) if word else None
    is_older = word is not None and word.record_sha256 != lead.record_sha256
    return PartView(name_of(language, PART_NAMES, part), word, verdict, is_older)


def custody_of(session: Session, language: Language, lead: Lead, files: Sequence[Announced]) -> list[CustodyLine]:
    """The chain of custody of a lead's files, the latest first."""
    roles = {file.sha256: file.role for file in files}
    chain = chain_of(session, tenant=lead.tenant, lead_id=lead.id, files=list(roles))
    return [
        CustodyLine(
            event=handled.event,
            act=name_of(language, ACTS, handled.act.value),
            file=_handled_file(language, roles.get(handled.sha256), handled.act),
            sha256=handled.sha256,
            made_sha256=handled.made_sha256,
            who=handled.who or "",
            reason=name_of(language, REASONS, handled.reason),
            at=handled.at,
        )
        for handled in reversed(chain)
    ]


def _handled_file(language: Language, role: str | None, act: Act) -> str:
    """What a line of the chain is about: a file of the lead, or the bundle that was handed out, named by its seal."""
    if role is None:
        return language.gettext(N_("Bundle, by its seal")) if act is Act.TRANSFERRED else ""
    return name_of(language, ARTEFACTS, role)


def recordings_shown(session: Session, lead: Lead, files: Sequence[Announced]) -> list[tuple[Recording, Announced]]:
    """The recordings people added to a lead, each with its file."""
    by_hash = {file.sha256: file for file in files}
    return [(each, by_hash[each.sha256]) for each in recordings_of(session, tenant=lead.tenant, lead_id=lead.id)]


def review_trouble(language: Language, error: EnforcementError) -> str:
    """What went wrong, said to the person who tried."""
    said = next((words for kind, words in TROUBLE.items() if isinstance(error, kind)), str(error))
    return language.gettext(said)
