import pytest

from edge.boxes import Box
from edge.tracking import Finding, Tracker
from tests.edge.parts import family_of


def person(x: float, y: float = 0.5) -> Finding:
    return ("person", 0.9, Box(x - 0.025, y - 0.1, x + 0.025, y + 0.1))


def numbers(tracker: Tracker, looks: list[list[Finding]], step_s: float) -> list[list[int]]:
    return [[each.track for each in tracker.follow(look, at * step_s)] for at, look in enumerate(looks)]


@pytest.mark.parametrize("looks_per_s", [2, 3, 5, 10])
@pytest.mark.parametrize("speed", [0.0, 0.02, 0.08])
def test_a_walker_keeps_one_number_at_every_rate(looks_per_s: int, speed: float) -> None:
    looks = [[person(0.1 + speed * at / looks_per_s)] for at in range(10 * looks_per_s)]
    assert {number for look in numbers(Tracker(), looks, 1 / looks_per_s) for number in look} == {1}


def test_two_people_who_pass_each_other_keep_their_numbers() -> None:
    looks = [[person(0.3 + 0.02 * at, 0.5), person(0.7 - 0.02 * at, 0.54)] for at in range(20)]
    assert set(map(tuple, numbers(Tracker(), looks, 0.25))) == {(1, 2)}


def test_a_van_that_is_car_and_truck_by_turns_is_one_object() -> None:
    looks = [[(name, 0.7, Box(0.8, 0.1, 0.9, 0.2))] for name in ("car", "truck", "car", "bus")]
    assert {n for look in numbers(Tracker(family_of), looks, 0.3) for n in look} == {1}


def test_a_person_and_a_car_at_one_place_are_two() -> None:
    box = Box(0.8, 0.1, 0.9, 0.2)
    assert numbers(Tracker(family_of), [[("car", 0.7, box)], [("person", 0.7, box)]], 0.3) == [[1], [2]]


@pytest.mark.parametrize(("pause_s", "same"), [(1.5, True), (2.5, False)])
def test_who_is_hidden_for_a_moment_is_recognised_again(pause_s: float, same: bool) -> None:
    tracker = Tracker()
    (before,) = tracker.follow([person(0.5)], 0.0)
    tracker.follow([], 0.5)
    (after,) = tracker.follow([person(0.5)], pause_s)
    assert (before.track == after.track) is same


def test_a_long_vouched_sleep_keeps_the_numbers_of_what_stood_there() -> None:
    tracker = Tracker()
    for now_s in (0, 0.3, 60.3, 120.3):
        assert [each.track for each in tracker.follow([person(0.3), person(0.6)], now_s)] == [1, 2]


def test_a_newcomer_beside_somebody_who_stands_gets_a_number_of_their_own() -> None:
    tracker = Tracker()
    numbers(tracker, [[person(0.5)]] * 5, 0.5)
    beside = tracker.follow([person(0.57), person(0.50)], 2.5)
    assert [each.track for each in beside] == [2, 1]


def test_someone_far_away_is_somebody_else() -> None:
    assert numbers(Tracker(), [[person(0.1)], [person(0.9)]], 0.5) == [[1], [2]]


def test_an_empty_box_harms_nobody() -> None:
    nothing: Finding = ("person", 0.3, Box(0.5, 0.5, 0.5, 0.5))
    assert numbers(Tracker(), [[nothing], [nothing]], 0.5) == [[1], [2]]
