"""What somebody may have done to a bundle, and a line about it in two languages."""

from enum import StrEnum
from typing import NamedTuple

from alerts.catalogue import Words


class Fault(StrEnum):
    """What is the matter, for programs; people read the line."""

    FORM = "form"
    ALTERED = "altered"
    MISSING = "missing"
    ADDED = "added"
    CUT = "cut"
    SPLICED = "spliced"
    REORDERED = "reordered"
    SWAPPED = "swapped"
    WRONG_KEY = "wrong_key"
    TIME = "time"
    LOG = "log"


class Line(NamedTuple):
    """Words with places for values; without a fault they are a remark, which rejects nothing.

    `one` is said in place of `words` where the values `first` and `last` are the same.
    """

    fault: Fault | None
    words: Words
    one: Words | None = None


def line(fault: Fault | None, en: str, zh: str, *, one: tuple[str, str] | None = None) -> Line:
    """A line, English first; `one` likewise, for a span that is a single number."""
    return Line(fault, Words(zh, en), Words(one[1], one[0]) if one else None)
