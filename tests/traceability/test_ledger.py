"""Weights that cannot be true together are found, and plausible ones left alone."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from tests.traceability.books import NOW, TENANT, blend
from traceability.cards import LeafSale
from traceability.ledger import (
    Mismatch,
    Worked,
    audit,
    check_card,
    check_organic,
    check_packs,
    check_steps,
    check_yield,
)
from traceability.lots import Lot, MakingStep, Product
from traceability.policy import LedgerPolicy


def found(*mismatches: Mismatch) -> set[tuple[str, str]]:
    return {(mismatch.check, mismatch.subject) for mismatch in mismatches}


def checks(county: Session) -> set[tuple[str, str]]:
    return found(*audit(county, tenant=TENANT, at=NOW))


def in_band(input_g: int, made_g: int) -> bool:
    return not list(
        check_yield(
            "lot",
            input_g=input_g,
            made_g=made_g,
            input_per_made_min_permille=3800,
            input_per_made_max_permille=6000,
        )
    )


@pytest.mark.parametrize(
    ("input_g", "made_g", "plausible"),
    [
        (3799, 1000, False),
        (3800, 1000, True),
        (4500, 1000, True),
        (6000, 1000, True),
        (6001, 1000, False),
        (1, 1, False),
    ],
)
def test_green_tea_takes_between_three_point_eight_and_six_times_its_weight_in_leaf(
    input_g: int, made_g: int, plausible: bool
) -> None:
    assert in_band(input_g, made_g) is plausible


@pytest.mark.parametrize(("leaf_g", "fits"), [(0, True), (180_000, True), (180_001, False)])
def test_a_card_sells_no_more_than_area_times_cap(leaf_g: int, fits: bool) -> None:
    over = list(check_card("card", leaf_g=leaf_g, area_m2=2000, cap_g_per_mu=60_000))
    assert (not over) is fits


@given(st.integers(1, 10**7), st.integers(1, 10**5), st.integers(0, 10**12))
def test_the_cap_is_exact_in_whole_grams(area_m2: int, cap: int, leaf_g: int) -> None:
    over = list(check_card("card", leaf_g=leaf_g, area_m2=area_m2, cap_g_per_mu=cap))
    assert bool(over) is (leaf_g > Fraction(area_m2 * 3 * cap, 2000))


@pytest.mark.parametrize(
    ("claimed", "leaf", "honest"),
    [
        ("certified", ["certified", "certified"], True),
        ("certified", ["certified", "in_conversion"], False),
        ("certified", ["conventional"], False),
        ("in_conversion", ["in_conversion", "certified"], True),
        ("conventional", ["in_conversion"], True),
    ],
)
def test_only_certified_leaf_makes_a_certified_lot(claimed: str, leaf: list[str], honest: bool) -> None:
    assert (not list(check_organic("lot", claimed=claimed, leaf_states=leaf))) is honest


@pytest.mark.parametrize(("packed_g", "fits"), [(999, True), (1000, True), (1001, False)])
def test_packs_hold_no_more_than_the_lot(packed_g: int, fits: bool) -> None:
    assert (not list(check_packs("lot", packed_g=packed_g, made_g=1000))) is fits


def worked(*weights: tuple[int, int], gap_h: int = 1) -> list[Worked]:
    return [
        Worked(in_g, out_g, NOW + timedelta(hours=gap_h * number), NOW + timedelta(hours=gap_h * number, minutes=50))
        for number, (in_g, out_g) in enumerate(weights)
    ]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (worked((100, 80), (80, 20)), []),
        ([], []),
        (worked((100, 80), (90, 20)), ["step_weights_broken"]),
        (worked((100, 120), (120, 20)), ["step_weights_broken"]),
        (worked((99, 80), (80, 20)), ["step_weights_broken"]),
        (worked((100, 80), (80, 30)), ["last_step_is_not_the_lot"]),
        (worked((100, 80), (80, 20), gap_h=-1), ["steps_out_of_order"]),
    ],
)
def test_steps_hand_on_what_they_took_in(steps: list[Worked], said: list[str]) -> None:
    assert [mismatch.check for mismatch in check_steps("lot", input_g=100, made_g=20, steps=steps)] == said


def test_the_demo_county_balances(county: Session) -> None:
    assert checks(county) == set()


def test_the_audit_finds_an_inflated_lot(county: Session) -> None:
    county.execute(update(Lot).where(Lot.id == "QL-ORG-0118").values(made_g=20_000))
    assert checks(county) == {
        ("implausible_yield", "QL-ORG-0118"),
        ("last_step_is_not_the_lot", "QL-ORG-0118"),
    }


def test_the_audit_finds_more_packs_than_tea(county: Session) -> None:
    county.execute(update(Product).where(Product.gtin == "09506000134413").values(net_g=150))
    assert checks(county) == {("more_packed_than_made", "QL-ORG-0118")}


def test_the_audit_counts_what_went_into_other_lots_as_used(county: Session) -> None:
    blend(county, "BLEND-1", {"QL-WP-0093": 1200}, organic_state="certified")
    assert checks(county) == {
        ("more_packed_than_made", "QL-WP-0093"),
        ("organic_lot_with_other_leaf", "BLEND-1"),
    }


def test_the_audit_finds_more_leaf_than_the_plot_bears(county: Session) -> None:
    county.execute(update(LeafSale).where(LeafSale.id == "sale-0003").values(leaf_g=900_000))
    assert ("more_leaf_than_the_plot_bears", "card-wp-03") in checks(county)


def test_the_audit_finds_a_step_that_makes_tea_of_nothing(county: Session) -> None:
    county.execute(
        update(MakingStep).where(MakingStep.lot_id == "QL-ORG-0118", MakingStep.number == 3).values(out_g=30_000)
    )
    assert checks(county) == {("step_weights_broken", "QL-ORG-0118")}


def test_without_a_policy_the_audit_checks_what_needs_none(county: Session) -> None:
    county.execute(delete(LedgerPolicy))
    county.execute(update(Lot).where(Lot.id == "QL-ORG-0118").values(made_g=20_000))
    assert checks(county) == {("last_step_is_not_the_lot", "QL-ORG-0118")}


def test_a_mismatch_says_in_one_line_what_contradicts_what() -> None:
    (mismatch,) = check_packs("QL-1", packed_g=1001, made_g=1000)
    assert str(mismatch) == "QL-1: more_packed_than_made (packed_g 1001, made_g 1000)"
