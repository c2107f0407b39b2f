"""A camera's watched time in words and as a bar."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from center.pages.formats import Formats
from center.pages.terms import WATCHING, name_of
from center.watching import SEEN, UNKNOWN, Account

LENGTH: Final = 1440.0
"""Units along a bar: minutes of a common day."""
LEAST: Final = 3.0
"""What is shorter is drawn so long, so that it can be seen."""
LISTED: Final = 60
EXACT_UNTIL: Final = timedelta(minutes=10)
"""Whatever is shorter is told to the second."""


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch on the bar: `tone` is seen, hindered or unknown."""

    x: str
    width: str
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class Reason:
    """How long one thing kept somebody from looking."""

    length: str
    name: str
    tone: str


@dataclass(frozen=True, slots=True)
class BarView:
    """A time of one camera: `times` are the stretches in which nobody looked, and so many more are `left_out`."""

    watched: str
    complete: bool
    reasons: tuple[Reason, ...]
    parts: tuple[Part, ...]
    times: tuple[str, ...]
    left_out: int
    marks: tuple[str, ...]


def day_bounds(on: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moments of this day and of the next, local time."""
    return datetime.combine(on, time(), zone), datetime.combine(on + timedelta(days=1), time(), zone)


def bar_of(formats: Formats, account: Account, first_at: datetime, last_at: datetime) -> BarView:
    """An account on a bar from `first_at` to `last_at`; what the account does not reach has not come yet."""
    language = formats.language
    watched = language.say(
        "Watched %(seen)s of %(whole)s",
        seen=length_of(formats, account.seen_ms),
        whole=length_of(formats, account.length_ms),
    )
    totals = sorted(account.totals_ms.items(), key=lambda item: -item[1])
    reasons = tuple(
        Reason(length_of(formats, length), name_of(language, WATCHING, state), tone_of(state))
        for state, length in totals
        if state != SEEN
    )
    times = [
        _line(formats, each.from_at, each.until_at, each.state) for each in account.stretches if each.state != SEEN
    ]
    return BarView(
        watched=watched,
        complete=account.was_watched,
        reasons=reasons,
        parts=tuple(_parts(formats, account, first_at, last_at)),
        times=tuple(times[:LISTED]),
        left_out=max(0, len(times) - LISTED),
        marks=_marks(formats, first_at, last_at),
    )


def tone_of(state: str) -> str:
    """How a state is drawn."""
    return state if state in (SEEN, UNKNOWN) else "hindered"


def length_of(formats: Formats, milliseconds: int) -> str:
    """In whole seconds, as exactly as a box reports; what is shorter is not told as nothing."""
    return formats.duration(round(milliseconds, -3) or milliseconds)


def _parts(formats: Formats, account: Account, first_at: datetime, last_at: datetime) -> Iterator[Part]:
    """Short ones last, over their neighbours."""
    whole_s = (last_at - first_at).total_seconds()
    for each in sorted(account.stretches, key=lambda stretch: stretch.from_at - stretch.until_at):
        x = (each.from_at - first_at).total_seconds() / whole_s * LENGTH
        width = (each.until_at - each.from_at).total_seconds() / whole_s * LENGTH
        title = _line(formats, each.from_at, each.until_at, each.state)
        drawn = max(width, LEAST)
        yield Part(f"{min(x, LENGTH - drawn):.2f}", f"{drawn:.2f}", tone_of(each.state), title)


def _line(formats: Formats, from_at: datetime, until_at: datetime, state: str) -> str:
    same_day = from_at.astimezone(formats.zone).date() == until_at.astimezone(formats.zone).date()
    long, brief = ("exact", "time") if until_at - from_at < EXACT_UNTIL else ("short", "clock")
    first, last = formats.stamp(from_at, long), formats.stamp(until_at, brief if same_day else long)
    return f"{first}–{last} · {name_of(formats.language, WATCHING, state)}"


def _marks(formats: Formats, first_at: datetime, last_at: datetime) -> tuple[str, ...]:
    """Five moments along the bar."""
    quarter = (last_at - first_at) / 4
    style = "clock" if last_at - first_at <= timedelta(days=1, hours=2) else "short"
    return tuple(formats.stamp(first_at + number * quarter, style) for number in range(5))
