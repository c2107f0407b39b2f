"""What stands on the cover sheet of a bundle, in Chinese whoever exports it: it is for the file of an office."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from center.bundles.cover.sheet import Cover, Lines, Table, print_cover
from center.bundles.gathering import Gathered
from center.bundles.wording import directions, facts, measured
from center.pages.formats import Formats
from center.pages.leadpage import clauses_of, links_in_words
from center.pages.terms import ARTEFACTS, name_of
from center.words import N_, Language, languages


def cover_sheet(
    session: Session, gathered: Gathered, at: datetime, *, key_id: str, head: str, here: Collection[str]
) -> bytes:
    """The sheet as PDF, made `at`; `head` is the log's signed head, `here` the hashes of the files in the bundle."""
    language = languages()["zh-CN"]
    lead = gathered.lead
    reasons = [f"{each.name}：{measured(language, each)}" for each in clauses_of(language, lead)]
    reasons += [f"{each.target.name} {each.name}：{each.reason}" for each in links_in_words(session, language, lead)]
    end = gathered.end
    cover = Cover(
        title=language.gettext(N_("Cover sheet of evidence handed out")),
        under=language.say(N_("lead %(case)s, sealed %(at)s"), case=lead.id, at=Formats(language).stamp(at, "full")),
        facts=Table(language.gettext(N_("What it is about")), list(facts(session, language, gathered))),
        reasons=Lines(language.gettext(N_("Why the rule fired, and whom it concerns")), reasons),
        files=_files(language, gathered, here),
        seals=Table(
            language.gettext(N_("Seal")),
            [
                (language.gettext(N_("Key of the centre")), key_id),
                (language.gettext(N_("Last record")), f"{end.device} / {end.epoch} / {end.sequence}"),
                (language.gettext(N_("Its SHA-256")), end.record_sha256),
                (language.gettext(N_("Head of the log")), " ".join(head.split("\n")[:3])),
            ],
        ),
        check=Lines(language.gettext(N_("How to check it")), directions(language, lead.id).splitlines()),
        signatures=[language.gettext(words) for words in (N_("Handed out by"), N_("Received by"), N_("Date"))],
    )
    return print_cover(cover, at)


def _files(language: Language, gathered: Gathered, here: Collection[str]) -> Table:
    size = Formats(language).size
    rows = [
        (
            name_of(language, ARTEFACTS, file.role),
            size(file.size_bytes) if file.sha256 in here else language.gettext(N_("not at the centre")),
            file.sha256,
        )
        for file in gathered.files
    ]
    head = (language.gettext(N_("File")), language.gettext(N_("Size")), "SHA-256")
    return Table(language.gettext(N_("Files")), rows, head)
