"""What speaks against a lead, in words: reviews that are missing, records that are trusted no more."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy.orm import Session

from center.words import N_, Language
from enforcement.distrust import distrusted_of
from enforcement.leads import Lead
from enforcement.reviews import Lack

LACKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Lack.LEGAL: N_("No legal reviewer has passed the lead as it is now."),
        Lack.TECHNICAL: N_("No technical reviewer has passed the lead as it is now."),
        Lack.FALSE_ALARM: N_("The lead was called a false alarm."),
        Lack.DISTRUSTED: N_("A record that the lead rests on is trusted no more: the key of its box ends before it."),
    }
)


def doubt_of(session: Session, language: Language, lead: Lead) -> str:
    """Why nobody may rely on this lead any more; empty where its records are trusted."""
    records = distrusted_of(session, tenant=lead.tenant, lead_id=lead.id)
    if not records:
        return ""
    return language.say(
        N_(
            "It rests on record %(sequence)s of the box's journal, and of the key that signed it only records up to"
            " %(last)s are trusted: what came later may be somebody else's. It is no evidence, and no penalty may use"
            " it."
        ),
        sequence=str(records[0].sequence),
        last=str(records[0].last),
    )


def lacks_in_words(language: Language, lacks: Iterable[str]) -> list[str]:
    """Why no penalty may rest on a lead, a sentence each."""
    return [language.gettext(LACKS[lack]) for lack in lacks]
