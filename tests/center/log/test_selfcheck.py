"""The centre checks its own log: once a day, remembered, broken off where it stops, told where people look."""

from sqlalchemy import text

from center.app import make_housekeeping
from center.log.selfcheck import SelfCheck, last_check
from tests.center.log.scene import fill, intruder
from tests.center.stage import TENANT, Box, Stage


def go_on() -> bool:
    return False


def check_of(stage: Stage) -> SelfCheck:
    return SelfCheck(stage.office.database, stage.office.notary, now=stage.clock)


def found(stage: Stage) -> tuple[int, bool, list[str]] | None:
    with stage.office.database.reading() as session:
        last = last_check(session, TENANT, stage.clock())
        return None if last is None else (last.leaves, last.holds, last.troubles)


def test_the_log_is_checked_once_a_day_and_what_was_found_is_remembered(stage: Stage, box: Box) -> None:
    fill(stage, box)
    check = check_of(stage)
    check.run_due(go_on)
    assert found(stage) == (25, True, [])
    fill(stage, box)
    stage.clock.advance(hours=23)
    check.run_due(go_on)
    assert found(stage) == (25, True, [])
    stage.clock.advance(hours=1)
    check.run_due(go_on)
    assert (found(stage) or (0,))[0] > 25


def test_an_altered_log_is_told_by_this_process_and_by_the_next(stage: Stage, box: Box) -> None:
    fill(stage, box)
    with intruder(stage) as session:
        session.execute(text("UPDATE log_leaf SET commitment = x'00' WHERE number = 3"))
    check = check_of(stage)
    assert check.holds
    check.run_due(go_on)
    assert not check.holds
    leaves, holds, troubles = found(stage) or (0, True, [])
    assert (leaves, holds) == (25, False)
    assert any("leaf 3 was altered" in trouble for trouble in troubles)
    again = check_of(stage)
    again.run_due(go_on)
    assert not again.holds


def test_what_was_checked_while_the_clock_was_ahead_does_not_stand_in_for_a_check(stage: Stage, box: Box) -> None:
    stage.clock.advance(days=400)
    check_of(stage).run_due(go_on)
    stage.clock.advance(days=-400)
    fill(stage, box)
    check_of(stage).run_due(go_on)
    assert found(stage) == (25, True, [])


def test_a_centre_that_stops_breaks_the_check_off_and_writes_nothing_down(stage: Stage, box: Box) -> None:
    fill(stage, box)
    check = check_of(stage)
    check.run_due(lambda: True)
    assert check.holds
    assert found(stage) is None


def test_a_running_centre_checks_its_log_among_its_chores(stage: Stage, box: Box) -> None:
    fill(stage, box)
    make_housekeeping(stage.office).do_due(0.0)
    assert found(stage) == (25, True, [])
