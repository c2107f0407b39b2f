from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.messages import Clause, Phase
from edge.boxes import Box
from edge.incidents import Change, Incident, Key, Moment, fold, told
from edge.rules.base import Sighting, Violation
from tests.edge.parts import NOON

KEY = Key("cam-1", "parking", "zone", "street.illegal_parking")
HERE, THERE = Box(0.1, 0.1, 0.2, 0.2), Box(0.5, 0.5, 0.6, 0.6)
CLAUSE = Clause(name="standing_time", holds=True, measured=20_000, threshold=20_000, unit="ms")


def violation(place: Box | None, *, count: int = 1, class_name: str = "car", lasted_s: float = 20) -> Violation:
    objects = tuple(Sighting(number, class_name, 0.8, place or HERE) for number in range(count))
    return Violation(objects=objects, clauses=(CLAUSE,), place=place, lasted_s=lasted_s, since_stream_s=0)


@dataclass
class Ledger:
    """Folds look after look as the recorder does, with a disk that always has room."""

    open: tuple[Incident, ...] = ()
    told: list[tuple[str, int, str]] = field(default_factory=list)
    ids: int = 0

    def new_id(self) -> str:
        self.ids += 1
        return f"i-{self.ids}"

    def look(
        self, watched_s: float, *violations: Violation, gap_s: float = 0.0, year: int = NOON.year
    ) -> Sequence[Change]:
        moment = Moment(watched_s, gap_s, NOON.replace(year=year) + timedelta(seconds=watched_s), watched_s)
        changes = fold(
            self.open, violations, moment, key=KEY, frame_px=(640, 480), close_after_s=15, new_id=self.new_id
        )
        kept = []
        for change in changes:
            if change.phase:
                after = told(change, moment)
                self.told.append((after.id, after.told.revision, change.phase.value))
                if change.phase is not Phase.CLOSED:
                    kept.append(after)
            else:
                kept.append(change.incident)
        self.open = tuple(kept)
        return changes


def test_a_violation_that_lasts_is_one_incident_opened_once() -> None:
    ledger = Ledger()
    for number in range(100):
        ledger.look(number / 3, violation(HERE))
    assert ledger.told == [("i-1", 1, "opened")]


def test_two_places_are_two_incidents() -> None:
    ledger = Ledger()
    for number in range(10):
        ledger.look(number, violation(HERE), violation(THERE))
    assert ledger.told == [("i-1", 1, "opened"), ("i-2", 1, "opened")]


def test_an_incident_closes_when_it_was_not_seen_for_its_time_and_says_how_long() -> None:
    ledger = Ledger()
    ledger.look(0, violation(HERE))
    ledger.look(14.9)
    assert len(ledger.open) == 1
    (change,) = ledger.look(15)
    assert (change.phase, change.unseen_s) == (Phase.CLOSED, 15)
    assert ledger.open == ()


def test_what_comes_back_after_closing_is_a_new_incident() -> None:
    ledger = Ledger()
    for at in (0, 20, 21):
        ledger.look(at, *([violation(HERE)] if at != 20 else []))
    assert [phase for *_, phase in ledger.told] == ["opened", "closed", "opened"]
    assert ledger.open[0].id == "i-2"


def test_more_people_are_an_update_and_fewer_are_none() -> None:
    ledger = Ledger()
    for at, count in [(0, 1), (1, 2), (3, 2), (5, 1), (8, 2), (10, 3), (20, 1)]:
        ledger.look(at, violation(None, count=count))
    assert ledger.told == [("i-1", 1, "opened"), ("i-1", 2, "updated"), ("i-1", 3, "updated")]


def test_a_settled_class_is_an_update_but_not_at_once() -> None:
    ledger = Ledger()
    ledger.look(0, violation(HERE, class_name="car"))
    ledger.look(5, violation(HERE, class_name="truck"))
    assert len(ledger.told) == 1
    ledger.look(10, violation(HERE, class_name="truck"))
    ledger.look(30, violation(HERE, class_name="truck"))
    assert ledger.told[1:] == [("i-1", 2, "updated")]


def test_what_goes_on_for_long_is_said_every_ten_minutes() -> None:
    ledger = Ledger()
    for minute in range(25):
        ledger.look(minute * 60, violation(HERE))
    assert [phase for *_, phase in ledger.told] == ["opened", "updated", "updated"]


def test_a_gap_in_the_stream_is_added_up_and_reported() -> None:
    ledger = Ledger()
    ledger.look(0, violation(HERE))
    ledger.look(3, violation(HERE), gap_s=60)
    assert ledger.told[-1] == ("i-1", 2, "updated")
    assert ledger.open[0].told.unobserved_s == 60


def test_after_a_restart_the_incident_goes_on_with_the_time_the_box_was_off() -> None:
    ledger = Ledger()
    ledger.look(0, violation(HERE))
    before = ledger.open[0]
    ledger.open = (before.carried_over(),)
    ledger.look(40, violation(HERE))
    assert ledger.told[-1] == ("i-1", 2, "updated")
    assert ledger.open[0].unobserved_s == 40


@pytest.mark.parametrize(
    ("before", "after", "off_s"),
    [(1970, 2026, 0), (2026, 1970, 0), (1970, 1970, 0), (2026, 2026, 40)],
    ids=["set meanwhile", "lost meanwhile", "never set", "always set"],
)
def test_only_clocks_that_were_set_say_how_long_the_box_was_off(before: int, after: int, off_s: float) -> None:
    ledger = Ledger()
    ledger.look(0, violation(HERE), year=before)
    ledger.open = (ledger.open[0].carried_over(),)
    ledger.look(40, violation(HERE), year=after)
    assert ledger.open[0].unobserved_s == off_s


def test_what_could_not_be_told_before_it_ended_is_marked_as_lost() -> None:
    moment = Moment(0, 0, NOON, 0)
    opened = fold((), [violation(HERE)], moment, key=KEY, frame_px=(1, 1), close_after_s=15, new_id=lambda: "i")
    later = Moment(20, 0, NOON, 20)
    (change,) = fold([opened[0].incident], [], later, key=KEY, frame_px=(1, 1), close_after_s=15, new_id=lambda: "i")
    assert change.is_lost
    assert change.phase is None


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.1, 12)), max_size=60))
def test_whatever_is_seen_each_incident_opens_once_closes_at_most_once_and_counts_its_revisions(
    looks: list[tuple[bool, bool, float]],
) -> None:
    ledger, now_s = Ledger(), 0.0
    for here, there, step_s in looks:
        now_s += step_s
        ledger.look(now_s, *([violation(HERE)] if here else []), *([violation(THERE)] if there else []))
    for incident in {name for name, *_ in ledger.told}:
        story = [(revision, phase) for name, revision, phase in ledger.told if name == incident]
        assert [revision for revision, _ in story] == list(range(1, len(story) + 1))
        assert story[0][1] == "opened"
        assert [phase for _, phase in story].count("opened") == 1
        assert "closed" not in [phase for _, phase in story[:-1]]
    assert len(ledger.open) <= 2


def believed(unseen_s: float) -> Violation:
    return replace(violation(HERE), unseen_s=unseen_s)


def test_what_is_only_believed_to_go_on_opens_nothing() -> None:
    ledger = Ledger()
    assert ledger.look(0, believed(0)) == ()


def test_what_is_hidden_for_minutes_stays_open_and_is_the_same_incident_afterwards() -> None:
    ledger = Ledger()
    ledger.look(0, violation(HERE))
    for number in range(1, 200):
        ledger.look(number, believed(0))
    ledger.look(200, violation(HERE))
    assert ledger.told == [("i-1", 1, "opened")]


def test_an_incident_closes_by_what_its_rule_counts_as_unseen() -> None:
    ledger = Ledger()
    ledger.look(0, violation(HERE))
    ledger.look(60, believed(2))
    ledger.look(70, believed(12))
    assert len(ledger.open) == 1
    (change,) = ledger.look(73)
    assert (change.phase, change.unseen_s) == (Phase.CLOSED, 15)
