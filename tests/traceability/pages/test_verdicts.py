"""The verdict's words: organic only where all of it is, tested only where something was."""

from dataclasses import replace

import pytest

from tests.traceability.books import TENANT, demo_books
from traceability.pages import laboratory_verdict, organic_verdict
from traceability.trace import PackTrace, trace_pack


@pytest.fixture(scope="module")
def organic() -> PackTrace:
    """The demo county's organic packet."""
    with demo_books() as session:
        found = trace_pack(session, TENANT, "09506000134413", "QL-ORG-0118", "0001")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("claimed", "states", "verdict"),
    [
        (True, ["certified", "certified"], "certified"),
        (True, ["certified", "in_conversion"], "conventional"),
        (True, [], "conventional"),
        (False, ["in_conversion", "in_conversion"], "in_conversion"),
        (False, ["certified", "in_conversion"], "in_conversion"),
        (False, ["certified", "conventional"], "conventional"),
        (True, ["conventional"], "conventional"),
    ],
)
def test_only_a_claim_that_all_leaf_bears_out_is_called_organic(
    organic: PackTrace, states: list[str], verdict: str, *, claimed: bool
) -> None:
    leaves = tuple(replace(organic.leaves[0], organic_state=state) for state in states)
    assert organic_verdict(replace(organic, organic=claimed, leaves=leaves)) == verdict


def test_one_failed_report_spoils_the_verdict_and_none_is_no_verdict(organic: PackTrace) -> None:
    good = organic.tests[0]
    assert laboratory_verdict(organic) is True
    assert laboratory_verdict(replace(organic, tests=(good, replace(good, passed=False)))) is False
    assert laboratory_verdict(replace(organic, tests=())) is None
