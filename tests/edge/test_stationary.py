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


BUS = Box(0.30, 0.15, 0.62, 0.62)
"""It drives in the lane before the spot and covers it wholly."""


def test_a_bus_that_waits_before_it_for_twenty_seconds_does_not_restart_the_clock() -> None:
    run = script(dwell_s=40)
    run.during(15, lambda _: [see(SPOT)])
    run.during(20, lambda _: [see(BUS, "bus", track=9)])
    run.during(40, lambda _: [see(SPOT, track=2)])
    # Seen in 60 % of the time that it stood: 30 of 50 seconds.
    assert run.first_broken_s == pytest.approx(50, abs=run.step_s)


def test_a_bus_before_a_vehicle_that_stood_too_long_keeps_its_incident_open() -> None:
    run = script(dwell_s=20, close_after_s=15)
    run.during(25, lambda _: [see(SPOT)])
    run.during(60, lambda _: [see(BUS, "bus", track=9)])
    hidden = [each for at, found in run.broken if 25 <= at < 85 for each in found if each.place == SPOT]
    assert len(hidden) == 120
    assert {each.unseen_s for each in hidden} == {0.0}
    (again,) = [each for each in run.look(see(SPOT, track=2)) if each.place == SPOT]
    assert (again.unseen_s, again.lasted_s) == (None, 85)


def test_who_left_is_said_to_be_unseen_until_the_incident_may_close() -> None:
    run = script(dwell_s=20, close_after_s=15)
    run.during(25, lambda _: [see(SPOT)])
    run.during(20, lambda _: [])
    unseen = [(at, violations[0].unseen_s) for at, violations in run.broken if at >= 25 and violations]
    assert unseen[0] == (25, 0.5)
    assert unseen[-1] == (39, 14.5)
    assert not run.rule.is_waiting(run.state)


def test_what_shows_of_a_vehicle_beside_the_bus_that_hides_it_is_no_second_vehicle() -> None:
    run = script(dwell_s=20)
    sliver = Box(SPOT.left + 0.8 * SPOT.width, SPOT.top, SPOT.right, SPOT.bottom)
    before = Box(0.25, 0.2, 0.48, 0.6)
    run.during(25, lambda _: [see(SPOT)])
    run.during(40, lambda _: [see(before, "person", track=9), see(sliver, track=3)])
    assert {len(violations) for at, violations in run.broken if at >= 20} == {1}


NEIGHBOUR = SPOT.moved(SPOT.width * 0.95, 0)
BOTH = Box(SPOT.left, SPOT.top, NEIGHBOUR.right, SPOT.bottom)


def test_two_bumper_to_bumper_whose_boxes_run_together_for_a_minute_stay_two() -> None:
    run = script(dwell_s=20)
    run.during(15, lambda _: [see(SPOT), see(NEIGHBOUR, track=2)])
    run.during(60, lambda _: [see(BOTH, "truck", track=3)])
    last = run.during(10, lambda _: [see(NEIGHBOUR, track=5), see(SPOT, track=4)])
    assert {len(violations) for at, violations in run.broken if at > 20} == {2}
    assert [violation.lasted_s for violation in last] == [84.5, 84.5]


def test_what_looked_like_one_and_turns_out_to_be_two_is_two() -> None:
    run = script(dwell_s=20)
    run.during(30, lambda _: [see(BOTH, "truck")])
    last = run.during(30, lambda _: [see(SPOT), see(NEIGHBOUR, track=2)])
    assert len(last) == 2


def moving_up(run: Script, slots: int = 8) -> None:
    """The vehicle at the spot drives one length and a third ahead, the next one takes its place behind it."""
    for step in range(1, slots + 1):
        way = 1.4 * SPOT.width * step / slots
        run.look(see(SPOT.moved(way, 0), track=1), see(SPOT.moved(way - 1.4 * SPOT.width, 0), track=2))


@pytest.mark.parametrize("stood_s", [15, 40])
def test_a_vehicle_that_takes_the_place_of_one_seen_to_leave_has_a_clock_of_its_own(stood_s: float) -> None:
    run = script(dwell_s=20)
    run.during(stood_s, lambda _: [see(SPOT, track=1)])
    moving_up(run)
    arrived_s = run.now_s
    run.during(25, lambda _: [see(SPOT, track=2)])
    seen = [at for at, found in run.broken if at >= arrived_s for each in found if each.unseen_s is None]
    assert seen[0] == pytest.approx(arrived_s + 20, abs=2)


def test_a_queue_that_moves_up_a_slot_now_and_then_is_no_standing_vehicle() -> None:
    run = script(dwell_s=30)
    for car in range(12):
        run.during(12, lambda _, car=car: [see(SPOT, track=car)])
        for step in range(1, 9):
            way = 1.4 * SPOT.width * step / 8
            run.look(see(SPOT.moved(way, 0), track=car), see(SPOT.moved(way - 1.4 * SPOT.width, 0), track=car + 1))
    assert run.first_broken_s is None


def test_without_evidence_of_another_vehicle_the_clock_goes_on() -> None:
    run = script(dwell_s=20)
    run.during(15, lambda _: [see(SPOT, "car", track=1)])
    run.during(1, lambda _: [])
    run.during(10, lambda _: [see(SPOT, "truck", track=2)])
    assert run.first_broken_s == 20


def test_a_passer_by_that_runs_away_with_the_number_does_not_take_the_clock_along() -> None:
    run = script(dwell_s=20)
    run.during(12, lambda _: [see(SPOT, track=1)])
    run.look(see(SPOT.moved(0.06, 0.02), track=1))
    run.during(15, lambda number: [see(SPOT, track=7), see(SPOT.moved(0.08 + 0.02 * number, 0.02), track=1)])
    assert run.first_broken_s == 20


@pytest.mark.parametrize("share", [0.05, 0.15])
def test_a_camera_that_shakes_in_the_wind_sees_one_vehicle(share: float) -> None:
    dice = random.Random(11)
    run = script(dwell_s=20)

    def shaken(_: int) -> list:
        return [see(SPOT.moved(dice.uniform(-share, share) * SPOT.width, dice.uniform(-share, share) * SPOT.height))]

    run.during(60, shaken)
    assert run.first_broken_s == 20
    assert {len(violations) for at, violations in run.broken if at >= 20} == {1}


def test_scores_that_flicker_with_gaps_do_not_restart_the_clock() -> None:
    dice = random.Random(5)
    run = script(dwell_s=20)
    run.during(60, lambda _: [see(SPOT, score=0.26)] if dice.random() < 0.75 else [])
    assert run.first_broken_s == pytest.approx(20, abs=2)
    assert {len(violations) for at, violations in run.broken if at >= 23} == {1}


def test_false_boxes_that_flicker_at_one_spot_are_no_vehicle() -> None:
    run = script(dwell_s=20)
    run.during(600, lambda number: [see(SPOT)] if number % 3 == 0 else [])
    assert run.first_broken_s is None


def test_a_van_that_parks_where_traffic_was_dense_is_found_in_time() -> None:
    run = script(dwell_s=60)
    run.during(1800, lambda number: [see(SPOT, track=number)] if number % 5 < 2 else [])
    assert run.first_broken_s is None
    run.during(150, lambda _: [see(SPOT)])
    # A few seconds of the traffic may count as part of its stay, or of its stay as part of the traffic.
    assert 1840 <= run.first_broken_s <= 1870


def irregular(run: Script, *looks: tuple[float, bool]) -> None:
    """Looks so many seconds after each other, at which the vehicle was found or not."""
    for passed_s, is_found in looks:
        run.now_s += passed_s - run.step_s
        run.look(*([see(SPOT)] if is_found else []))


def test_one_missed_look_after_a_minute_of_vouched_sleep_forgets_nothing() -> None:
    run = script(dwell_s=100)
    run.during(6, lambda _: [see(SPOT)])
    irregular(run, (60, False), (0.3, True), (60, True))
    assert run.first_broken_s == pytest.approx(126, abs=1)


@pytest.mark.parametrize(
    ("missed", "forgotten"),
    [([60], False), ([60, 60], False), ([60, 2, 2], True), ([0.3] * 16, False), ([0.3] * 17, True), ([2, 2, 2], True)],
)
def test_what_is_looked_for_in_vain_is_forgotten_whatever_the_rhythm(missed: list[float], forgotten: bool) -> None:
    run = script(dwell_s=500)
    run.during(60, lambda _: [see(SPOT)])
    irregular(run, *((passed_s, False) for passed_s in missed))
    assert run.rule.is_waiting(run.state) is not forgotten


def test_many_fast_looks_weigh_no_more_than_the_time_they_take() -> None:
    run = script(dwell_s=40)
    irregular(run, *[(2, True)] * 16, *[(0.1, False)] * 40, *[(2, True)] * 4)
    # By number of looks it was seen in a third of them; by time in nine tenths.
    assert run.first_broken_s is not None
    share = run.broken[-1][1][0].clauses[2]
    assert (share.name, share.holds, share.measured > 850) == ("seen_share", True, True)


def test_a_rule_waits_while_a_vehicle_stands_and_until_it_is_forgotten() -> None:
    run = script(dwell_s=5)
    waits, doubts = [], []
    for looks, sightings in [(1, []), (1, [see(SPOT)]), (14, [see(SPOT)]), (5, []), (60, [])]:
        run.during(looks * run.step_s, lambda _, seen=sightings: seen)
        waits.append(run.rule.is_waiting(run.state))
        doubts.append(run.rule.is_undecided(run.state))
    assert waits == [False, True, True, True, False]
    assert doubts == [False, True, False, True, False]
