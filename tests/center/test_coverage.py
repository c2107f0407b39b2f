"""Coverage at the centre: what boxes say of their own eyes is kept, folded, and answers whether anybody was looking."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from alerts.messages import ClockQuality, Coverage, Hindrance, Phase, Stretch
from center.coverage import LONGEST_PAST, CoverageRow, account_of
from center.intake.filing import Outcome
from center.intake.journal import JournalRow
from center.watching import SEEN, UNKNOWN
from tests.center.stage import GARDEN, NOW, STREET, TENANT, Box, Stage, Web, make_alert

HOUR = timedelta(hours=1)
MORNING = NOW - timedelta(hours=8)


def make_coverage(
    until_at: datetime = NOW,
    *parts: tuple[float, Hindrance | None],
    camera: str = STREET,
    clock: ClockQuality = ClockQuality.SYNCHRONISED,
) -> Coverage:
    """Seconds and what hindered; by default a quarter of an hour in sight."""
    stretches = [Stretch(length_ms=round(seconds * 1000), hindrance=what) for seconds, what in parts or ((900, None),)]
    from_at = until_at - timedelta(milliseconds=sum(each.length_ms for each in stretches))
    return Coverage(camera=camera, from_at=from_at, until_at=until_at, stretches=tuple(stretches), clock=clock)


def day_of(start: datetime, hours: int = 8, camera: str = STREET) -> list[Coverage]:
    """Quarter of an hour after quarter of an hour in sight."""
    return [make_coverage(start + timedelta(minutes=15 * number), camera=camera) for number in range(1, 4 * hours + 1)]


def hear(stage: Stage, box: Box, *told: Coverage) -> None:
    for coverage in told:
        assert stage.hear(box.write(coverage, at=coverage.until_at).raw) is Outcome.STORED


def totals(stage: Stage, from_at: datetime = MORNING, until_at: datetime = NOW, camera: str = STREET) -> dict[str, int]:
    with stage.office.database.reading() as session:
        account = account_of(session, tenant=TENANT, camera=camera, from_at=from_at, until_at=until_at)
    return {state: length // 1000 for state, length in account.totals_ms.items()}


def test_coverage_is_stored_with_a_receipt_and_folded_whatever_its_order(stage: Stage, box: Box) -> None:
    told = day_of(MORNING)
    told[7] = make_coverage(told[7].until_at, (600, None), (300, Hindrance.TURNED))
    records = [box.write(coverage, at=coverage.until_at) for coverage in told]
    random.Random(3).shuffle(records)

    assert {stage.hear(record.raw) for record in records} == {Outcome.STORED}
    assert stage.hear(records[0].raw) is Outcome.DUPLICATE

    assert stage.last_receipt().cumulative == len(told)
    assert {row.type for row in stage.all(JournalRow)} == {"teawatch.coverage.v1"}
    assert totals(stage) == {SEEN: 8 * 3600 - 300, "turned": 300}


def test_time_no_record_speaks_of_is_unknown_and_never_seen(stage: Stage, box: Box) -> None:
    assert totals(stage) == {UNKNOWN: 8 * 3600}
    told = day_of(MORNING)
    hear(stage, box, *told[:10], *told[14:])
    assert totals(stage) == {SEEN: 7 * 3600, UNKNOWN: 3600}
    assert totals(stage, camera=GARDEN) == {UNKNOWN: 8 * 3600}


def test_two_claims_about_one_moment_are_as_good_as_the_worse(stage: Stage, box: Box) -> None:
    hear(stage, box, *day_of(MORNING), make_coverage(NOW - HOUR, (1800, Hindrance.DARK), (1800, None)))
    assert totals(stage) == {SEEN: 8 * 3600 - 1800, "dark": 1800}


def test_a_box_that_was_off_for_weeks_is_found_by_a_question_about_one_hour(stage: Stage, box: Box) -> None:
    hear(stage, box, make_coverage(NOW, (40 * 86_400, Hindrance.BOX_OFF), (600, None)))
    some_hour = NOW - timedelta(days=17, hours=5)
    assert totals(stage, some_hour, some_hour + HOUR) == {"box_off": 3600}


def test_what_a_record_says_of_years_ago_is_left_out(stage: Stage, box: Box) -> None:
    hear(stage, box, make_coverage(NOW, *[(2**40 / 1000, Hindrance.BOX_OFF)] * 2, (600, None)))
    assert stage.count(CoverageRow) <= LONGEST_PAST.days + 3
    assert totals(stage, NOW - HOUR) == {SEEN: 600, "box_off": 3000}


@pytest.mark.parametrize("until_at", [datetime(1970, 1, 1, 0, 20, tzinfo=UTC), NOW + timedelta(days=3)])
def test_a_clock_that_was_never_set_places_nothing_and_its_record_is_kept(
    stage: Stage, box: Box, until_at: datetime
) -> None:
    hear(stage, box, make_coverage(until_at))
    assert stage.last_receipt().cumulative == 1
    assert (stage.count(JournalRow), stage.count(CoverageRow)) == (1, 0)


@pytest.mark.parametrize(
    ("camera", "device", "reason"),
    [("cam-nowhere", "box-demo-01", "unknown_camera"), (STREET, "box-other", "camera_of_another")],
)
def test_a_box_speaks_only_for_its_own_cameras(stage: Stage, box: Box, camera: str, device: str, reason: str) -> None:
    speaker = box if device == "box-demo-01" else stage.enrol_box(device)
    raw = speaker.write(make_coverage(camera=camera)).raw
    assert stage.hear(raw, device=device) is Outcome.QUARANTINED
    assert stage.quarantined() == {reason: 1}
    assert stage.count(CoverageRow) == 0


def test_what_was_claimed_can_neither_be_changed_nor_deleted(stage: Stage, box: Box) -> None:
    hear(stage, box, make_coverage())
    for statement in ("UPDATE coverage SET state = 'seen'", "DELETE FROM coverage"):
        with pytest.raises(IntegrityError, match="append-only"), stage.office.database.writing() as session:
            session.connection().exec_driver_sql(statement)


def ask(web: Web, what: str = "violations", *, camera: str = STREET, **more: Any) -> Any:
    params = {"from": MORNING.isoformat(), "until": NOW.isoformat()} | more
    answer = web.client.get(f"/api/v1/cameras/{camera}/{what}", params=params)
    return answer.json() if answer.status_code == 200 else answer.status_code


def test_the_question_has_three_answers(web: Web, web_box: Box) -> None:
    web.sign_in()
    assert (ask(web)["answer"], ask(web)["unseen_ms"]) == ("unwatched", 8 * 3600_000)

    hear(web.stage, web_box, *day_of(MORNING)[:-1])
    nearly = ask(web)
    assert (nearly["answer"], nearly["unseen_ms"], nearly["coverage"]["unknown_ms"]) == ("unwatched", 900_000, 900_000)
    hear(web.stage, web_box, day_of(MORNING)[-1])
    whole = ask(web)
    assert (whole["answer"], whole["unseen_ms"], whole["incidents"]) == ("none", 0, [])

    hear(web.stage, web_box, make_coverage(NOW - HOUR, (60, Hindrance.COVERED)))
    partly = ask(web)
    assert (partly["answer"], partly["coverage"]["hindered_ms"]) == ("unwatched", {"covered": 60_000})
    assert [each["state"] for each in partly["coverage"]["stretches"]] == ["seen", "covered", "seen"]

    times = {"opened_at": NOW - 2 * HOUR, "observed_at": NOW - 2 * HOUR}
    web.stage.hear(web_box.write(make_alert(**times)).raw)
    found = ask(web)
    assert (found["answer"], len(found["incidents"]), found["unseen_ms"]) == ("incidents", 1, 60_000)


@pytest.mark.parametrize(
    ("from_h", "until_h", "answer"),
    [(-8, -3, "none"), (-8, -2, "incidents"), (-3, -2.5, "incidents"), (-1.5, -0.5, "none"), (-2.5, 0, "incidents")],
)
def test_an_incident_belongs_to_every_time_it_touches(
    web: Web, web_box: Box, from_h: float, until_h: float, answer: str
) -> None:
    hear(web.stage, web_box, *day_of(MORNING))
    opened, closed = NOW - 3 * HOUR + timedelta(seconds=1), NOW - 2 * HOUR
    web.stage.hear(web_box.write(make_alert(opened_at=opened, observed_at=opened)).raw)
    web.stage.hear(web_box.write(make_alert(2, Phase.CLOSED, opened_at=opened, observed_at=closed)).raw)
    web.sign_in()
    times = {"from": (NOW + from_h * HOUR).isoformat(), "until": (NOW + until_h * HOUR).isoformat()}
    assert ask(web, **times)["answer"] == answer


def test_time_that_has_not_come_is_left_out_of_the_answer(web: Web, web_box: Box) -> None:
    hear(web.stage, web_box, *day_of(MORNING))
    web.sign_in()
    found = ask(web, until=(NOW + 5 * HOUR).isoformat())
    assert (found["answer"], datetime.fromisoformat(found["coverage"]["until_at"])) == ("none", NOW)


def test_a_clock_that_was_not_synchronised_is_said(web: Web, web_box: Box) -> None:
    hear(web.stage, web_box, *day_of(MORNING), make_coverage(NOW, clock=ClockQuality.UNSYNCHRONISED))
    web.sign_in()
    assert ask(web)["coverage"]["clock_doubtful"] is True
    assert ask(web, until=(NOW - 4 * HOUR).isoformat())["coverage"]["clock_doubtful"] is False


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"camera": "cam-nowhere"}, 404),
        ({"until": MORNING.isoformat()}, 422),
        ({"from": "2026-11-01T00:00:00"}, 422),
        ({"from": "2026-01-01T00:00:00Z"}, 422),
        ({"from": "0001-01-01T00:00:00+14:00", "until": "0001-01-02T00:00:00+14:00"}, 422),
        ({"from": "9999-12-31T00:00:00-14:00", "until": "9999-12-31T23:00:00-14:00"}, 422),
        ({"from": (NOW + HOUR).isoformat(), "until": (NOW + 2 * HOUR).isoformat()}, 422),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(web: Web, more: dict[str, str], status: int) -> None:
    web.sign_in()
    assert ask(web, **more) == status
    assert ask(web, "coverage", **more) == status


def test_technicians_see_when_a_camera_was_watched_and_not_what_was_found(web: Web, web_box: Box) -> None:
    hear(web.stage, web_box, *day_of(MORNING))
    web.sign_in("technician")
    assert ask(web, "coverage")["watched"] is True
    assert ask(web) == 403
    web.client.cookies.clear()
    assert (ask(web, "coverage"), ask(web)) == (401, 401)
