"""Public holidays of China and the days worked in exchange, as the State Council announces them year by year."""

from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

from enforcement.deadlines import Holidays


class _Holiday(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name_zh: str
    name_en: str
    first: date
    last: date
    make_up: tuple[date, ...] = ()


class _Year(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    holidays: Annotated[tuple[_Holiday, ...], Field(min_length=1)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    years: dict[int, _Year]


@cache
def public_holidays() -> Holidays:
    """Every year that `public_holidays.yaml` knows; to add a year, add its notice there."""
    text = resources.files("enforcement").joinpath("public_holidays.yaml").read_text(encoding="utf-8")
    years = _File.model_validate(yaml.safe_load(text)).years
    announced = [holiday for year in years.values() for holiday in year.holidays]
    return Holidays(
        off=frozenset(day for holiday in announced for day in _days(holiday.first, holiday.last)),
        make_up=frozenset(day for holiday in announced for day in holiday.make_up),
        years=frozenset(years),
        sources={number: year.source for number, year in years.items()},
    )


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
