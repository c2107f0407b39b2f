"""Only what an officer reviewed and published reaches a shopper, and only for the leaf it concerns."""

from dataclasses import fields
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from center.county.seeding import seed
from enforcement.actors import Actor
from enforcement.errors import IllegalMove, NotAllowed, NoteMissing, Unknown
from enforcement.findings import (
    Finding,
    PublishedFinding,
    findings_of,
    publish_finding,
    published_for_lots,
    withdraw_finding,
    write_finding,
)
from enforcement.leads import Lead, LeadFacts, LeadLink, links_of
from enforcement.policy import WorkingWeek
from enforcement.task_records import Task
from enforcement.tasks import move_task
from enforcement.transitions import Move, State
from tests.enforcement.alerts_told import HEAD, INTRUSION, OFFICER, PARKED, PUBLIC, TECHNICIAN, task_of
from tests.traceability.books import NOW, TENANT, blend
from traceability.cards import LeafSale
from traceability.lots import LotInput

LATER = NOW + timedelta(hours=2)
ORGANIC, OTHER = "QL-ORG-0118", "QL-WP-0093"


def moved(session: Session, task: Task, *moves: Move, by: Actor = OFFICER) -> Task:
    for what in moves:
        move_task(session, tenant=TENANT, task_id=task.id, move=what, by=by, at=NOW, note="原因")
    return task


def under_check(session: Session, facts: LeadFacts = INTRUSION) -> Task:
    return moved(session, task_of(session, facts), Move.ACKNOWLEDGE, Move.START)


def write(session: Session, task: Task, by: Actor = OFFICER, result: str = "有人进入茶园，未施药") -> str:
    return write_finding(
        session,
        tenant=TENANT,
        task_id=task.id,
        result=result,
        measure="已劝离",
        language="zh-CN",
        by=by,
        at=NOW,
    ).finding_id


def publish(session: Session, finding: str, by: Actor = OFFICER) -> None:
    publish_finding(session, tenant=TENANT, finding_id=finding, by=by, at=LATER)


def withdraw(
    session: Session, finding: str, by: Actor = OFFICER, reason: str = "撤销", revoked_at: datetime | None = None
) -> None:
    withdraw_finding(session, tenant=TENANT, finding_id=finding, by=by, at=LATER, reason=reason, revoked_at=revoked_at)


def shown(session: Session, *lots: str) -> tuple[PublishedFinding, ...]:
    return published_for_lots(session, TENANT, lots)


def test_an_alert_nobody_reviewed_is_never_shown(county: Session) -> None:
    task = under_check(county)
    assert shown(county, ORGANIC) == ()
    moved(county, task, Move.RECTIFY, Move.CLOSE)
    assert shown(county, ORGANIC) == ()


def test_a_draft_is_not_shown_and_a_published_finding_is_until_it_is_withdrawn(county: Session) -> None:
    finding = write(county, under_check(county))
    assert shown(county, ORGANIC) == ()
    publish(county, finding)
    (found,) = shown(county, ORGANIC)
    assert (found.finding_id, found.result, found.measure) == (finding, "有人进入茶园，未施药", "已劝离")
    assert (found.kind, found.observed_at, found.published_at) == ("garden.intrusion", NOW, LATER)
    withdraw(county, finding)
    assert shown(county, ORGANIC) == ()


def test_a_shopper_learns_of_a_finding_no_name_of_officer_or_party() -> None:
    assert {field.name for field in fields(PublishedFinding)} == {
        "finding_id",
        "kind",
        "observed_at",
        "language",
        "result",
        "measure",
        "published_at",
    }


def test_a_finding_concerns_only_the_leaf_it_is_about(county: Session) -> None:
    publish(county, write(county, under_check(county)))
    assert shown(county, OTHER) == ()
    assert shown(county) == ()
    assert shown(county, "no-such-lot") == ()


def test_another_tenants_tea_of_the_same_name_is_not_concerned(county: Session) -> None:
    publish(county, write(county, under_check(county)))
    seed(county, tenant="other", now=NOW)
    assert published_for_lots(county, "other", [ORGANIC]) == ()


def test_a_street_finding_concerns_no_tea(county: Session) -> None:
    publish(county, write(county, under_check(county, PARKED)))
    assert shown(county, ORGANIC, OTHER) == ()


def link_with_no_lot(county: Session) -> None:
    """As if the lots had been made later."""
    (lead,) = county.scalars(select(Lead))
    kept = [link for link in links_of(county, tenant=TENANT, lead_id=lead.id) if link.target_kind != "lot"]
    names = [column.key for column in LeadLink.__table__.columns]
    rows = [{name: getattr(link, name) for name in names} | {"links_id": "no lot"} for link in kept]
    county.execute(insert(LeadLink), rows)
    lead.links_id = "no lot"
    county.flush()


def test_a_lot_made_after_the_sight_is_found_by_its_plot_and_day_of_picking(county: Session) -> None:
    county.execute(update(LotInput).where(LotInput.lot_id == ORGANIC).values(lot_id=OTHER))
    finding = write(county, under_check(county))
    publish(county, finding)
    link_with_no_lot(county)
    assert shown(county, ORGANIC) == ()
    county.execute(update(LotInput).where(LotInput.input_id == "sale-0001").values(lot_id=ORGANIC))
    assert [found.finding_id for found in shown(county, ORGANIC)] == [finding]


@pytest.mark.parametrize(("days", "concerned"), [(-31, False), (-30, True), (30, True), (31, False)])
def test_leaf_picked_outside_the_window_is_not_concerned(county: Session, days: int, concerned: bool) -> None:
    publish(county, write(county, under_check(county)))
    link_with_no_lot(county)
    county.execute(update(LeafSale).values(picked_on=NOW.date() + timedelta(days=days)))
    assert bool(shown(county, ORGANIC)) is concerned


def test_a_blend_shows_the_findings_of_the_lots_in_it(county: Session) -> None:
    finding = write(county, under_check(county))
    publish(county, finding)
    blend(county, "BLEND-1", {OTHER: 10})
    assert shown(county, "BLEND-1") == ()
    county.add(LotInput(tenant=TENANT, lot_id="BLEND-1", input_kind="lot", input_id=ORGANIC, input_g=10))
    county.flush()
    assert [found.finding_id for found in shown(county, "BLEND-1")] == [finding]


@pytest.mark.parametrize("path", [(), (Move.ACKNOWLEDGE,), (Move.FALSE_ALARM,)], ids=str)
def test_a_finding_needs_a_check_that_has_begun_and_was_no_false_alarm(county: Session, path: tuple[Move, ...]) -> None:
    task = moved(county, task_of(county, INTRUSION), *path)
    with pytest.raises(IllegalMove, match="a finding can be written once the check has started"):
        write(county, task)
    assert findings_of(county, tenant=TENANT, lead_id=task.lead_id) == ()


def test_a_false_alarm_can_never_be_published(county: Session) -> None:
    task = under_check(county)
    finding = write(county, task)
    moved(county, task, Move.FALSE_ALARM)
    with pytest.raises(IllegalMove, match="false_alarm"):
        publish(county, finding)
    assert shown(county, ORGANIC) == ()


def test_what_is_published_cannot_become_a_false_alarm_before_it_is_withdrawn(county: Session) -> None:
    task = under_check(county)
    finding = write(county, task)
    publish(county, finding)
    with pytest.raises(IllegalMove, match="withdraw it"):
        moved(county, task, Move.FALSE_ALARM)
    assert county.get_one(Task, (TENANT, task.id)).state == State.STARTED
    withdraw(county, finding)
    moved(county, task, Move.FALSE_ALARM)


@pytest.mark.parametrize("by", [TECHNICIAN, PUBLIC], ids=lambda actor: actor.role.value)
def test_only_officers_and_the_head_review(county: Session, by: Actor) -> None:
    task = under_check(county)
    with pytest.raises(NotAllowed):
        write(county, task, by)
    finding = write(county, task, HEAD)
    with pytest.raises(NotAllowed):
        publish(county, finding, by)
    publish(county, finding)
    with pytest.raises(NotAllowed):
        withdraw(county, finding, by)


def test_results_and_withdrawals_are_said_in_words(county: Session) -> None:
    task = under_check(county)
    with pytest.raises(NoteMissing):
        write(county, task, result="  ")
    finding = write(county, task)
    publish(county, finding)
    with pytest.raises(NoteMissing):
        withdraw(county, finding, reason=" ")


def test_a_finding_moves_only_from_draft_to_published_to_withdrawn(county: Session) -> None:
    finding = write(county, under_check(county))
    with pytest.raises(IllegalMove, match="is draft, not published"):
        withdraw(county, finding)
    publish(county, finding)
    with pytest.raises(IllegalMove, match="is published, not draft"):
        publish(county, finding)
    withdraw(county, finding)
    with pytest.raises(IllegalMove, match="is withdrawn, not published"):
        withdraw(county, finding)
    with pytest.raises(IllegalMove, match="is withdrawn, not draft"):
        publish(county, finding)


def test_an_unknown_finding_is_said_to_be_unknown(county: Session) -> None:
    with pytest.raises(Unknown, match="no finding"):
        publish(county, "nothing")


def test_who_reviewed_published_and_withdrew_stays_on_record(county: Session) -> None:
    finding = write(county, under_check(county))
    publish(county, finding, HEAD)
    withdraw(county, finding, OFFICER, "复核后撤销", revoked_at=LATER)
    row = county.get_one(Finding, (TENANT, finding))
    assert (row.reviewed_by, row.published_by, row.withdrawn_by) == ("officer-a", "head", "officer-a")
    assert (row.reviewed_at, row.published_at, row.withdrawn_at) == (NOW, LATER, LATER)
    assert row.withdrawal_reason == "复核后撤销"


def test_a_revoked_finding_is_due_within_three_working_days(county: Session) -> None:
    finding = write(county, under_check(county))
    publish(county, finding)
    withdraw(county, finding, revoked_at=LATER)  # a Thursday: Friday, Monday, Tuesday
    row = county.get_one(Finding, (TENANT, finding))
    assert row.withdraw_by == datetime(2026, 11, 25, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize("revoked_at", [NOW, LATER + timedelta(seconds=1), datetime(1, 1, 1, tzinfo=ZoneInfo("UTC"))])
def test_a_finding_is_revoked_after_its_publication_and_not_in_the_future(
    county: Session, revoked_at: datetime
) -> None:
    finding = write(county, under_check(county))
    publish(county, finding)
    with pytest.raises(IllegalMove, match="between its publication and now"):
        withdraw(county, finding, revoked_at=revoked_at)


def test_a_finding_can_be_withdrawn_where_no_office_hours_are_on_record(county: Session) -> None:
    finding = write(county, under_check(county))
    publish(county, finding)
    county.execute(delete(WorkingWeek))
    withdraw(county, finding, revoked_at=LATER)
    assert county.get_one(Finding, (TENANT, finding)).withdraw_by is None


def test_several_findings_of_one_lead_are_kept_apart(county: Session) -> None:
    task = under_check(county)
    one, two = write(county, task), write(county, task)
    assert one != two
    publish(county, two)
    assert [found.finding_id for found in shown(county, ORGANIC)] == [two]
    assert [found.id for found in findings_of(county, tenant=TENANT, lead_id=task.lead_id)] == [one, two]
