"""The words in a bundle: why the rule fired, whom it concerns, and how to check the bundle."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final, TypeAlias

from sqlalchemy.orm import Session

from center.bundles.gathering import Gathered
from center.evidence.files import Announced
from center.evidence.recordings import Recording
from center.evidence.redactions import RedactedCopy
from center.pages.doubts import doubt_of
from center.pages.formats import Formats, short_hash
from center.pages.leadpage import ClauseView, clauses_of, links_in_words, replaced_time
from center.pages.leadviews import camera_names, stand_in
from center.pages.reviewviews import SOURCES
from center.pages.terms import ARTEFACTS, CLOCKS, FOOTAGE, PHASES, kind_name, name_of, shortfall_of, toned
from center.words import N_, Language
from enforcement.leads import sighted_at
from traceability.cameras import camera_at

MOST_RIVALS: Final = 20

Added: TypeAlias = Recording | RedactedCopy
"""What is in a bundle and no box announced."""

HOLDS, FAILS = N_("holds"), N_("does not hold")

DIRECTIONS = (
    N_("This file is the bundle of evidence of the lead %(case)s. Anybody can check it without asking its maker:"),
    N_("1. Get the file of keys (keys.json) from the centre on another way than this bundle."),
    N_("2. Run: teawatch verify BUNDLE.zip --keys keys.json --case %(case)s"),
    N_("Exit status 0 and “The bundle holds.” mean that every check passed; otherwise each fault is named."),
    N_("seal.json is signed by the centre and lists every other file with its SHA-256."),
    N_("records/ holds what the box signed, byte for byte; files/ the pictures and clips that these records name."),
    N_("recordings/ holds what officers recorded themselves and added."),
    N_("derivatives/ holds redacted copies of some of them: made to be shown, they are no evidence."),
    N_("log/ holds a signed head of the centre's log and the proofs that it told of all this."),
    N_("This is a lead, not a finding: whether anything was violated, people decide after a check."),
)


def because_in_words(
    session: Session, language: Language, gathered: Gathered, at: datetime, *, added: Iterable[Added] = ()
) -> str:
    """What happened, as the last revision tells it, line by line; `added` is what lies beside the box's own files."""
    lead = gathered.lead
    lines = [
        *facts(session, language, gathered),
        *_rivals(language, gathered),
        ("", ""),
        (language.gettext(N_("Why the rule fired")), ""),
        *((f"- {each.name}", measured(language, each)) for each in clauses_of(language, lead)),
        ("", ""),
        (language.gettext(N_("Whom and what it concerns")), ""),
        *((f"- {each.target.name} {each.name}", each.reason) for each in links_in_words(session, language, lead)),
        ("", ""),
        (language.gettext(N_("Files")), ""),
        *((f"- {file_name(language, file)}", file.sha256) for file in gathered.files),
        *((f"- {added_name(language, each)}", each.sha256) for each in added),
        ("", ""),
        (language.gettext(N_("Bundle made")), Formats(language).stamp(at, "full")),
    ]
    return "".join(f"{name}: {value}\n" if value else f"{name}\n" for name, value in lines)


def _rivals(language: Language, gathered: Gathered) -> Iterator[tuple[str, str]]:
    """The records that tell the same revision, each in its own way, the first such revisions."""
    for revision, names in islice(gathered.rivals.items(), MOST_RIVALS):
        yield language.say(N_("- revision %(revision)s"), revision=revision), "  ".join(names)


def facts(session: Session, language: Language, gathered: Gathered) -> Iterator[tuple[str, str]]:
    """Name and value of what identifies a lead, for the text and for the cover."""
    formats, lead = Formats(language), gathered.lead
    entry = camera_at(session, tenant=lead.tenant, camera=lead.camera, at=sighted_at(lead))
    yield language.gettext(N_("Case")), lead.id
    yield language.gettext(N_("Kind")), kind_name(language, lead.kind)
    if doubt := doubt_of(session, language, lead):
        yield language.gettext(N_("Not to be relied on")), doubt
    yield language.gettext(N_("State")), toned(language, PHASES, lead.phase).name
    camera = camera_names(session, language, lead.tenant).get(lead.camera, lead.camera)
    yield language.gettext(N_("Camera")), f"{camera} ({lead.camera})"
    if entry is not None:
        yield language.gettext(N_("Place")), language.named(entry, "place")
        if words := stand_in(language, entry):
            yield language.gettext(N_("Note")), words
    yield language.gettext(N_("First seen")), formats.stamp(lead.opened_at, "full")
    yield language.gettext(N_("Last seen")), formats.stamp(lead.observed_at, "full")
    if words := replaced_time(session, language, lead):
        yield language.gettext(N_("Time")), words
    yield language.gettext(N_("Revision")), str(lead.revision)
    yield language.gettext(N_("Clock")), name_of(language, CLOCKS, lead.clock)
    yield language.gettext(N_("Footage")), toned(language, FOOTAGE, lead.footage).name
    yield language.gettext(N_("Model")), f"{lead.model_name} {lead.model_sha256}"
    yield language.gettext(N_("Settings of the box")), lead.config_sha256
    if count := len(gathered.rivals):
        words = N_("of %(count)s revisions several records came that differ; none of them says which is right")
        yield language.gettext(N_("Rival records")), language.say(words, count=count)


def file_name(language: Language, file: Announced) -> str:
    """What a file is, and of a clip that shows less than it was to, why."""
    name = name_of(language, ARTEFACTS, file.role)
    shortfall = shortfall_of(language, file.falls_short)
    return f"{name} · {shortfall}" if shortfall else name


def added_name(language: Language, file: Added) -> str:
    """What an officer's recording is and when it was added; of a redacted copy, what it was made of."""
    formats = Formats(language)
    if isinstance(file, Recording):
        source, at = name_of(language, SOURCES, file.source), formats.stamp(file.added_at, "full")
        name = name_of(language, ARTEFACTS, "recording")
        return language.say(N_("%(name)s (%(source)s, added %(at)s)"), name=name, source=source, at=at)
    name = name_of(language, ARTEFACTS, "redacted")
    return language.say(N_("%(name)s (made of %(original)s)"), name=name, original=short_hash(file.original_sha256))


def directions(language: Language, case: str) -> str:
    """How to check the bundle, for whoever unpacks it first."""
    return "".join(language.say(line, case=case) + "\n" for line in DIRECTIONS)


def measured(language: Language, clause: ClauseView) -> str:
    """A clause's value against its threshold, and whether it holds."""
    verdict = language.gettext(HOLDS if clause.holds else FAILS)
    if not clause.threshold:
        return f"{clause.measured} ({verdict})"
    return language.say(
        N_("%(measured)s, threshold %(threshold)s (%(verdict)s)"),
        measured=clause.measured,
        threshold=clause.threshold,
        verdict=verdict,
    )
