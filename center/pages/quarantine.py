"""Quarantine: what the centre could not accept, why, how often, and a look at it that can do no harm."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from center.accounts.guards import Staff
from center.database import Reading
from center.intake.quarantine import QuarantineEntry, count_entries, list_entries
from center.office import office_of
from center.pages.rendering import language_of, render
from center.pages.terms import name_of
from center.words import N_, Language

router: Final = APIRouter(include_in_schema=False)
PAGE_SIZE: Final = 50
LAST_PAGE: Final = 1000
PREVIEW_BYTES: Final = 1200
A_FRACTION: Final = re.compile(r"(\d\d:\d\d:\d\d)\.\d+")

REASONS: Final[Mapping[str, str]] = {
    "malformed": N_("It is no message this centre can read."),
    "too_large": N_("It is larger than any message may be."),
    "unsigned": N_("Nobody signed it."),
    "unknown_key": N_("It is signed with a key that no enrolled box owns."),
    "retired_key": N_("It is signed with a key that the box had given up by then."),
    "revoked_key": N_("It is signed with a key that was taken back."),
    "bad_signature": N_("The signature does not fit the contents."),
    "unsupported_algorithm": N_("It is signed in a way this centre does not know."),
    "wrong_device": N_("It speaks for a box that did not sign it."),
    "wrong_topic": N_("It came on a topic where it does not belong."),
    "unknown_type": N_("It is of a type this centre does not know."),
    "unknown_kind": N_("It reports a kind of violation that is not in the catalogue."),
    "unknown_camera": N_("It names a camera that is not in the register."),
    "camera_of_another": N_("It speaks for a camera that belongs to another box."),
    "contradiction": N_("It contradicts what the centre already knows."),
}


@dataclass(frozen=True, slots=True)
class EntryView:
    """One thing put aside; `detail` without fractions of seconds, `preview` as harmless text."""

    entry: QuarantineEntry
    detail: str
    preview: str


@dataclass(frozen=True, slots=True)
class Group:
    """What this page shows of one reason."""

    key: str
    reason: str
    count: int
    entries: Sequence[EntryView]


@router.get("/quarantine")
def show(request: Request, session: Reading, _person: Staff, page: int = 1) -> Response:
    """The latest first; counts by reason above."""
    tenant, language = office_of(request).settings.tenant, language_of(request)
    number = max(1, min(page, LAST_PAGE))
    rows = list_entries(session, tenant, limit=PAGE_SIZE + 1, offset=(number - 1) * PAGE_SIZE)
    counts = count_entries(session, tenant)
    return render(
        request,
        "_quarantine.html" if "hx-request" in request.headers else "quarantine.html",
        groups=_groups(language, rows[:PAGE_SIZE], counts),
        counts=[(name_of(language, REASONS, reason), count) for reason, count in sorted(counts.items())],
        number=number,
        more=len(rows) > PAGE_SIZE,
    )


def _groups(language: Language, rows: Sequence[QuarantineEntry], counts: Mapping[str, int]) -> list[Group]:
    """By reason, the one that came last first."""
    return [
        Group(
            key=reason,
            reason=name_of(language, REASONS, reason),
            count=counts.get(reason, 0),
            entries=[
                EntryView(row, A_FRACTION.sub(r"\1", row.detail), preview(row.raw))
                for row in rows
                if row.reason == reason
            ],
        )
        for reason in dict.fromkeys(row.reason for row in rows)
    ]


def preview(raw: bytes) -> str:
    """The first bytes as text in which nothing can act: control and direction characters are shown as dots.

    >>> preview(bytes([0x68, 0x69, 0x00, 0xFF]))
    'hi·�'
    """
    text = raw[:PREVIEW_BYTES].decode("utf-8", errors="replace")
    return "".join(letter if letter.isprintable() or letter == "\n" else "·" for letter in text)
