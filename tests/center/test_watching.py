"""The account of a camera's time: never prouder than what was claimed, whatever came when and how often."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from center.watching import SEEN, UNKNOWN, Answer, Claim, fold

NOON = datetime(2026, 4, 5, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def claims(*parts: tuple[int, int, str]) -> list[Claim]:
    return [Claim(at(first), at(last), state) for first, last, state in parts]


def folded(*parts: tuple[int, int, str], until: int = 100) -> list[tuple[float, str]]:
    account = fold(claims(*parts), NOON, at(until))
    return [((each.until_at - each.from_at).total_seconds(), each.state) for each in account.stretches]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([], [(100, UNKNOWN)], id="nothing is unknown"),
        pytest.param([(0, 100, SEEN)], [(100, SEEN)], id="all seen"),
        pytest.param([(50, 100, SEEN), (0, 50, SEEN)], [(100, SEEN)], id="out of order"),
        pytest.param([(0, 60, SEEN), (0, 60, SEEN), (40, 100, SEEN)], [(100, SEEN)], id="twice and overlapping"),
        pytest.param([(-50, 300, SEEN)], [(100, SEEN)], id="beyond both ends"),
        pytest.param([(0, 30, SEEN), (40, 100, SEEN)], [(30, SEEN), (10, UNKNOWN), (60, SEEN)], id="a gap"),
        pytest.param([(0, 30, SEEN), (32, 100, SEEN)], [(100, SEEN)], id="a gap of a slewed clock"),
        pytest.param(
            [(0, 30, SEEN), (32, 100, "dark")], [(30, SEEN), (70, "dark")], id="such a gap before a hindrance"
        ),
        pytest.param([(2, 98, SEEN)], [(2, UNKNOWN), (96, SEEN), (2, UNKNOWN)], id="short gaps at the ends stay"),
        pytest.param(
            [(0, 100, SEEN), (20, 50, "turned")], [(20, SEEN), (30, "turned"), (50, SEEN)], id="the worse of two claims"
        ),
        pytest.param(
            [(0, 100, "dark"), (20, 50, "box_off")], [(20, "dark"), (30, "box_off"), (50, "dark")], id="order"
        ),
        pytest.param(
            [(0, 100, SEEN), (10, 20, "of tomorrow"), (10, 20, "box_off")],
            [(10, SEEN), (10, "of tomorrow"), (80, SEEN)],
            id="a reason this version does not know",
        ),
    ],
)
def test_claims_fold_into_one_account(parts: list[tuple[int, int, str]], expected: list[tuple[float, str]]) -> None:
    assert folded(*parts) == expected


@pytest.mark.parametrize(
    ("parts", "incidents", "answer"),
    [
        ([(0, 100, SEEN)], 0, Answer.NONE),
        ([(0, 100, SEEN)], 2, Answer.INCIDENTS),
        ([(0, 99, SEEN)], 0, Answer.UNWATCHED),
        ([(0, 100, SEEN), (3, 4, "frozen")], 0, Answer.UNWATCHED),
        ([], 0, Answer.UNWATCHED),
        ([], 1, Answer.INCIDENTS),
    ],
)
def test_no_incident_means_something_only_where_somebody_looked(
    parts: list[tuple[int, int, str]], incidents: int, answer: Answer
) -> None:
    assert fold(claims(*parts), NOON, at(100)).answer(incidents) is answer


PARTS = st.lists(
    st.tuples(st.integers(-20, 120), st.integers(0, 60), st.sampled_from([SEEN, SEEN, "dark", "box_off", "turned"])),
    max_size=25,
)


@given(PARTS, st.randoms())
def test_an_account_has_no_gap_no_overlap_and_sees_nothing_that_was_not_claimed(
    parts: list[tuple[int, int, str]], chance: object
) -> None:
    said = claims(*[(first, first + length, state) for first, length, state in parts])
    account = fold(said, NOON, at(100))
    chance.shuffle(said)  # type: ignore[attr-defined]
    assert fold(said, NOON, at(100)) == account, "the order of arrival changes nothing"
    assert sum(account.totals_ms.values()) == account.length_ms == 100_000
    assert (account.stretches[0].from_at, account.stretches[-1].until_at) == (NOON, at(100))
    for sooner, later in pairwise(account.stretches):
        assert sooner.until_at == later.from_at
        assert sooner.state != later.state
    for second in range(100):
        moment = at(second + 0.5)
        held = {each.state for each in said if each.from_at <= moment < each.until_at}
        state = next(each.state for each in account.stretches if each.from_at <= moment < each.until_at)
        assert held <= {SEEN} if state == SEEN else True
        if held and held != {SEEN}:
            assert state in held - {SEEN}
