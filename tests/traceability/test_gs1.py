"""GS1 check digits and the path behind a pack's code."""

import doctest
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability import cards, gs1
from traceability.gs1 import CHARACTER_SET_82, check_digit, digital_link_path, is_component, is_gtin

COMPONENTS = st.text(sorted(CHARACTER_SET_82), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("gtin", "valid"),
    [
        ("09506000134352", True),  # GS1's own example
        ("9506000134352", True),
        ("96385074", True),
        ("614141000036", True),
        ("09506000134353", False),
        ("0950600013435", False),
        ("", False),
        ("0950600013435X", False),
        ("０９５０６０００１３４３５２", False),
    ],
)
def test_only_the_right_digits_are_a_gtin(gtin: str, valid: bool) -> None:
    assert is_gtin(gtin) is valid


@given(st.text("0123456789", min_size=13, max_size=13), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(digits: str, place: int, off: int) -> None:
    whole = digits + check_digit(digits)
    wrong = whole[:place] + str((int(whole[place]) + off) % 10) + whole[place + 1 :]
    assert is_gtin(whole)
    assert not is_gtin(wrong)


@given(
    st.text(sorted(CHARACTER_SET_82), min_size=1, max_size=20),
    st.text(sorted(CHARACTER_SET_82), min_size=1, max_size=20),
)
def test_lot_and_serial_come_back_out_of_the_path(lot: str, serial: str) -> None:
    assert is_component(lot)
    parts = digital_link_path("9506000134352", lot, serial).split("/")
    assert [unquote(part) for part in parts] == ["", "01", "09506000134352", "10", lot, "21", serial]


@pytest.mark.parametrize("text", ["", "x" * 21, "批次一", "a b", "a#b"])
def test_what_gs1_does_not_allow_is_no_component(text: str) -> None:
    assert not is_component(text)


@pytest.mark.parametrize("module", [gs1, cards], ids=lambda module: module.__name__)
def test_the_examples_in_the_docstrings_are_true(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0
