from datetime import UTC, datetime

import pytest

from edge.boxes import Box
from edge.rules import RULES
from edge.rules.base import Standing
from edge.schedule import Day, Schedule, Span
from edge.zones import Zone
from tests.edge.parts import Script, make_rule, see

PLOT = Zone("plot", [(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)])
INSIDE = Box(0.40, 0.45, 0.45, 0.70)
ELSEWHERE = Box(0.60, 0.45, 0.65, 0.70)
ON_THE_ROAD = Box(0.40, 0.20, 0.45, 0.49)


def script(**parameters: float) -> Script:
    return Script(make_rule("intrusion", PLOT, **parameters))


def person(box: Box, track: int = 1) -> object:
    return see(box, "person", track=track)


def test_somebody_on_the_plot_is_an_intrusion_after_the_minimum_time() -> None:
    run = script(min_s=1)
    run.during(5, lambda _: [person(INSIDE)])
    assert run.first_broken_s == 1


def test_somebody_whose_head_is_before_the_plot_but_whose_feet_are_on_the_road_is_not() -> None:
    run = Script(make_rule("intrusion", Zone("p", [(0, 0), (1, 0), (1, 0.4), (0, 0.4)])))
    run.during(10, lambda _: [person(ON_THE_ROAD)])
    assert run.first_broken_s is None


def test_one_sighting_is_none_even_without_a_minimum_time() -> None:
    run = script(min_s=0)
    assert not run.look(person(INSIDE))
    run.during(10, lambda _: [])
    assert run.first_broken_s is None
    assert not run.look(person(INSIDE, track=2))
    assert run.look(person(INSIDE, track=2))


def test_different_shadows_now_and_then_do_not_add_up() -> None:
    run = script(min_s=1)
    run.during(60, lambda number: [person(INSIDE, track=number)] if number % 3 == 0 else [])
    assert run.first_broken_s is None


def test_everybody_inside_is_counted_and_nobody_outside() -> None:
    run = script(min_s=1)
    everybody = [person(INSIDE, 1), person(ELSEWHERE, 2), person(ON_THE_ROAD, 3)]
    (violation,) = run.during(5, lambda _: everybody)
    assert {each.track for each in violation.objects} == {1, 2}
    facts = {clause.name: (clause.measured, clause.threshold) for clause in violation.clauses}
    assert facts == {"person_in_zone": (2, 1), "time_inside": (4500, 1000), "persons": (2, 1)}


def test_who_comes_and_goes_keeps_one_occupancy() -> None:
    run = script(min_s=1, close_after_s=5)
    run.during(5, lambda _: [person(INSIDE, 1)])
    run.during(4, lambda _: [])
    run.during(5, lambda _: [person(ELSEWHERE, 2)])
    assert run.broken[-1][1][0].lasted_s == pytest.approx(13.5)


def test_an_empty_zone_is_forgotten_after_its_time() -> None:
    run = script(min_s=1, close_after_s=5)
    run.during(5, lambda _: [person(INSIDE, 1)])
    run.during(6, lambda _: [])
    again = run.during(3, lambda _: [person(INSIDE, 2)])
    assert again[0].lasted_s == pytest.approx(2.5)


def test_a_new_run_continues_at_once_with_whoever_is_still_there() -> None:
    rule = make_rule("intrusion", PLOT, min_s=60)
    run = Script(rule, state=rule.start((Standing(place=None, lasted_s=90, class_name="person"),)))
    run.look(person(INSIDE))
    (violation,) = run.look(person(INSIDE))
    assert violation.lasted_s == pytest.approx(90.5)


def test_outside_the_guarded_hours_nothing_is_broken_and_inside_the_clause_says_so() -> None:
    night = Schedule((Span(frozenset(Day), 22 * 60, 6 * 60),), UTC)
    kind = RULES["intrusion"]
    run = Script(kind(PLOT, kind.parameters_type(min_s=1), night))
    day, dark = datetime(2026, 4, 5, 12, tzinfo=UTC), datetime(2026, 4, 5, 23, tzinfo=UTC)
    for _ in range(10):
        assert not run.look(person(INSIDE), utc=day)
    found = [run.look(person(INSIDE), utc=dark) for _ in range(5)]
    assert not found[1]  # what was seen by day does not count for the night
    assert found[-1][0].clauses[-1].name == "within_schedule"


@pytest.mark.parametrize(("share", "broken"), [(0.6, True), (0.4, False)])
def test_presence_asks_how_much_of_the_box_is_inside(share: float, broken: bool) -> None:
    box = Box(0.4, 0.5 - (1 - share) * 0.4, 0.5, 0.5 + share * 0.4)
    run = Script(make_rule("presence", PLOT, min_s=1, in_zone_share=0.5))
    run.during(5, lambda _: [person(box)])
    assert (run.first_broken_s is not None) is broken
    if broken:
        clause = run.broken[-1][1][0].clauses[0]
        assert (clause.name, clause.measured, clause.threshold) == ("overlap", 600, 500)


LORRY = Box(0.30, 0.20, 0.60, 0.90)
"""It passes between the camera and the plot."""


def test_a_number_that_switches_at_each_look_does_not_restart_anybodys_clock() -> None:
    run = script(min_s=20)
    run.during(25, lambda number: [person(INSIDE, track=number)])
    assert run.first_broken_s == 20


def test_somebody_who_crosses_before_them_and_runs_away_with_their_number_does_not_take_their_clock() -> None:
    run = script(min_s=20)

    def crossing(number: int) -> list:
        walker = INSIDE.moved(0.02 * (number - 20), 0.03)
        mine, theirs = (1, 2) if number < 20 else (2, 1)
        return [person(INSIDE, mine), person(walker, theirs)]

    run.during(15, crossing)
    run.during(10, lambda _: [person(INSIDE, 2), person(ON_THE_ROAD, 1)])
    assert run.first_broken_s == 20


@pytest.mark.parametrize("hides", ["a lorry", "nothing: it was missed"])
def test_who_is_lost_for_four_seconds_and_found_again_as_somebody_else_goes_on(hides: str) -> None:
    run = script(min_s=30)
    run.during(12, lambda _: [person(INSIDE, 1)])
    run.during(4, lambda _: [see(LORRY, "truck", track=9)] if hides == "a lorry" else [])
    run.during(20, lambda _: [person(INSIDE.moved(0.02, 0), 2)])
    assert run.first_broken_s == 30


def test_who_is_hidden_by_a_waiting_lorry_for_twenty_seconds_is_still_there() -> None:
    run = script(min_s=1, close_after_s=5)
    run.during(10, lambda _: [person(INSIDE, 1)])
    run.during(20, lambda _: [see(LORRY, "truck", track=9)])
    run.during(5, lambda _: [person(INSIDE, 2)])
    later = [violations for at, violations in run.broken if at >= 1]
    assert {len(violations) for violations in later} == {1}
    assert {violation.unseen_s for violations in later for violation in violations} == {None, 0.0}
    assert later[-1][0].lasted_s == pytest.approx(34.5)


def test_what_stands_behind_somebody_does_not_hide_them() -> None:
    run = script(min_s=1, close_after_s=5)
    behind = Box(0.30, 0.10, 0.60, 0.60)
    run.during(10, lambda _: [person(INSIDE, 1)])
    run.during(8, lambda _: [see(behind, "truck", track=9)])
    assert not run.rule.is_waiting(run.state)


@pytest.mark.parametrize("same_number", [True, False])
def test_a_shadow_taken_for_a_person_in_every_third_picture_raises_no_alarm_and_no_count(same_number: bool) -> None:
    run = script(min_s=1)
    run.during(120, lambda number: [person(INSIDE, 1 if same_number else number)] if number % 3 == 0 else [])
    assert run.first_broken_s is None
    last = run.during(
        30, lambda number: [person(ELSEWHERE, 500), *([person(INSIDE, 600 + number)] if number % 3 == 0 else [])]
    )
    assert {len(violation.objects) for at, found in run.broken for violation in found} == {1}
    assert len(last) == 1


def test_somebody_seen_in_half_of_the_pictures_is_somebody() -> None:
    run = script(min_s=5)
    run.during(10, lambda number: [person(INSIDE, number)] if number % 2 == 0 else [])
    assert run.first_broken_s == 5


def test_who_is_seen_to_step_out_does_not_leave_their_clock_to_the_next() -> None:
    run = script(min_s=10)
    run.during(8, lambda _: [person(INSIDE, 1)])
    run.during(2, lambda _: [person(ON_THE_ROAD.moved(0.1, 0), 1)])
    run.during(12, lambda _: [person(ON_THE_ROAD.moved(0.1, 0), 1), person(INSIDE.moved(0.03, 0), 2)])
    assert run.first_broken_s == 20


def test_two_who_run_together_into_one_box_are_two_again_afterwards() -> None:
    run = script(min_s=20)
    beside = INSIDE.moved(0.04, 0)
    both = Box(INSIDE.left, INSIDE.top, beside.right, beside.bottom)
    run.during(10, lambda _: [person(INSIDE, 1), person(beside, 2)])
    run.during(6, lambda _: [person(both, 3)])
    (violation,) = run.during(5, lambda _: [person(INSIDE, 4), person(beside, 5)])
    assert run.first_broken_s == 20
    assert len(violation.objects) == 2


def test_one_missed_look_after_a_minute_of_vouched_sleep_forgets_nobody() -> None:
    run = script(min_s=100, close_after_s=5)
    run.during(6, lambda _: [person(INSIDE, 1)])
    for passed_s, is_found in [(60, False), (0.3, True), (60, True)]:
        run.now_s += passed_s - run.step_s
        run.look(*([person(INSIDE, 2)] if is_found else []))
    assert run.first_broken_s == pytest.approx(126, abs=1)
    run.now_s += 60
    (violation,) = run.look()
    assert violation.unseen_s == 2


def test_a_rule_waits_while_somebody_is_inside_and_until_the_zone_was_empty_for_its_time() -> None:
    run = script(min_s=3, unseen_s=1, close_after_s=5)
    waits, doubts = [], []
    for looks, sightings in [
        (1, [person(ON_THE_ROAD)]), (2, [person(INSIDE)]), (3, []), (10, [person(INSIDE)]), (9, []), (2, []),
    ]:  # fmt: skip
        run.during(looks * run.step_s, lambda _, seen=sightings: seen)
        waits.append(run.rule.is_waiting(run.state))
        doubts.append(run.rule.is_undecided(run.state))
    assert waits == [False, True, False, True, True, False]
    assert doubts == [False, True, False, False, True, False]
