"""Runs of consecutive numbers, both ends included: what sequence numbers and leaves of a log come in, and lack."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple, Protocol, TypeVar


class Ranged(Protocol):
    """Whatever stands for the numbers from `first` to `last`, both included."""

    @property
    def first(self) -> int:
        """The lowest of its numbers."""

    @property
    def last(self) -> int:
        """The highest of its numbers, which is not below the lowest."""


R = TypeVar("R", bound=Ranged)


class Run(NamedTuple):
    """The numbers from `first` to `last`."""

    first: int
    last: int


def runs_of(numbers: Iterable[int]) -> Iterator[Run]:
    """Ascending numbers as runs, as few as can be."""
    return joined(Run(number, number) for number in numbers)


def joined(ranges: Iterable[Ranged]) -> Iterator[Run]:
    """The numbers of all these ranges, which ascend by their first and may overlap, as runs, as few as can be."""
    for group in touching(ranges):
        yield Run(group[0].first, max(each.last for each in group))


def touching(ranges: Iterable[R]) -> Iterator[list[R]]:
    """Ranges, which ascend by their first, in groups that leave no number out: those that overlap or are neighbours."""
    group: list[R] = []
    reach = 0
    for each in ranges:
        if group and each.first > reach + 1:
            yield group
            group = []
        reach = max(reach, each.last) if group else each.last
        group.append(each)
    if group:
        yield group


def between(numbers: Iterable[int]) -> Iterator[Run]:
    """What ascending numbers leave out between the first and the last of them."""
    for before, after in pairwise(numbers):
        if after > before + 1:
            yield Run(before + 1, after - 1)


def missing(first: int, last: int, ranges: Iterable[Ranged]) -> Iterator[Run]:
    """What ranges, which ascend by their first and may overlap, leave out of the numbers from `first` to `last`."""
    for each in ranges:
        if each.first > last:
            break
        if each.first > first:
            yield Run(first, each.first - 1)
        first = max(first, each.last + 1)
    if first <= last:
        yield Run(first, last)


def next_outside(number: int, ranges: Iterable[Ranged]) -> int:
    """The first from `number` on that is in none of these ranges, which ascend by their first and may overlap."""
    for each in ranges:
        if each.first > number:
            break
        number = max(number, each.last + 1)
    return number


def is_in(number: int, ranges: Iterable[Ranged]) -> bool:
    """Whether any of these ranges holds this number."""
    return any(each.first <= number <= each.last for each in ranges)


def count_numbers(ranges: Iterable[Ranged]) -> int:
    """How many numbers there are in ranges that do not overlap."""
    return sum(each.last - each.first + 1 for each in ranges)
