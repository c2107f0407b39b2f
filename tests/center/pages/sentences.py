"""Every sentence of the pages, extracted from templates and Python the way gettext's own tools do it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from babel.messages.extract import extract_from_dir

ROOT = Path(__file__).parents[3]
FOLDERS = ("center", "traceability", "enforcement")
METHODS = [("templates/**.html", "jinja2.ext.babel_extract"), ("**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "say": None}
OPTIONS = {"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true"}}


class Sentence(NamedTuple):
    """One msgid (and its plural) and where it stands."""

    id: str
    plural: str
    place: str


@cache
def sentences() -> tuple[Sentence, ...]:
    """All of them, with repetitions."""
    return tuple(_sentences())


def _sentences() -> Iterator[Sentence]:
    for folder in FOLDERS:
        found = extract_from_dir(ROOT / folder, METHODS, OPTIONS, KEYWORDS)
        for file, line, message, _comments, _context in found:
            parts = message if isinstance(message, tuple) else (message, "")
            yield Sentence(parts[0], parts[1] or "", f"{folder}/{file}:{line}")
