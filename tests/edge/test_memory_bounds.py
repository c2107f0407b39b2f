"""What a detector gone mad can make the box remember: no more than so much."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.boxes import Box
from edge.rules.occupancy import Occupancy
from edge.rules.places import MOST_PLACES, Place
from edge.rules.stays import MOST_STAYS
from edge.tracking import MOST_TRACKS, Finding, Tracker
from tests.edge.parts import Script, family_of, make_rule, see

SPOT = Box(0.4, 0.4, 0.5, 0.5)
BOXES_PER_LOOK = 300
LOOKS = 60

shares = st.floats(0, 1, allow_nan=False)
boxes = st.tuples(shares, shares, shares, shares).map(
    lambda sides: Box(
        min(sides[0], sides[2]), min(sides[1], sides[3]), max(sides[0], sides[2]), max(sides[1], sides[3])
    )
)
kinds = st.sampled_from(["car", "truck", "bus", "motorcycle", "person"])
findings = st.tuples(kinds, st.floats(0, 1), boxes)
looks = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 0.5, 2.0, 60.0]),
        st.sampled_from([0.0, 0.0, 0.0, 30.0]),
        st.lists(findings, max_size=40),
    ),
    max_size=12,
)


def places_of(state: object) -> tuple[Place, ...]:
    assert isinstance(state, tuple)
    return state


def storm(dice: random.Random, number: int, name: str) -> list:
    """False boxes all over the picture, none where a vehicle may stand."""
    found = []
    for at in range(BOXES_PER_LOOK):
        left, top = dice.uniform(0, 0.9), dice.uniform(0.55, 0.9)
        box = Box(left, top, left + dice.uniform(0.01, 0.1), top + dice.uniform(0.01, 0.1))
        found.append(see(box, name, track=1000 + number * BOXES_PER_LOOK + at, score=dice.uniform(0.25, 0.6)))
    return found


@settings(max_examples=30, deadline=None)
@given(looks)
@pytest.mark.parametrize("rule", ["stationary", "intrusion", "presence"])
def test_any_looks_leave_a_bounded_state_and_true_clauses(rule: str, seen: list) -> None:
    run = Script(make_rule(rule, **({"dwell_s": 1.0} if rule == "stationary" else {})))
    tracker = Tracker(family_of)
    for passed_s, gap_s, found in seen:
        run.now_s += passed_s - run.step_s
        sightings = tracker.follow(found, run.now_s)
        assert len(sightings) == len({each.track for each in sightings}) == len(found)
        for violation in run.look(*sightings, gap_s=gap_s):
            assert violation.objects
            assert all(clause.holds == (clause.measured >= clause.threshold) for clause in violation.clauses)
        if rule == "stationary":
            assert len(places_of(run.state)) <= MOST_PLACES
        else:
            assert len(run.state.stays) <= MOST_STAYS
        assert run.rule.is_waiting(run.state) or not run.broken[-1][1]


def test_hundreds_of_false_boxes_in_every_picture_neither_fill_the_memory_nor_drive_out_a_vehicle() -> None:
    dice = random.Random(2)
    run = Script(make_rule("stationary", dwell_s=20))
    sizes = []
    for number in range(LOOKS):
        run.look(*storm(dice, number, "car"), *([see(SPOT)] if number % 4 else []))
        sizes.append(len(places_of(run.state)))
    assert max(sizes) == MOST_PLACES
    (violation,) = [each for each in run.broken[-1][1] if each.place == SPOT]
    assert violation.lasted_s == pytest.approx((LOOKS - 2) * run.step_s)


def test_broken_places_are_never_driven_out() -> None:
    dice = random.Random(3)
    run = Script(make_rule("stationary", dwell_s=20, close_after_s=15))
    run.during(25, lambda _: [see(SPOT)])
    for number in range(20):
        run.look(*storm(dice, number, "car"))
    assert SPOT in [place.box for place in places_of(run.state) if place.broken]
    assert len(run.look(see(SPOT))) == 1


def test_votes_know_no_more_classes_than_the_rule_counts() -> None:
    dice = random.Random(4)
    run = Script(make_rule("stationary", dwell_s=20, classes=("car", "truck")))
    run.during(60, lambda _: [see(SPOT, dice.choice(["car", "truck", "car", "truck", "boat"]))])
    assert {name for place in places_of(run.state) for name in place.votes.scores} == {"car", "truck"}


def test_a_crowd_of_shadows_neither_fills_the_memory_nor_drives_out_a_person() -> None:
    dice = random.Random(5)
    run = Script(make_rule("intrusion", min_s=20))
    for number in range(LOOKS):
        run.look(*storm(dice, number, "person"), see(SPOT, "person"))
        assert isinstance(run.state, Occupancy)
        assert len(run.state.stays) <= MOST_STAYS
    assert run.first_broken_s is not None


def test_the_tracker_follows_so_many_and_hardly_loses_the_one_that_was_there() -> None:
    dice = random.Random(6)
    tracker = Tracker(family_of)
    real: Finding = ("car", 0.8, SPOT)
    numbers = set()
    for number in range(LOOKS):
        found = [(each.class_name, each.score, each.box) for each in storm(dice, number, "car")]
        numbers.add(tracker.follow([*found, real], number / 2)[-1].track)
        assert len(tracker._tracks) <= MOST_TRACKS
    assert len(numbers) <= 3
