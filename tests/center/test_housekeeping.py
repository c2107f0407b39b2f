"""What a centre does for itself: each chore in its time, and again soon where it failed."""

from collections.abc import Callable

from center.housekeeping import DAY_S, HOUR_S, Chore, Housekeeping
from tests.center.stage import Stage


def test_chores_are_done_at_the_start_and_when_they_are_due_and_again_soon_if_they_failed() -> None:
    done: list[str] = []

    def fail(_: Callable[[], bool]) -> None:
        done.append("fails")
        raise OSError("no")

    chores = (Chore("daily", DAY_S, lambda _: done.append("daily")), Chore("fails", DAY_S, fail))
    housekeeping = Housekeeping(chores)
    assert housekeeping.do_due(10.0) == 10 + HOUR_S
    assert housekeeping.do_due(10 + HOUR_S) == 10 + 2 * HOUR_S
    assert done == ["daily", "fails", "fails"]
    housekeeping.do_due(10 + DAY_S)
    assert done == ["daily", "fails", "fails", "daily", "fails"]


def test_a_running_centre_keeps_house_and_stops(stage: Stage) -> None:
    asked: list[bool] = []
    housekeeping = Housekeeping((Chore("daily", DAY_S, lambda is_stopping: asked.append(is_stopping())),))
    housekeeping.start()
    housekeeping.stop()
    assert asked in ([], [False])
