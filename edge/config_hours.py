"""Guarded hours as a technician writes them."""

from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from edge.config_errors import unknown
from edge.config_sections import Section, refuse
from edge.schedule import DAY_MINUTES, Day, Schedule, Span


def _minutes(value: object) -> object:
    """`06:30` as minutes after midnight; YAML reads an unquoted 19:00 as the number 1140, which is the same."""
    if isinstance(value, str):
        hours, colon, minutes = value.partition(":")
        if colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2 and int(minutes) < 60:  # noqa: PLR2004 - minutes
            return int(hours) * 60 + int(minutes)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise refuse(f"{value!r} is no time of day; write it like '19:30'")


def _days(value: object) -> object:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise refuse("days are a list such as [mon, tue], or daily, workdays, weekend")
    groups = {"daily": list(Day), "workdays": list(Day)[:5], "weekend": list(Day)[5:]}
    names = {day.name.lower(): [day] for day in Day} | groups
    days: set[Day] = set()
    for name in value:
        if str(name).lower() not in names:
            raise refuse(unknown("day", str(name), names))
        days.update(names[str(name).lower()])
    return frozenset(days)


def _time_zone(value: object) -> object:
    try:
        return ZoneInfo(str(value))
    except (KeyError, OSError, ValueError):
        raise refuse(f"no time zone called {str(value)!r}; for example Asia/Shanghai") from None


TimeOfDay = Annotated[int, BeforeValidator(_minutes), Field(ge=0, le=DAY_MINUTES)]


class SpanSection(Section):
    """Guarded hours of some days of the week."""

    days: Annotated[frozenset[Day], BeforeValidator(_days), Field(min_length=1)] = frozenset(Day)
    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.start == self.end:
            raise refuse("from and to are the same; for the whole day write from: '00:00', to: '24:00'")
        return self


class ScheduleSection(Section):
    """Guarded hours in the time zone of the place."""

    time_zone: Annotated[ZoneInfo, BeforeValidator(_time_zone)]
    spans: tuple[SpanSection, ...] = Field(min_length=1)

    def build(self) -> Schedule:
        """As the rules use it."""
        return Schedule(tuple(Span(each.days, each.start, each.end) for each in self.spans), self.time_zone)
