"""What can be said of a bundle that does not hold, and of one that does: one line each, in two languages.

A fault is what somebody may have done to a bundle; a finding is one place where it shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from alerts.bundles.faults import Fault, Line
from alerts.bundles.lines import container, files, log, records, times
from alerts.catalogue import Words

LINES: Mapping[str, Line] = MappingProxyType(
    {
        **container.FORM,
        **container.SEAL,
        **container.MEMBERS,
        **records.RECORDS,
        **records.CHAIN,
        **records.INCIDENTS,
        **files.FILES,
        **files.CLIPS,
        **files.ADDED,
        **times.TIMES,
        **log.HEAD,
        **log.PROOFS,
        **log.STAMPS,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line about a bundle: a fault, or a remark where `fault` is None. `code` is a key of `LINES`.

    `values` are what stands in the line's places: anything as text, `Words` in the reader's language.
    """

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def fault(self) -> Fault | None:
        """What is the matter; None for a remark, which rejects nothing."""
        return LINES[self.code].fault

    def say(self, language: str) -> str:
        """The line: Chinese for any `zh…` tag, English otherwise. What a file says cannot steer a terminal."""
        values = {name: _printable(_said(value, language)) for name, value in self.values.items()}
        line, is_one = LINES[self.code], self.values.get("first") == self.values.get("last")
        return (line.one if line.one and is_one else line.words).in_language(language) % values


def _said(value: object, language: str) -> str:
    return value.in_language(language) if isinstance(value, Words) else str(value)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
