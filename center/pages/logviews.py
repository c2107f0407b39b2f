"""The log in words: its head, what its last check found, its days, and the way from an entry to the signed head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.errors import AlertsError, ProofRejected
from alerts.leaves import LeafKind
from alerts.merkle import Step, climb
from center.errors import LogDamaged
from center.intake.journal import JournalRow
from center.log.digest import covering_head
from center.log.records import LogCheckpoint, LogLeaf, LogOpening
from center.log.selfcheck import CHECK_EVERY, LogCheck
from center.log.tree import prove_inclusion
from center.pages.reviewviews import ACTS, PART_NAMES, VERDICTS
from center.pages.terms import name_of
from center.words import N_, Language

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        LeafKind.RECORD: N_("Record of a box"),
        LeafKind.QUARANTINE: N_("Something put aside"),
        LeafKind.KEY: N_("Key of a box"),
        LeafKind.CUSTODY: N_("Act of custody"),
        LeafKind.REVIEW: N_("Word of a reviewer"),
        LeafKind.HOLD: N_("Legal hold"),
        LeafKind.RECORDING: N_("Recording added by hand"),
        LeafKind.ERASURE: N_("Erasure on request"),
    }
)
DAYS_SHOWN: Final = 14
OVERDUE: Final = 2 * CHECK_EVERY


@dataclass(frozen=True, slots=True)
class CheckView:
    """What the newest recomputation of the log found; `tone` as badges have it."""

    check: LogCheck
    tone: str
    is_overdue: bool

    @property
    def untold(self) -> int:
        """How many troubles are not in the list."""
        return self.check.trouble_count - len(self.check.troubles)


def check_of(check: LogCheck | None, now: datetime) -> CheckView | None:
    """The newest check, None before the first."""
    if check is None:
        return None
    is_overdue = now >= check.at + OVERDUE
    return CheckView(check, "warn" if check.holds and is_overdue else "good" if check.holds else "alarm", is_overdue)


@dataclass(frozen=True, slots=True)
class DayView:
    """A day that is over, and the head over all of it, once there is one."""

    on: date
    head: LogCheckpoint | None


def days_of(session: Session, *, tenant: str, zone: ZoneInfo, now: datetime, page: int) -> tuple[list[DayView], bool]:
    """A page of days that are over, the newest first, and whether there are earlier ones."""
    first_at = session.scalars(
        select(LogLeaf.at).where(LogLeaf.tenant == tenant).order_by(LogLeaf.number).limit(1)
    ).first()
    if first_at is None:
        return [], False
    newest = now.astimezone(zone).date() - timedelta(days=1 + (page - 1) * DAYS_SHOWN)
    count = (newest - first_at.astimezone(zone).date()).days + 1
    days = [newest - timedelta(days=back) for back in range(min(DAYS_SHOWN, count))]
    views = [DayView(on, covering_head(session, tenant=tenant, on=on, zone=zone)) for on in days]
    return views, count > DAYS_SHOWN


def has_digest(session: Session, *, tenant: str, zone: ZoneInfo, now: datetime, on: date) -> bool:
    """Whether a day is over, and not from before the log began."""
    if on >= now.astimezone(zone).date():
        return False
    end = datetime.combine(on + timedelta(days=1), time(), zone)
    begun = select(LogLeaf.number).where(LogLeaf.tenant == tenant, LogLeaf.at < end).limit(1)
    return session.scalars(begun).first() is not None


@dataclass(frozen=True, slots=True)
class FoundView:
    """One entry in a list."""

    leaf: LogLeaf
    kind: str
    about: str


@dataclass(frozen=True, slots=True)
class ProofView:
    """One entry with its proof: `holds` is None where the newest head does not cover it yet.

    `spelled` is the exact text that is hashed; `is_opened` whether what it is said to mean is what was entered, None
    where that was erased.
    """

    found: FoundView
    spelled: str
    steps: Sequence[Step]
    holds: bool | None
    is_opened: bool | None
    trouble: str


def view_leaves(session: Session, language: Language, leaves: Sequence[LogLeaf]) -> list[FoundView]:
    """Entries in words; nobody is named."""
    return [FoundView(leaf, name_of(language, KINDS, leaf.kind), _about(session, language, leaf)) for leaf in leaves]


def _about(session: Session, language: Language, leaf: LogLeaf) -> str:
    opening = session.get(LogOpening, (leaf.tenant, leaf.number))
    if opening is None:
        return language.gettext(N_("What it meant was erased on request; that it was there stays proven."))
    try:
        return _meaning(session, language, opening, opening.opening.fields)
    except AlertsError:
        return ""


def _meaning(session: Session, language: Language, opening: LogOpening, fields: Mapping[str, object]) -> str:
    lead, said = fields.get("lead"), ""
    match opening.kind:
        case LeafKind.RECORD:
            return _record(session, language, opening.tenant, opening.reference)
        case LeafKind.CUSTODY:
            said = f"{name_of(language, ACTS, str(fields.get('act')))} {fields.get('file')}"
        case LeafKind.REVIEW:
            part, verdict = str(fields.get("part")), str(fields.get("verdict"))
            said = f"{name_of(language, PART_NAMES, part)}: {name_of(language, VERDICTS, verdict)}"
    case = language.say(N_("lead %(lead)s"), lead=str(lead)) if lead else ""
    return " · ".join(each for each in (said, case) if each)


def _record(session: Session, language: Language, tenant: str, sha256: str) -> str:
    rows = select(JournalRow.device, JournalRow.sequence).where(
        JournalRow.tenant == tenant, JournalRow.sha256 == sha256
    )
    row = session.execute(rows.limit(1)).first()
    if row is None:
        return sha256
    return language.say(N_("%(device)s, number %(number)s of its journal"), device=row.device, number=row.sequence)


def prove(session: Session, language: Language, leaf: LogLeaf, head: LogCheckpoint) -> ProofView:
    """The way from an entry to the newest head, walked here and now."""
    found = view_leaves(session, language, [leaf])[0]
    spelled, is_opened = _spelled(leaf), _is_opened(session, leaf)
    steps: Sequence[Step] = ()
    if leaf.number >= head.size:
        return ProofView(found, spelled, steps, None, is_opened, "")
    try:
        path = prove_inclusion(session, tenant=leaf.tenant, number=leaf.number, size=head.size)
        own = leaf.leaf.hash
        steps = climb(path, leaf=own, index=leaf.number, size=head.size)
        holds = (steps[-1].tip if steps else own) == head.root
        return ProofView(found, spelled, steps, holds, is_opened, "")
    except (ProofRejected, LogDamaged, ValueError) as error:
        return ProofView(found, spelled, steps, False, is_opened, str(error))


def _spelled(leaf: LogLeaf) -> str:
    try:
        return leaf.leaf.spell().decode()
    except ValueError:
        return ""


def _is_opened(session: Session, leaf: LogLeaf) -> bool | None:
    opening = session.get(LogOpening, (leaf.tenant, leaf.number))
    if opening is None:
        return None
    try:
        opening.opening.check(leaf.leaf)
    except (ProofRejected, ValueError):
        return False
    return True
