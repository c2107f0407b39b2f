"""What stands on the cover sheet of a bundle, in Chinese whoever exports it: it is for the file of an office."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from alerts.bundles.container import Part
from center.bundles.cover.sheet import Cover, Lines, Table, print_cover
from center.bundles.gathering import Gathered
from center.bundles.wording import Added, added_name, directions, facts, file_name, measured
from center.log.stamping import StampedHead
from center.pages.formats import Formats
from center.pages.leadpage import clauses_of, links_in_words
from center.words import N_, Language, languages


@dataclass(frozen=True, slots=True)
class Shown:
    """What is in the bundle: the hashes of the box's files, and what lies beside them with its bytes."""

    here: Collection[str]
    added: Mapping[Added, Part]


def cover_sheet(
    session: Session,
    gathered: Gathered,
    at: datetime,
    *,
    key_id: str,
    head: str,
    stamp: StampedHead | None,
    shown: Shown,
) -> bytes:
    """The sheet as PDF, made `at`; `head` is the log's signed head, `stamp` one on an earlier head."""
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
        files=_files(language, gathered, shown),
        seals=Table(
            language.gettext(N_("Seal")),
            [
                (language.gettext(N_("Key of the centre")), key_id),
                (language.gettext(N_("Last record")), f"{end.device} / {end.epoch} / {end.sequence}"),
                (language.gettext(N_("Its SHA-256")), end.record_sha256),
                (language.gettext(N_("Head of the log")), " ".join(head.split("\n")[:3])),
                *([(language.gettext(N_("Time-stamp")), _stamp_in_words(language, stamp))] if stamp else []),
            ],
        ),
        check=Lines(language.gettext(N_("How to check it")), directions(language, lead.id).splitlines()),
        signatures=[language.gettext(words) for words in (N_("Handed out by"), N_("Received by"), N_("Date"))],
    )
    return print_cover(cover, at)


def _stamp_in_words(language: Language, stamp: StampedHead) -> str:
    words = N_("%(authority)s, %(at)s UTC, over %(size)s leaves of the log")
    return language.say(words, authority=stamp.authority, at=f"{stamp.at:%Y-%m-%d %H:%M:%S}", size=stamp.size)


def _files(language: Language, gathered: Gathered, shown: Shown) -> Table:
    size = Formats(language).size
    rows = [
        (
            file_name(language, file),
            size(file.size_bytes) if file.sha256 in shown.here else language.gettext(N_("not at the centre")),
            file.sha256,
        )
        for file in gathered.files
    ]
    rows += [(added_name(language, each), size(part.size_bytes), each.sha256) for each, part in shown.added.items()]
    head = (language.gettext(N_("File")), language.gettext(N_("Size")), "SHA-256")
    return Table(language.gettext(N_("Files")), rows, head)
