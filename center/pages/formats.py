"""Numbers, times and measures as a person reads them, in the visitor's language and the county's local time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from babel import dates, numbers
from markupsafe import Markup

from alerts.catalogue import UNITS
from center.words import Language

SHANGHAI = ZoneInfo("Asia/Shanghai")
SQUARE_METRES_PER_MU = 10_000 / 15  # 亩

SECONDS_UNTIL = 120  # "119.5 s", then "2 min 5 s"
MINUTES_AND_SECONDS_UNTIL = 10  # "9 min 30 s", then "10 min"
SHOWN_WHOLE = 16  # characters of a code that need no shortening
Unit = Literal["day", "hour", "minute", "second"]
UNITS_S: Final[tuple[tuple[Unit, int], ...]] = (
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
    ("second", 1),
)
KILO, MEGA = 1_000, 1_000_000


class Scale(NamedTuple):
    """The unit people read in place of the one a laboratory's integers are kept in."""

    unit: str
    divisor: int


LABORATORY: Final[Mapping[str, Scale]] = {"µg/kg": Scale("mg/kg", 1_000), "‰": Scale("%", 10)}

PATTERNS = {
    "zh-CN": {
        "short": "M月d日 HH:mm",
        "exact": "M月d日 HH:mm:ss",
        "full": "y年M月d日 HH:mm:ss",
        "day": "y年M月d日",
        "time": "HH:mm:ss",
        "clock": "HH:mm",
    },
    "en": {
        "short": "d MMM, HH:mm",
        "exact": "d MMM, HH:mm:ss",
        "full": "d MMM y, HH:mm:ss",
        "day": "d MMM y",
        "time": "HH:mm:ss",
        "clock": "HH:mm",
    },
}


@dataclass(frozen=True, slots=True)
class Formats:
    """The filters a template uses; one per language. `zone` is the county's local time."""

    language: Language
    zone: ZoneInfo = SHANGHAI

    def number(self, value: float, digits: int = 0) -> str:
        """`1,234.5`, with at most `digits` decimals."""
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        return numbers.format_decimal(value, format=pattern, locale=self.language.locale)

    def stamp(self, at: datetime, style: str = "short") -> str:
        """A moment in local time: `short` (no year), `exact` and `full` (with seconds), `day`, `time` or `clock`."""
        return dates.format_datetime(at, PATTERNS[self.language.tag][style], self.zone, self.language.locale)

    def moment(self, at: datetime, style: str = "short") -> Markup:
        """A moment as `<time>`: local for the eye, UTC for machines, complete in its tooltip."""
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            at.astimezone(UTC).isoformat(timespec="seconds"), self.stamp(at, "full"), self.stamp(at, style)
        )

    def until(self, end: datetime, start: datetime) -> Markup:
        """The end of a time that began at `start`: without its day where that is the same."""
        same_day = end.astimezone(self.zone).date() == start.astimezone(self.zone).date()
        return self.moment(end, "time" if same_day else "full")

    def plain_day(self, on: date) -> str:
        """A calendar day in words."""
        return dates.format_date(on, PATTERNS[self.language.tag]["day"], self.language.locale)

    def day(self, on: date) -> Markup:
        """A calendar day as `<time>`."""
        return Markup('<time datetime="{}">{}</time>').format(on.isoformat(), self.plain_day(on))

    def distance(self, at: datetime, now: datetime) -> str:
        """`in 3 hours`, `2 minutes ago`: how far a moment lies from now, rounded down as moments.js does."""
        seconds = int((at - now).total_seconds())
        unit, size = next((unit, size) for unit, size in UNITS_S if abs(seconds) >= size or size == 1)
        whole = timedelta(seconds=int(seconds / size) * size)
        return dates.format_timedelta(
            whole, granularity=unit, threshold=math.inf, add_direction=True, locale=self.language.locale
        )

    def duration(self, milliseconds: int) -> str:
        """A length of time in the units a person would say: `0.4 s`, `23.4 s`, `4 min 5 s`, `25 min`, `2 h 10 min`."""
        say = self.language.say
        seconds = milliseconds / 1000
        if seconds < SECONDS_UNTIL:
            return say("%(seconds)s s", seconds=self.number(seconds, 1))
        minutes, rest = divmod(round(seconds), 60)
        if minutes < MINUTES_AND_SECONDS_UNTIL and rest:
            return say("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=rest)
        hours, minutes = divmod(round(seconds / 60), 60)
        if not hours:
            return say("%(minutes)s min", minutes=minutes)
        if not minutes:
            return say("%(hours)s h", hours=self.number(hours))
        return say("%(hours)s h %(minutes)s min", hours=self.number(hours), minutes=minutes)

    def measure(self, value: int, unit: str) -> str:
        """A measured integer with its wire unit, said the human way: milliseconds as seconds, permille as percent."""
        if unit == "ms":
            return self.duration(value)
        if unit == "permille":
            return numbers.format_decimal(value / 10, format="#,##0.#", locale=self.language.locale) + " %"
        word = self.language.term(UNITS[unit]) if unit in UNITS else unit
        return f"{self.number(value)} {word}".strip()

    def share(self, permille: int) -> str:
        """A share of a whole, never rounded to nothing."""
        if permille < 1:
            return self.language.gettext("less than 0.1 %")
        return self.measure(permille, "permille")

    def size(self, size_bytes: int) -> str:
        """A file's size: `61 kB`, `1.4 MB`."""
        if size_bytes < KILO:
            return f"{size_bytes} B"
        if size_bytes < MEGA:
            return f"{self.number(size_bytes / KILO)} kB"
        return f"{self.number(size_bytes / MEGA, 1)} MB"

    def reading(self, value: int, unit: str) -> str:
        """A laboratory's integer in the unit people read: `0.31` of 310 µg/kg, `5.8` of 58 ‰."""
        scale = LABORATORY.get(unit)
        if scale is None:
            return self.number(value)
        return numbers.format_decimal(value / scale.divisor, format="#,##0.0##", locale=self.language.locale)

    def mu(self, square_metres: float) -> str:
        """Land in mu (亩), as everybody in a tea village counts it."""
        return self.language.say("%(mu)s mu", mu=self.number(square_metres / SQUARE_METRES_PER_MU, 2))

    def kilograms(self, grams: int) -> str:
        """A weight in kilograms."""
        return self.language.say("%(kg)s kg", kg=self.number(grams / 1000, 3))


def reading_unit(unit: str) -> str:
    """The unit of `Formats.reading`."""
    return LABORATORY[unit].unit if unit in LABORATORY else unit


def is_past(at: datetime, now: datetime) -> bool:
    """Whether a deadline has gone by."""
    return now - at > timedelta(0)


def short_hash(sha256: str) -> str:
    """The first and last characters of a hash: enough to compare by eye; the whole stands in the tooltip."""
    return f"{sha256[:8]}…{sha256[-4:]}" if len(sha256) > SHOWN_WHOLE else sha256
