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
