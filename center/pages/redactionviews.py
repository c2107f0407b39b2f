"""Redacted copies in words, each beside its original."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlalchemy.orm import Session

from alerts.redaction import What
from center.evidence.files import Announced
from center.evidence.redactions import (
    CopyWord,
    RedactedCopy,
    Standing,
    Word,
    copies_of,
    may_be_redacted,
    standing_of,
    words_on,
)
from center.pages.terms import Toned, name_of, toned
from center.words import N_, Language
from enforcement.leads import Lead

STANDINGS: Final[Mapping[str, Toned]] = MappingProxyType(
    {
        Standing.WAITING: Toned(N_("To be looked at"), "warn", "clock"),
        Standing.RELEASED: Toned(N_("Released"), "good", "check"),
        Standing.WITHHELD: Toned(N_("Withheld"), "alarm", "cross"),
    }
)
WORDS: Final[Mapping[str, str]] = MappingProxyType({Word.RELEASE: N_("Released"), Word.WITHHOLD: N_("Withheld")})
PLACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        What.FACE: N_("faces"),
        What.HEAD: N_("heads of people"),
        What.PLATE: N_("number plates"),
        What.BY_HAND: N_("drawn by hand"),
    }
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word on a copy, as a person reads it."""

    name: str
    said: CopyWord


@dataclass(frozen=True, slots=True)
class CopyView:
    """One copy: what was covered, by which networks, what is said of it, and what may be said now.

    `coarse`: of what no small ones were looked for.
    """

    row: RedactedCopy
    file: Announced | None
    standing: Toned
    covered: Sequence[tuple[str, int]]
    models: Sequence[tuple[str, str, str]]
    coarse: Sequence[str]
    words: Sequence[Spoken]
    may_release: bool
    may_withhold: bool


def originals_of(files: Sequence[Announced]) -> list[Announced]:
    """What of a lead can be redacted."""
    return [file for file in files if may_be_redacted(file)]


def copies_shown(session: Session, language: Language, lead: Lead, files: Sequence[Announced]) -> list[CopyView]:
    """Every copy of a lead's pictures, the latest first."""
    by_hash = {file.sha256: file for file in files}
    return [
        _view(session, language, row, by_hash.get(row.sha256))
        for row in copies_of(session, tenant=lead.tenant, lead_id=lead.id)
    ]


def _view(session: Session, language: Language, row: RedactedCopy, file: Announced | None) -> CopyView:
    told, words = row.told, words_on(session, tenant=row.tenant, sha256=row.sha256)
    standing, counts = standing_of(words), Counter(place.what for place in told.covered)
    is_here = file is not None and file.is_here
    return CopyView(
        row=row,
        file=file,
        standing=toned(language, STANDINGS, standing),
        covered=[(name_of(language, PLACES, what), counts[what]) for what in What if counts[what]],
        models=[(name_of(language, PLACES, what), model.name, model.sha256) for what, model in told.models.items()],
        coarse=[name_of(language, PLACES, what) for what in told.coarse],
        words=[Spoken(name_of(language, WORDS, word.word), word) for word in reversed(words)],
        may_release=is_here and standing is not Standing.RELEASED,
        may_withhold=is_here and standing is not Standing.WITHHELD,
    )
