"""The daily digest: true numbers of one local day, and a head that can be taken from the paper and checked."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from alerts.checkpoints import open_checkpoint
from alerts.messages import Dropped, Range
from center.cli import app
from center.log.digest import RULE, count_day, covering_head, write_digest
from center.words import languages
from tests.center.log.scene import fill, publish
from tests.center.stage import NOW, TENANT, Box, Stage, make_clock

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = NOW.astimezone(ZONE).date()


@pytest.fixture
def filled(stage: Stage, box: Box) -> Stage:
    fill(stage, box)
    stage.hear(box.write(Dropped(count=7, reason="outbox_full", first_at=NOW, last_at=NOW)).raw)
    lost = [box.write(make_clock()) for _ in range(3)]
    stage.hear(box.write(make_clock()).raw)
    assert len(lost) == 3
    return stage


def test_the_numbers_are_those_of_the_day(filled: Stage) -> None:
    with filled.office.database.reading() as session:
        day = count_day(session, tenant=TENANT, on=TODAY, zone=ZONE)
        other = count_day(session, tenant=TENANT, on=TODAY - timedelta(days=1), zone=ZONE)
    assert (day.records, day.quarantined, day.put_aside) == (23, 0, 1)
    assert (day.dropped, day.missing, day.leads, day.custody, day.leaves) == (7, 3, 1, 2, 27)
    assert (other.records, other.dropped, other.leads, other.leaves) == (0, 0, 0, 0)


def test_what_boxes_gave_up_is_counted_once_on_the_day_it_is_first_told_and_awaited_no_more(
    stage: Stage, box: Box
) -> None:
    def give_up(count: int, last: int, reason: Literal["outbox_limit", "gone"] = "outbox_limit") -> None:
        told = Dropped(count=count, reason=reason, first_at=NOW, last_at=NOW, ranges=(Range(first=2, last=last),))
        stage.hear(box.write(told).raw)

    stage.hear(box.write(make_clock()).raw)
    _ = [box.write(make_clock()) for _ in range(9)]
    give_up(4, last=5)
    give_up(6, last=7)
    give_up(6, last=7, reason="gone")
    stage.clock.advance(days=1)
    give_up(7, last=8)
    with stage.office.database.reading() as session:
        days = [count_day(session, tenant=TENANT, on=TODAY + timedelta(days=number), zone=ZONE) for number in range(2)]
    assert [day.dropped for day in days] == [6, 1]
    assert days[0].missing == 2


def test_a_day_ends_at_midnight_of_the_county_and_not_of_greenwich(stage: Stage, box: Box) -> None:
    stage.clock.at = datetime(2026, 11, 19, 15, 59, tzinfo=UTC)
    stage.hear(box.write(make_clock()).raw)
    stage.clock.at = datetime(2026, 11, 19, 16, 0, tzinfo=UTC)
    stage.hear(box.write(make_clock()).raw)
    with stage.office.database.reading() as session:
        counts = [count_day(session, tenant=TENANT, on=date(2026, 11, day), zone=ZONE).records for day in (18, 19, 20)]
    assert counts == [0, 1, 1]


def test_the_head_on_the_paper_is_checked_with_the_key_alone_and_both_languages_say_the_numbers(
    filled: Stage,
) -> None:
    head = publish(filled)
    office = filled.office
    with office.database.reading() as session:
        day = count_day(session, tenant=TENANT, on=TODAY, zone=ZONE)
    text = write_digest(day, head, office.notary, name="Tea county")
    on_paper = text.split(RULE + "\n")[1]
    key = office.keyring.signing_key.verify_key
    assert open_checkpoint(on_paper, origin=office.notary.origin, key=key).size == 27
    assert "Records that boxes had to discard: 7" in text
    assert languages()["zh-CN"].say("Records that boxes had to discard: %(count)s", count=7) in text
    assert text.endswith(office.notary.verifier + "\n")
    assert "officer" not in text


def test_a_day_is_covered_by_the_first_head_after_its_end(filled: Stage) -> None:
    publish(filled)
    filled.clock.advance(days=1)
    fill(filled, filled.enrol_box("box-other"))
    later = publish(filled)
    with filled.office.database.reading() as session:
        found = covering_head(session, tenant=TENANT, on=TODAY, zone=ZONE)
        assert found is not None
        assert found.size <= later.size
        assert found.published_at.astimezone(ZONE).date() > TODAY
        assert covering_head(session, tenant=TENANT, on=TODAY + timedelta(days=1), zone=ZONE) is None


def test_the_command_prints_yesterday_unless_told_another_day(filled: Stage) -> None:
    runner, data = CliRunner(), ["--data", str(filled.office.settings.data)]
    printed = runner.invoke(app, ["digest", *data])
    assert printed.exit_code == 0, printed.output
    yesterday = datetime.now(ZONE).date() - timedelta(days=1)
    assert yesterday.isoformat() in printed.stdout.splitlines()[0]
    day = runner.invoke(app, ["digest", *data, "--date", TODAY.isoformat()])
    assert "Records received: 23" in day.stdout
    for wrong, told in (("yesterday", "is no day"), ("2999-01-01", "has not come yet")):
        answer = runner.invoke(app, ["digest", *data, "--date", wrong])
        assert (answer.exit_code, told in answer.stderr) == (1, True)
