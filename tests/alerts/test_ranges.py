"""Runs of numbers, against plain sets of numbers."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.ranges import Ranged, Run, between, count_numbers, is_in, joined, missing, next_outside, runs_of, touching

RANGES = st.lists(st.builds(lambda first, more: Run(first, first + more), st.integers(1, 40), st.integers(0, 8))).map(
    sorted
)
NUMBERS = st.lists(st.integers(1, 40)).map(sorted)


def numbers_of(ranges: Iterable[Ranged]) -> list[int]:
    return [number for each in ranges for number in range(each.first, each.last + 1)]


@given(RANGES)
def test_joined_ranges_hold_the_same_numbers_once_and_are_as_few_as_can_be(ranges: list[Run]) -> None:
    runs = list(joined(ranges))
    assert numbers_of(runs) == sorted(set(numbers_of(ranges)))
    assert all(after.first > before.last + 1 for before, after in pairwise(runs))
    assert count_numbers(runs) == len(set(numbers_of(ranges)))


@given(RANGES)
def test_touching_ranges_are_all_there_in_their_order(ranges: list[Run]) -> None:
    groups = list(touching(ranges))
    assert [each for group in groups for each in group] == ranges
    assert [Run(group[0].first, max(each.last for each in group)) for group in groups] == list(joined(ranges))


@given(NUMBERS)
def test_runs_and_what_is_between_them_share_out_the_numbers(numbers: list[int]) -> None:
    runs, holes = list(runs_of(numbers)), list(between(numbers))
    assert numbers_of(runs) == sorted(set(numbers))
    assert sorted(numbers_of([*runs, *holes])) == (list(range(numbers[0], numbers[-1] + 1)) if numbers else [])
    assert all(not is_in(number, runs) for number in numbers_of(holes))


@given(RANGES, st.integers(1, 40), st.integers(-1, 40))
def test_missing_is_exactly_what_the_ranges_leave_out(ranges: list[Run], first: int, more: int) -> None:
    held = set(numbers_of(ranges))
    left_out = [number for number in range(first, first + more + 1) if number not in held]
    assert numbers_of(missing(first, first + more, ranges)) == left_out


@given(RANGES, st.integers(1, 40))
def test_the_next_outside_is_the_first_that_no_range_holds(ranges: list[Run], number: int) -> None:
    found = next_outside(number, ranges)
    assert not is_in(found, ranges)
    assert all(is_in(passed, ranges) for passed in range(number, found))


@pytest.mark.parametrize(
    ("numbers", "runs", "holes"),
    [
        ([], [], []),
        ([7], [(7, 7)], []),
        ([1, 2, 3, 7], [(1, 3), (7, 7)], [(4, 6)]),
        ([5, 5, 6], [(5, 6)], []),
    ],
)
def test_numbers_come_in_runs(numbers: list[int], runs: list[tuple[int, int]], holes: list[tuple[int, int]]) -> None:
    assert (list(runs_of(numbers)), list(between(numbers))) == (runs, holes)
