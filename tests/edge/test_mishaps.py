"""What fails at a camera: said once, not several times a second, and unsaid when it is over."""

from typing import Any

import pytest

from edge.mishaps import MOST_REASONS, WELL_AFTER_S, Mishaps


class Told(list[tuple[str, str]]):
    def __call__(self, event: str, /, **fields: Any) -> None:
        assert fields["what"] == "camera a"
        self.append((event, fields.get("reason", "")))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def mishaps(told: Told) -> Mishaps:
    return Mishaps("camera a", told)


def test_a_step_that_fails_while_looks_succeed_is_said_once_and_is_no_end_of_trouble(
    mishaps: Mishaps, told: Told
) -> None:
    for at in range(200):
        mishaps.fail("the gate failed", at / 5)
        mishaps.succeed(at / 5 + 0.1)
        mishaps.tend(at / 5 + 0.15)
    assert told == [("trouble", "the gate failed")]
    assert mishaps.reason == "the gate failed"


def test_it_is_over_when_a_look_succeeded_and_nothing_failed_for_a_while_and_said_anew_when_it_comes_back(
    mishaps: Mishaps, told: Told
) -> None:
    mishaps.fail("full", 100.0)
    mishaps.tend(100.0 + 2 * WELL_AFTER_S)
    assert told == [("trouble", "full")], "nobody looked since"
    mishaps.succeed(101.0)
    mishaps.tend(100.0 + WELL_AFTER_S - 1)
    assert mishaps.reason == "full"
    for _ in range(2):
        mishaps.tend(100.0 + WELL_AFTER_S)
    assert (told, mishaps.reason) == ([("trouble", "full"), ("trouble_over", "")], "")
    mishaps.fail("full", 200.0)
    assert told[2:] == [("trouble", "full")]


def test_several_reasons_are_each_said_once_and_no_more_than_a_few(mishaps: Mishaps, told: Told) -> None:
    for _ in range(3):
        for number in range(100):
            mishaps.fail(f"at 0x{number:x}", 1.0)
    assert told == [("trouble", f"at 0x{number:x}") for number in range(MOST_REASONS)]
