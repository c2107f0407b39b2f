"""One lead in full: why the rule fired, whom it concerns and for what reason, and the record it stands on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.catalogue import CLAUSES
from alerts.messages import ClockQuality
from center.boxes.bootclocks import find_boot_clocks
from center.intake.journal import JournalRow
from center.pages.formats import Formats
from center.pages.terms import GRID_LEVELS, GRIDS, TARGETS, Toned, clause_name, name_of, toned
from center.words import N_, Language
from enforcement.leads import Lead, LeadLink, TimeSource, links_of

BAR_LENGTH = 1000
ROOM_BEYOND = 1.15


@dataclass(frozen=True, slots=True)
class ClauseView:
    """One condition with its measured value against its threshold; bar lengths in thousandths of the track.

    `threshold` is empty for a condition that can only hold or not; `ending` marks why an incident ended.
    """

    name: str
    holds: bool
    ending: bool
    measured: str
    threshold: str
    measured_length: int
    threshold_at: int


@dataclass(frozen=True, slots=True)
class LinkView:
    """Something the lead concerns, and the reason in words."""

    target: Toned
    name: str
    reason: str


REASONS: Mapping[str, str] = {
    "view_covers_plot": N_("The camera saw %(area)s of this plot, %(share)s of it, as the register stood then."),
    "view_covers_plant": N_("The camera saw %(area)s of this plant, %(share)s of it, as the register stood then."),
    "view_covers_grid": N_("The camera saw %(area)s of this grid, %(share)s of it, as the register stood then."),
    "tenure": N_("Works the plot %(plot)s, on record since %(since)s."),
    "runs_plant": N_("Runs the plant %(plant)s."),
    "card_active": N_("The card of %(party)s, active since %(since)s."),
    "lot_contains_leaf": N_("Made with %(leaf)s of leaf picked on the plot %(plot)s on %(picked_on)s."),
    "lot_contains_lot": N_("Made from the lot %(lot)s."),
    "grid_of_view": N_("The camera looks at this %(level)s."),
}


def clauses_of(language: Language, lead: Lead) -> list[ClauseView]:
    """The clauses of the rule as the alert measured them, those that hold first."""
    formats = Formats(language)
    views = [_clause(language, formats, clause) for clause in lead.because.get("clauses", ())]
    return sorted(views, key=lambda view: not view.holds)


def _clause(language: Language, formats: Formats, clause: Mapping[str, Any]) -> ClauseView:
    measured, threshold, unit = int(clause["measured"]), int(clause["threshold"]), str(clause["unit"])
    name, holds = str(clause["name"]), bool(clause["holds"])
    whole = max(abs(measured), abs(threshold), 1) * ROOM_BEYOND
    condition = CLAUSES.get(name)
    plain = condition is not None and condition.is_yes_or_no
    return ClauseView(
        name=clause_name(language, name),
        holds=holds,
        ending=condition is not None and condition.is_ending,
        measured=language.gettext(N_("yes") if holds else N_("no")) if plain else formats.measure(measured, unit),
        threshold="" if plain else formats.measure(threshold, unit),
        measured_length=round(BAR_LENGTH * max(measured, 0) / whole),
        threshold_at=round(BAR_LENGTH * max(threshold, 0) / whole),
    )


def links_in_words(session: Session, language: Language, lead: Lead) -> list[LinkView]:
    """Whom and what the lead concerns, each with its reason in words."""
    links = links_of(session, tenant=lead.tenant, lead_id=lead.id)
    names = {(link.target_kind, link.target_id): language.named(link, "name") for link in links}
    return [
        LinkView(
            target=_target(language, link),
            name=names[link.target_kind, link.target_id],
            reason=_reason(language, link, names),
        )
        for link in links
    ]


def _target(language: Language, link: LeadLink) -> Toned:
    """What kind of thing it is; a grid by its level."""
    target = toned(language, TARGETS, link.target_kind)
    level = str(link.params.get("level", ""))
    return target._replace(name=name_of(language, GRIDS, level)) if level in GRIDS else target


def _reason(language: Language, link: LeadLink, names: Mapping[tuple[str, str], str]) -> str:
    sentence = REASONS.get(link.reason_key)
    if sentence is None:
        return link.reason_key
    formats = Formats(language)
    said: dict[str, str] = {}
    for key, value in link.params.items():
        match key:
            case "share_permille":
                said["share"] = formats.share(int(value))
            case "area_m2":
                said["area"] = language.say("%(area)s m²", area=formats.number(int(value)))
            case "leaf_g":
                said["leaf"] = formats.kilograms(int(value))
            case "since" | "picked_on":
                said[key] = formats.plain_day(date.fromisoformat(str(value)[:10]))
            case "level":
                said[key] = name_of(language, GRID_LEVELS, str(value))
            case _:
                said[key] = names.get((key, str(value)), str(value))
    return language.say(sentence, **said)


def records_of(session: Session, lead: Lead) -> Sequence[JournalRow]:
    """The signed record of the highest revision, with its place in the box's journal."""
    rows = select(JournalRow).where(
        JournalRow.tenant == lead.tenant, JournalRow.device == lead.device, JournalRow.sha256 == lead.record_sha256
    )
    return session.scalars(rows).all()


def replaced_time(session: Session, language: Language, lead: Lead) -> str:
    """That the lead's times are the centre's, how found, and what the box wrote; empty where they are the box's own."""
    if lead.box_opened_at is None or lead.box_observed_at is None:
        return ""
    first, last = (f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" for at in (lead.box_opened_at, lead.box_observed_at))
    if lead.time_source != TimeSource.ARRIVAL:
        wrote = language.say(N_("The box wrote %(first)s to %(last)s."), first=first, last=last)
        return " ".join((*_how_reckoned(session, language, lead), wrote))
    unset, impossible = (
        N_(
            "The time of this lead is the centre's, reckoned from when the record came: nothing kept the box's clock"
            " right. The box wrote %(first)s to %(last)s."
        ),
        N_(
            "The time of this lead is the centre's, reckoned from when the record came. The box wrote %(first)s to"
            " %(last)s, which cannot be."
        ),
    )
    return language.say(unset if lead.clock == ClockQuality.UNSYNCHRONISED else impossible, first=first, last=last)


def _how_reckoned(session: Session, language: Language, lead: Lead) -> tuple[str, str]:
    known = find_boot_clocks(session, lead.tenant, [(lead.device, lead.boot)]).get((lead.device, lead.boot))
    reckoned = known.reckon(lead.boot_ms) if known else None
    if lead.time_source == TimeSource.BOOT:
        how = N_(
            "The time of this lead is the centre's: nothing kept the box's clock right when it wrote, but a time server"
            " did later, before the box was started anew."
        )
    else:
        how = N_(
            "The time of this lead is the centre's: nothing kept the box's clock right when it wrote, but before the"
            " box was started anew it and the centre heard of each other."
        )
    words = language.gettext(how)
    if reckoned is None or reckoned.error is None:
        exact = language.gettext(N_("It was then at the latest: how long the box's word was under way is not known."))
    else:
        error = Formats(language).duration(max(1000, reckoned.error // timedelta(milliseconds=1)))
        exact = language.say(N_("It is right to %(error)s."), error=error)
    return words, exact
