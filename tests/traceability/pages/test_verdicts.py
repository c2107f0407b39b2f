"""The verdict's words: organic only where all of it is, tested only where something was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.traceability.books import TENANT, demo_books
from traceability.pages import ShownFinding, Timing, laboratory_verdict, organic_verdict, timing_of
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


@pytest.mark.parametrize(
    ("days_after_first_picking", "timing"),
    [(-1, Timing.BEFORE_PICKING), (0, Timing.WHILE_PICKING), (2, Timing.BEFORE_PACKING), (400, Timing.AFTER_PACKING)],
)
def test_a_finding_is_said_to_be_before_or_after_by_the_days_of_this_very_packet(
    organic: PackTrace, days_after_first_picking: int, timing: Timing
) -> None:
    first = organic.leaves[0].picked_on
    leaves = tuple(replace(leaf, picked_on=first) for leaf in organic.leaves)
    seen_at = datetime(first.year, first.month, first.day, 4, tzinfo=UTC) + timedelta(days=days_after_first_picking)
    packed_at = datetime(first.year, first.month, first.day, 4, tzinfo=UTC) + timedelta(days=30)
    finding = ShownFinding(
        kind="",
        stand_in="",
        observed_at=seen_at,
        observed_on=seen_at.date(),
        published_at=seen_at,
        language="en",
        result="",
        measure="",
    )
    assert timing_of(finding, replace(organic, leaves=leaves, packed_at=packed_at)) is timing
