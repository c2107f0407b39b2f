"""A box without a time server: what it recorded while nobody heard it is dated by how long it had been running."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alerts.control_messages import Heard, Status
from alerts.messages import Alert, Clock, ClockQuality, ClockState, Phase
from alerts.status import write_status
from alerts.topics import Channel
from center.boxes.bootclocks import BootClock, find_boot_clocks
from center.intake.filing import Outcome
from center.intake.journal import JournalRow
from center.pages.leadpage import replaced_time
from center.words import languages
from enforcement.leads import Lead, LeadLink, TimeSource
from tests.center.postgres import Databases
from tests.center.stage import BOX, NOW, TENANT, Box, Stage, make_alert, open_stage

BORN = datetime(1970, 1, 1, tzinfo=UTC)
PARKED = timedelta(seconds=40)
FAST_PPM = 60
SECONDS = timedelta(seconds=5)


@dataclass
class Boot:
    """One boot of a box that nobody gives the time. Its wall clock began at `born`; its quartz is a little fast."""

    box: Box
    name: str
    began_at: datetime
    born: datetime = BORN
    heard: Heard | None = None
    statuses: int = 0

    def monotonic_ms(self, at: datetime) -> int:
        return round((at - self.began_at) / timedelta(milliseconds=1) * (1 + FAST_PPM / 1e6))

    def wall(self, at: datetime) -> datetime:
        return self.born + timedelta(milliseconds=self.monotonic_ms(at))

    def state(self, at: datetime) -> ClockState:
        return ClockState(utc=self.wall(at), boot=self.name, monotonic_ms=self.monotonic_ms(at), source="nobody")

    def alert(self, at: datetime, incident: str = "i-1", **more: object) -> Alert:
        wall = self.wall(at)
        fields = {"incident": incident, "observed_at": wall, "opened_at": wall - PARKED}
        fields |= {"clock": ClockQuality.UNSYNCHRONISED, "clock_state": self.state(at)}
        return make_alert(**fields | more)

    def record(self, at: datetime, incident: str = "i-1", **more: object) -> bytes:
        return self.box.write(self.alert(at, incident, **more), at=self.wall(at)).raw

    def status(self, at: datetime, *, connection: int = 1) -> bytes:
        """Sealed at this time."""
        self.statuses += 1
        fields: dict[str, object] = {"online": True, "epoch": "epoch-1", "connection": connection}
        fields |= {"number": self.statuses, "pending_records": 0, "pending_uploads": 0, "rejected_downlinks": 0}
        status = Status.model_validate(fields | {"clock": self.state(at), "heard": self.heard})
        return write_status(status, identity=self.box.identity, at=self.wall(at))

    def hear(self, sealed_at: datetime, heard_at: datetime) -> None:
        """A word of the centre's came."""
        self.heard = Heard(at=sealed_at, monotonic_ms=self.monotonic_ms(heard_at))


def say(stage: Stage, raw: bytes) -> None:
    assert stage.hear(raw, channel=Channel.STATUS) is Outcome.NOTED


def connect(stage: Stage, boot: Boot, *, way: timedelta = timedelta(milliseconds=200)) -> None:
    """Two statuses, the second after a word of the centre's, each so long under way."""
    say(stage, boot.status(stage.clock() - way))
    boot.hear(stage.clock(), stage.clock() + way)
    stage.clock.at += 3 * way
    say(stage, boot.status(stage.clock() - way))


@pytest.fixture
def boot(box: Box) -> Boot:
    return Boot(box, "boot-a", NOW - timedelta(hours=10))


def only_lead(stage: Stage) -> Lead:
    (lead,) = stage.all(Lead)
    assert isinstance(lead, Lead)
    return lead


def words(stage: Stage, lead: Lead, tag: str = "en") -> str:
    with stage.office.database.reading() as session:
        return replaced_time(session, languages()[tag], lead)


@pytest.mark.parametrize("is_heard_first", [True, False])
def test_what_was_recorded_off_line_is_dated_within_seconds_of_the_truth(
    stage: Stage, boot: Boot, *, is_heard_first: bool
) -> None:
    truth = NOW - timedelta(hours=8)
    raw = boot.record(truth)
    if is_heard_first:
        connect(stage, boot)
    assert stage.hear(raw) is Outcome.STORED
    if not is_heard_first:
        before = only_lead(stage)
        assert (before.time_source, before.observed_at) == (TimeSource.ARRIVAL, NOW)
        connect(stage, boot)

    lead = only_lead(stage)
    assert lead.time_source == TimeSource.CENTRE
    assert abs(lead.observed_at - truth) < SECONDS
    assert lead.observed_at - lead.opened_at == PARKED
    assert (lead.box_observed_at, lead.box_opened_at) == (boot.wall(truth), boot.wall(truth) - PARKED)
    assert lead.received_at >= NOW
    assert lead.linked_for == lead.opened_at, "the register is read as it stood when it happened"
    assert stage.count(LeadLink) > 0


@pytest.mark.system("postgresql")
def test_leads_are_dated_anew_on_postgresql_too(tmp_path: Path, postgres: Databases) -> None:
    with postgres.county() as url, open_stage(tmp_path / "centre", database_url=url) as stage:
        boot, truth = Boot(stage.enrol_box(), "boot-a", NOW - timedelta(hours=10)), NOW - timedelta(hours=8)
        stage.hear(boot.record(truth, phase=Phase.CLOSED))
        connect(stage, boot)
        lead = only_lead(stage)
        assert abs(lead.observed_at - truth) < SECONDS
        assert lead.linked_for == lead.opened_at
        assert lead.closed_at == lead.observed_at


def test_what_is_said_of_the_error_holds_and_what_is_sealed_stays(stage: Stage, boot: Boot) -> None:
    truth = NOW - timedelta(hours=8)
    raw = boot.record(truth)
    connect(stage, boot, way=timedelta(seconds=3))
    stage.hear(raw)

    lead = only_lead(stage)
    with stage.office.database.reading() as session:
        known = find_boot_clocks(session, TENANT, [(BOX, "boot-a")])[BOX, "boot-a"]
        reckoned = known.reckon(lead.boot_ms)
    assert reckoned is not None
    assert reckoned.error is not None
    assert abs(lead.observed_at - truth) <= reckoned.error < timedelta(seconds=10)
    assert [row.raw for row in stage.all(JournalRow)] == [raw]
    assert "heard of each other" in words(stage, lead)
    assert "right to 5.9 s" in words(stage, lead)
    assert f"{boot.wall(truth):%Y-%m-%d %H:%M:%S} UTC" in words(stage, lead)
    assert "误差不超过" in words(stage, lead, "zh-CN")


def test_a_box_that_has_not_heard_the_centre_yet_tells_the_latest_time_it_can_have_been(
    stage: Stage, boot: Boot
) -> None:
    truth = NOW - timedelta(hours=8)
    say(stage, boot.status(NOW - timedelta(seconds=1)))
    stage.hear(boot.record(truth))
    lead = only_lead(stage)
    assert timedelta(0) <= lead.observed_at - truth < SECONDS
    assert "at the latest" in words(stage, lead)


def test_a_time_server_that_came_later_in_the_same_boot_dates_what_was_before(stage: Stage, boot: Boot) -> None:
    truth, set_at = NOW - timedelta(hours=8), NOW - timedelta(hours=1)
    stage.hear(boot.record(truth))
    clock = Clock(boot="boot-a", monotonic_ms=boot.monotonic_ms(set_at), utc=set_at, quality=ClockQuality.SYNCHRONISED)
    stage.hear(boot.box.write(clock, at=set_at).raw)

    lead = only_lead(stage)
    assert lead.time_source == TimeSource.BOOT
    assert abs(lead.observed_at - truth) < SECONDS
    assert "a time server did later" in words(stage, lead)


def test_another_boot_says_nothing_of_this_one(stage: Stage, boot: Boot) -> None:
    stage.hear(boot.record(NOW - timedelta(hours=8)))
    connect(stage, Boot(boot.box, str(UUID(int=1)), NOW - timedelta(minutes=5)))
    lead = only_lead(stage)
    assert (lead.time_source, lead.observed_at) == (TimeSource.ARRIVAL, NOW)
    assert "reckoned from when the record came" in words(stage, lead)


@pytest.mark.parametrize("set_to", [datetime(2031, 5, 6, tzinfo=UTC), datetime(1971, 1, 1, tzinfo=UTC), NOW])
def test_a_clock_that_was_set_in_between_does_not_lead_astray(stage: Stage, boot: Boot, set_to: datetime) -> None:
    truth = NOW - timedelta(hours=8)
    early = boot.record(truth)
    later = NOW - timedelta(hours=2)
    boot.born = set_to - timedelta(milliseconds=boot.monotonic_ms(later))
    late = boot.record(later, "i-2")
    connect(stage, boot)
    stage.hear(early)
    stage.hear(late)

    first, second = sorted(stage.all(Lead), key=lambda lead: lead.incident)
    assert abs(first.observed_at - truth) < SECONDS
    assert abs(second.observed_at - later) < SECONDS
    assert (second.observed_at - second.opened_at, second.time_source) == (PARKED, TimeSource.CENTRE)


def test_an_incident_that_began_by_another_clock_begins_when_it_was_seen(stage: Stage, boot: Boot) -> None:
    truth = NOW - timedelta(hours=8)
    connect(stage, boot)
    for incident, began in (("i-1", BORN - timedelta(days=1)), ("i-2", boot.wall(truth) + timedelta(days=1))):
        stage.hear(boot.record(truth, incident, opened_at=began))
    assert all(lead.opened_at == lead.observed_at for lead in stage.all(Lead))


def test_a_closed_incident_dated_anew_was_closed_when_it_was_last_seen(stage: Stage, boot: Boot) -> None:
    opened, closed = NOW - timedelta(hours=8), NOW - timedelta(hours=7)
    stage.hear(boot.record(opened))
    lasting = {"revision": 2, "phase": Phase.CLOSED, "opened_at": boot.wall(opened) - PARKED}
    stage.hear(boot.record(closed, **lasting))
    connect(stage, boot)
    lead = only_lead(stage)
    assert lead.closed_at == lead.observed_at
    assert abs(lead.observed_at - closed) < SECONDS
    assert abs(lead.opened_at - (opened - PARKED)) < SECONDS


def test_a_clock_that_is_kept_right_is_believed(stage: Stage, boot: Boot) -> None:
    seen = NOW - timedelta(hours=3)
    connect(stage, boot)
    kept = {"observed_at": seen, "opened_at": seen - PARKED, "clock": ClockQuality.SYNCHRONISED}
    stage.hear(boot.record(NOW - timedelta(hours=8), **kept))
    lead = only_lead(stage)
    assert (lead.observed_at, lead.time_source, lead.box_observed_at) == (seen, TimeSource.BOX, None)


def test_a_time_server_that_contradicts_what_the_centre_saw_is_not_believed(stage: Stage, boot: Boot) -> None:
    truth = NOW - timedelta(hours=8)
    wrong = Clock(
        boot="boot-a",
        monotonic_ms=boot.monotonic_ms(NOW),
        utc=NOW - timedelta(days=20),
        quality=ClockQuality.SYNCHRONISED,
    )
    stage.hear(boot.box.write(wrong, at=NOW).raw)
    connect(stage, boot)
    stage.hear(boot.record(truth))
    lead = only_lead(stage)
    assert lead.time_source == TimeSource.CENTRE
    assert abs(lead.observed_at - truth) < SECONDS


def test_absurd_times_of_running_are_not_reckoned_with(stage: Stage, boot: Boot) -> None:
    absurd = boot.state(NOW).model_copy(update={"monotonic_ms": 2**53 - 1})
    connect(stage, boot)
    assert stage.hear(boot.record(NOW - timedelta(hours=8), clock_state=absurd)) is Outcome.STORED
    assert only_lead(stage).time_source == TimeSource.ARRIVAL
    assert [row.boot for row in stage.all(BootClock)] == ["boot-a"]
