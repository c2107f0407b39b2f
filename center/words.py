"""The two languages of the pages: which one a visitor reads, and what every sentence says in it.

English sentences stand in the templates and are the keys; Chinese stands in `locale/zh_CN/LC_MESSAGES/teawatch.po`,
read once at start. Terms that box and centre share are not here but in `alerts/catalogue.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from babel import Locale, negotiate_locale
from babel.messages.pofile import read_po

from alerts.catalogue import Words

LOCALES: Final = Path(__file__).parent / "locale"
COOKIE: Final = "teawatch_language"

Message = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the interface: its tag for `<html lang>`, its own name, its Babel locale and its sentences."""

    tag: str
    name: str
    locale: Locale
    messages: Mapping[str, Message] = field(default_factory=dict, repr=False)

    def gettext(self, message: str) -> str:
        """The sentence in this language; the English one where no translation is known (a test finds those)."""
        found = self.messages.get(message)
        if isinstance(found, tuple):
            found = found[0]
        return found or message

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The sentence for a count. Chinese has one form for all counts."""
        found = self.messages.get(singular)
        if found:
            return found if isinstance(found, str) else found[0]
        return singular if count == 1 else plural

    def say(self, message: str, **values: object) -> str:
        """The sentence with its `%(name)s` places filled."""
        return self.gettext(message) % values

    def term(self, words: Words) -> str:
        """A term of a catalogue."""
        return words.in_language(self.tag)

    def named(self, record: object, field: str) -> str:
        """`named(plot, "name")` is `plot.name_zh` or `plot.name_en`; a Chinese field may also be plain `plot.name`."""
        if self.tag.startswith("zh"):
            return str(getattr(record, f"{field}_zh", None) or getattr(record, field, ""))
        return str(getattr(record, f"{field}_en") or "")


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name, which Babel's extractor looks for
    """Mark a sentence for translation where it is defined; `Language.gettext` translates it where it is shown."""
    return message


@cache
def languages() -> Mapping[str, Language]:
    """Every language of the interface by tag; the first is the default of the reference county."""
    return MappingProxyType(
        {
            "zh-CN": Language("zh-CN", "中文", Locale("zh", "CN", script="Hans"), _messages("zh_CN")),
            "en": Language("en", "English", Locale("en", "GB")),
        }
    )


def choose_language(cookie: str | None, accept_language: str) -> Language:
    """The visitor's own choice, then the browser's wishes; Chinese where it has none, English where neither fits."""
    known = languages()
    if cookie is not None and cookie in known:
        return known[cookie]
    wished = [tag.replace("-", "_") for tag in _by_quality(accept_language) if tag != "*"]
    best = negotiate_locale(wished, ["zh", "en"])
    return known["en" if wished and best != "zh" else "zh-CN"]


def _by_quality(accept_language: str) -> Sequence[str]:
    wishes: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:32]:
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if tag and weight > 0:
            wishes.append((weight, tag))
    return [tag for _, tag in sorted(wishes, key=lambda wish: -wish[0])]


def _messages(locale: str) -> Mapping[str, Message]:
    path = LOCALES / locale / "LC_MESSAGES" / "teawatch.po"
    with path.open("rb") as file:
        catalog = read_po(file, locale=locale)
    found: dict[str, Message] = {}
    for message in catalog:
        if not message.id or message.fuzzy:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        said = message.string or ""
        found[key] = said if isinstance(said, str) else tuple(said)
    return MappingProxyType(found)
