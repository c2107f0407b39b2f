"""The machine's clock leaps: what is stamped, deleted and started on it, and who is told."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from typer.testing import CliRunner

from center.app import make_housekeeping, make_office
from center.cli import app
from center.clock import LEAP, Leap, Machine, OfficeClock
from center.errors import ClockDoubtful
from center.keyring import load_keyring
from center.log.publishing import publish_due
from center.mortal import steer
from center.office import Office
from center.timekeeping import LONG_AWAY, accept
from tests.center.evidence.old_evidence import CLIP, finish, see
from tests.center.log.scene import look
from tests.center.stage import NOW, TENANT, SetClock, Stage, Web

TEN_YEARS = timedelta(days=3653)
HOUR = timedelta(hours=1)


@dataclass
class SetMachineClock(Machine):
    """A machine whose wall clock and whose hours of running are set by hand."""

    wall: datetime = NOW
    has_run: timedelta = field(default=timedelta(0))
    kept: bool = False

    def utc(self) -> datetime:
        return self.wall

    def running_s(self) -> float:
        return self.has_run.total_seconds()

    def is_kept(self) -> bool:
        return self.kept

    def run(self, length: timedelta, leap: timedelta = timedelta(0)) -> None:
        self.has_run += length
        self.wall += length + leap


@pytest.mark.parametrize("leap", [TEN_YEARS, -TEN_YEARS, LEAP, -LEAP])
def test_a_leap_of_a_day_or_more_is_not_followed_until_the_clock_is_back(leap: timedelta) -> None:
    machine = SetMachineClock()
    clock = OfficeClock(machine)
    machine.run(HOUR, leap)
    assert clock() == NOW + HOUR
    machine.run(HOUR)
    assert clock.leap == Leap(NOW + HOUR, NOW + HOUR + leap, is_followed=False)
    assert clock() == NOW + 2 * HOUR
    machine.run(HOUR, -leap)
    assert clock.leap is None
    assert clock() == NOW + 3 * HOUR


def test_the_bench_of_faults_can_have_a_machines_clock_leap() -> None:
    clock = OfficeClock()
    try:
        steer(TEN_YEARS.total_seconds())
        leap = clock.leap
    finally:
        steer(0)
    assert leap is not None
    assert abs(leap.after - leap.before - TEN_YEARS) < HOUR


@pytest.mark.parametrize("leap", [timedelta(hours=23), timedelta(hours=-23)])
def test_a_smaller_leap_is_followed_for_the_machine_may_have_been_paused_or_put_right(leap: timedelta) -> None:
    machine = SetMachineClock()
    clock = OfficeClock(machine)
    for _ in range(3):
        machine.run(HOUR, leap)
        assert clock() == machine.wall
    assert clock.leap is None


def test_what_a_time_server_says_is_followed_and_kept_in_mind_and_so_is_a_persons_word() -> None:
    machine = SetMachineClock()
    clock = OfficeClock(machine)
    machine.run(HOUR, TEN_YEARS)
    assert clock() == NOW + HOUR
    machine.kept = True
    assert clock() == machine.wall
    assert clock.leap == Leap(NOW + HOUR, NOW + HOUR + TEN_YEARS, is_followed=True)
    machine.kept = False
    machine.run(HOUR, -TEN_YEARS)
    assert clock() != machine.wall
    clock.follow()
    assert (clock(), clock.leap) == (machine.wall, None)


@pytest.fixture
def machine() -> SetMachineClock:
    return SetMachineClock()


@pytest.fixture
def office(stage: Stage, machine: SetMachineClock) -> Iterator[Office]:
    """A centre on this machine that has begun to keep the time, with a file whose term is over in a year."""
    see(stage, stage.enrol_box())
    finish(stage)
    settings = stage.office.settings
    office = make_office(settings, load_keyring(settings), machine)
    office.timekeeper.start()
    yield office
    office.timekeeper.stop()
    office.database.close()


def keep_house(office: Office) -> bool:
    """Whether the clip is still there when the chores have been done."""
    make_housekeeping(office).do_due(0.0)
    return office.evidence.has(hashlib.sha256(CLIP).hexdigest())


def say_it_is_right(office: Office, at: datetime) -> None:
    with office.database.writing() as session:
        accept(session, TENANT, at)


@pytest.mark.parametrize("kept", [False, True])
def test_after_a_leap_no_file_is_deleted_for_its_age_until_somebody_says_that_the_clock_is_right(
    office: Office, machine: SetMachineClock, *, kept: bool
) -> None:
    machine.kept = kept
    machine.run(HOUR, TEN_YEARS)
    assert keep_house(office)
    assert office.timekeeper.doubt == Leap(NOW + HOUR, NOW + HOUR + TEN_YEARS, is_followed=kept)
    machine.run(HOUR)
    assert keep_house(office), "it does not forget"

    say_it_is_right(office, machine.wall)

    assert not keep_house(office)
    assert (office.now(), office.timekeeper.doubt) == (machine.wall, None)


def test_a_leap_that_was_not_followed_is_settled_when_the_clock_is_back(
    office: Office, machine: SetMachineClock
) -> None:
    machine.run(HOUR, TEN_YEARS)
    assert office.timekeeper.note() is not None
    machine.run(HOUR, -TEN_YEARS)
    assert office.timekeeper.note() is None
    machine.run(timedelta(hours=23) * 400)
    assert office.timekeeper.note() is None, "time that passed is no leap"


def again(office: Office, machine: SetMachineClock) -> Office:
    """The same centre, started anew."""
    office.timekeeper.stop()
    return make_office(office.settings, load_keyring(office.settings), machine)


def test_a_centre_that_was_off_for_long_deletes_nothing_until_somebody_has_looked_at_the_clock(
    office: Office, machine: SetMachineClock
) -> None:
    machine.run(LONG_AWAY)
    back = again(office, machine)
    back.timekeeper.start()
    assert back.timekeeper.doubt is None
    machine.run(timedelta(days=400))
    late = again(back, machine)
    late.timekeeper.start()
    assert (late.now(), keep_house(late)) == (machine.wall, True)
    say_it_is_right(late, machine.wall)
    assert not keep_house(late)
    late.timekeeper.stop()


@pytest.mark.parametrize("was_noticed", [False, True])
def test_a_centre_does_not_start_on_a_clock_before_its_last_entries_nor_on_one_it_did_not_follow(
    office: Office, machine: SetMachineClock, *, was_noticed: bool
) -> None:
    machine.run(HOUR)
    office.timekeeper.note()
    if was_noticed:
        machine.run(HOUR, TEN_YEARS)
        assert office.timekeeper.note() is not None
    else:
        machine.run(HOUR, -TEN_YEARS)
    with pytest.raises(ClockDoubtful, match=r"but this centre was at work until .* --accept"):
        again(office, machine).timekeeper.start()
    machine.kept = True
    kept = again(office, machine)
    kept.timekeeper.start()
    assert kept.now() == machine.wall
    kept.timekeeper.stop()


def test_heads_are_published_also_after_a_clock_was_put_back(office: Office, machine: SetMachineClock) -> None:
    every = timedelta(minutes=1)
    before = publish_due(office.database, office.notary, at=NOW + TEN_YEARS, every=every)
    with office.database.writing() as session:
        look(session, Stage(office, SetClock(), office.desk), "officer-a")
    assert publish_due(office.database, office.notary, at=machine.wall, every=every).size == before.size + 1


def test_the_commands_say_what_is_to_be_settled_and_settle_it(office: Office, machine: SetMachineClock) -> None:
    machine.run(HOUR, TEN_YEARS)
    office.timekeeper.note()
    data = ["--data", str(office.settings.data)]
    runner = CliRunner()
    told = runner.invoke(app, ["clock", *data])
    assert told.exit_code == 1
    assert "no file is deleted for its age until somebody has looked at it" in told.stdout
    refused = runner.invoke(app, ["retention", *data])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "teawatch center clock --accept" in refused.stderr
    assert runner.invoke(app, ["clock", "--accept", *data]).exit_code == 0
    assert runner.invoke(app, ["retention", *data]).exit_code == 0


def test_every_page_and_who_watches_over_the_centre_are_told(web: Web) -> None:
    office = web.stage.office
    web.sign_in("officer-a")
    assert "teawatch center clock" not in web.client.get("/tasks").text
    say_it_is_right(office, NOW)
    web.stage.clock.advance(days=400)
    office.timekeeper.start()
    office.timekeeper.stop()
    web.sign_in("officer-a")
    assert "teawatch center clock" in web.client.get("/tasks").text
    assert web.client.get("/api/v1/health").json()["clock"] is False
