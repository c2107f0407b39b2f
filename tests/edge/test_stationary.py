import random

import pytest

from edge.boxes import Box
from edge.rules.base import Standing
from edge.zones import Zone
from tests.edge.parts import CAR, VAN, Script, in_shares, make_rule, see

CAR_BOX, VAN_BOX = in_shares(CAR), in_shares(VAN)
SPOT = Box(0.4, 0.4, 0.5, 0.5)


def script(dwell_s: float = 20, **more: float) -> Script:
    return Script(make_rule("stationary", dwell_s=dwell_s, **more))


def test_a_standing_car_is_a_violation_once_the_time_is_up_and_not_before() -> None:
    run = script()
    run.during(30, lambda _: [see(SPOT)])
    assert run.first_broken_s == 20


def test_the_violation_proves_itself_with_measured_values_and_thresholds() -> None:
    run = script()
    (violation,) = run.during(21, lambda _: [see(SPOT)])
    facts = {clause.name: (clause.measured, clause.threshold, clause.unit) for clause in violation.clauses}
    assert facts == {
        "vehicle_in_zone": (1000, 500, "permille"),
        "standing_time": (20_500, 20_000, "ms"),
        "seen_share": (1000, 600, "permille"),
    }
    assert all(clause.holds for clause in violation.clauses)


def test_jitter_class_flicker_and_new_track_numbers_do_not_matter() -> None:
    dice = random.Random(7)
    run = script()

    def wobbly(number: int) -> list:
        box = Box(*(value + dice.uniform(-0.006, 0.006) for value in SPOT))
        return [see(box, dice.choice(["car", "truck"]), track=number)]

    last = run.during(40, wobbly)
    assert run.first_broken_s == 20
    assert len(last) == 1
    assert all(len(violations) == 1 for at, violations in run.broken if at >= 20)


@pytest.mark.parametrize(("hidden_s", "first_s"), [(4, 20), (5, 20), (7, 37)])
def test_dwell_tolerates_five_seconds_unseen_and_starts_again_after_more(hidden_s: float, first_s: float) -> None:
    run = script()
    run.during(10, lambda _: [see(SPOT)])
    run.during(hidden_s - run.step_s, lambda _: [])
    run.during(40, lambda _: [see(SPOT)])
    assert run.first_broken_s == pytest.approx(first_s, abs=run.step_s)


@pytest.mark.parametrize("crossing_s", [4, 10, 20, 40])
def test_a_vehicle_that_drives_slowly_through_the_zone_does_not_accumulate(crossing_s: float) -> None:
    run = script(dwell_s=20)
    looks = crossing_s / run.step_s
    run.during(crossing_s, lambda number: [see(Box(0.0, 0.4, 0.1, 0.5).moved(0.9 * number / looks, 0))])
    assert run.first_broken_s is None


def test_dense_traffic_over_one_place_is_not_a_standing_vehicle() -> None:
    run = script(dwell_s=20)
    run.step_s = 1 / 3
    dice = random.Random(3)
    offsets = [dice.uniform(0, 0.5) for _ in range(60)]

    def traffic(number: int) -> list:
        # A car every 2.5 s at 0.3 widths of the picture per second: some car covers each place now and then.
        now_s = number / 3
        cars = [0.3 * (now_s - 2.5 * at - offsets[at]) for at in range(60)]
        return [see(Box(x, 0.4, x + 0.15, 0.5), track=at) for at, x in enumerate(cars) if 0 <= x <= 0.85]

    run.during(120, traffic)
    assert run.first_broken_s is None


def test_two_vehicles_parked_side_by_side_stay_two() -> None:
    run = script()
    last = run.during(25, lambda _: [see(VAN_BOX, "truck"), see(CAR_BOX, "car", track=2)])
    assert len(last) == 2
    assert {violation.objects[0].class_name for violation in last} == {"truck", "car"}


def test_a_half_hidden_vehicle_is_the_same_vehicle() -> None:
    run = script()
    half = Box(SPOT.left, SPOT.top, SPOT.left + 0.4 * SPOT.width, SPOT.bottom)
    run.during(30, lambda _: [see(SPOT)])
    run.during(60, lambda _: [see(half)])
    last = run.during(10, lambda _: [see(SPOT)])
    assert {len(violations) for at, violations in run.broken if at >= 20} == {1}
    assert len(last) == 1


def test_the_class_is_the_one_it_was_taken_for_most() -> None:
    run = script()
    (violation,) = run.during(25, lambda number: [see(SPOT, "car" if number % 5 == 0 else "truck")])
    assert violation.objects[0].class_name == "truck"


@pytest.mark.parametrize(
    ("box", "counts"),
    [
        (Box(0.40, 0.40, 0.50, 0.50), True),
        (Box(0.40, 0.20, 0.50, 0.40), False),  # stands above the zone
        (Box(0.40, 0.30, 0.50, 0.50), True),  # a tall one: its wheels are in
        (Box(0.70, 0.40, 0.80, 0.50), False),
    ],
)
def test_a_vehicle_counts_where_its_wheels_are(box: Box, counts: bool) -> None:
    zone = Zone("kerb", [(0.3, 0.42), (0.6, 0.42), (0.6, 0.6), (0.3, 0.6)])
    run = Script(make_rule("stationary", zone, dwell_s=5))
    run.during(10, lambda _: [see(box)])
    assert (run.first_broken_s is not None) is counts


def test_people_are_no_vehicles() -> None:
    run = script(dwell_s=5)
    run.during(10, lambda _: [see(SPOT, "person")])
    assert run.first_broken_s is None


def test_a_gap_in_the_stream_breaks_a_dwell_that_was_not_yet_too_long() -> None:
    run = script()
    run.during(15, lambda _: [see(SPOT)])
    run.look(see(SPOT), gap_s=30)
    run.during(19, lambda _: [see(SPOT)])
    assert run.first_broken_s is None


def test_a_gap_in_the_stream_does_not_end_a_violation() -> None:
    run = script()
    run.during(25, lambda _: [see(SPOT)])
    assert len(run.look(see(SPOT), gap_s=3600)) == 1


def test_a_new_run_continues_an_open_incident_at_the_first_sighting() -> None:
    rule = make_rule("stationary", dwell_s=20)
    run = Script(rule, state=rule.start((Standing(place=SPOT, lasted_s=65, class_name="truck"),)))
    (violation,) = run.look(see(SPOT, "car"))
    assert violation.place == SPOT
    assert violation.lasted_s == 65


def test_the_same_input_gives_the_same_answer_and_leaves_the_old_state_alone() -> None:
    run = script()
    run.during(25, lambda _: [see(SPOT)])
    before = run.state
    first, second = Script(run.rule, state=before, now_s=25), Script(run.rule, state=before, now_s=25)
    assert first.look(see(SPOT)) == second.look(see(SPOT))
    assert first.state == second.state
    assert run.state is before
