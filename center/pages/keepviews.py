"""How long the files of a lead are kept, in words: legal holds, terms, and what stands where a file was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from center.accounts.people import Person
from center.evidence.files import GIVEN_UP, Announced
from center.evidence.retention import closed_since, is_under_review, term_of, was_handed_out
from center.pages.formats import Formats
from center.pages.terms import ARTEFACTS, ROLES, name_of
from center.settings import RetentionSettings
from center.words import N_, Language
from enforcement.errors import EnforcementError, IllegalMove, NotAllowed, NoteMissing
from enforcement.holds import HOLDERS, RELEASERS, holds_of
from enforcement.leads import Lead
from enforcement.task_records import Task

RULES: Final[Mapping[str, str]] = MappingProxyType(dict(ARTEFACTS) | {"false_alarm": N_("False alarm")})

HELD: Final = N_("Put under legal hold")
RELEASED: Final = N_("Released from legal hold")

TROUBLE: Final[Mapping[type[EnforcementError], str]] = {
    IllegalMove: N_("Somebody else changed the legal hold in the meantime. Nothing was changed: look again."),
    NoteMissing: N_("Please say why, in a few words. Nothing was changed."),
    NotAllowed: N_("Your role may not do this. Nothing was changed."),
}


@dataclass(frozen=True, slots=True)
class HoldLine:
    """A legal hold that was set or released: what, by whom, why."""

    at: datetime
    name: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ending:
    """Until when a file stays."""

    name: str
    rule: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Keeping:
    """The card of one lead. `endings` are empty while all is kept, `reason` then says why."""

    lead_id: str
    is_held: bool
    may_change: bool
    reason: str
    endings: Sequence[Ending]
    holds: Sequence[HoldLine]


def keeping_of(
    session: Session,
    language: Language,
    person: Person,
    lead: Lead,
    *,
    files: Sequence[Announced],
    settings: RetentionSettings,
) -> Keeping:
    """What happens to the files of a lead, and what this person may do about it."""
    events = holds_of(session, tenant=lead.tenant, lead_id=lead.id)
    is_held = bool(events) and events[-1].holds
    task = session.get(Task, (lead.tenant, lead.id))
    closed_at = closed_since(session, lead, task)
    reason = ""
    if is_held:
        reason = language.gettext("Under legal hold: every file stays until the head of the centre releases it.")
    elif task is None or closed_at is None:
        reason = language.gettext("Every file stays while the incident goes on or its task is not finished.")
    elif is_under_review(session, tenant=lead.tenant, lead_id=lead.id):
        reason = language.gettext("Every file stays while the lead is under review or serves as evidence.")
    elif was_handed_out(session, tenant=lead.tenant, lead_id=lead.id):
        reason = language.gettext("Every file stays because evidence of this lead was handed out in a case.")
    state = task.state if task is not None else ""
    return Keeping(
        lead_id=lead.id,
        is_held=is_held,
        may_change=person.role in (RELEASERS if is_held else HOLDERS),
        reason=reason,
        endings=[] if reason or closed_at is None else _endings(language, settings, files, state, closed_at),
        holds=[
            HoldLine(
                event.at,
                language.gettext(HELD if event.holds else RELEASED),
                f"{event.by_user} · {name_of(language, ROLES, event.by_role)}",
                event.reason,
            )
            for event in reversed(events)
        ],
    )


def hold_trouble(language: Language, error: EnforcementError) -> str:
    """What went wrong, said to the person who tried."""
    said = next((words for kind, words in TROUBLE.items() if isinstance(error, kind)), None)
    return language.gettext(said or N_("That did not work. Nothing was changed."))


def deletion_in_words(language: Language, zone: ZoneInfo, file: Announced) -> str:
    """What stands where a file was."""
    if file.deleted_at is None:
        return ""
    rule, _, days = file.deleted_rule.partition(":")
    if rule == GIVEN_UP:
        return language.gettext("The box had to delete it before it could bring it: its disk was full.")
    return language.say(
        "Deleted on %(day)s under the retention rule “%(rule)s: %(days)s days”. Its hash stays known.",
        day=Formats(language, zone).stamp(file.deleted_at, "day"),
        rule=name_of(language, RULES, rule),
        days=days,
    )


def _endings(
    language: Language, settings: RetentionSettings, files: Sequence[Announced], state: str, closed_at: datetime
) -> list[Ending]:
    endings = []
    for file in files:
        if file.arrived_at is not None and file.deleted_at is None:
            term = term_of(settings, file.role, state)
            until = max(closed_at, file.arrived_at) + timedelta(days=term.days)
            rule = language.say(
                "%(rule)s: %(days)s days", rule=name_of(language, RULES, term.rule), days=str(term.days)
            )
            endings.append(Ending(name_of(language, ARTEFACTS, file.role), rule, until))
    return sorted(endings, key=lambda ending: ending.until)
