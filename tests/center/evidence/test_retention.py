"""How long files stay: by what they are, from the lead's closing, never while somebody needs them; hashes for ever."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from alerts.messages import Phase
from center.evidence import retention
from center.evidence.custody import Act, note_custody
from center.evidence.files import Announced
from center.evidence.retention import Deletion, Due, Removal, term_of
from center.settings import RetentionSettings
from enforcement.actors import Actor, Role
from enforcement.findings import write_finding
from enforcement.holds import hold_lead, release_lead
from enforcement.reviews import Verdict, review_lead
from enforcement.transitions import Move
from tests.center.evidence.old_evidence import CLIP, HEAD, LEAD, OFFICER, PICTURE, delete, finish, move, see
from tests.center.stage import NOW, TENANT, Box, Stage, Web, make_artefact, make_evidence

RULES = RetentionSettings()


def test_a_file_is_deleted_when_its_kinds_term_after_the_closing_is_over_and_not_before(stage: Stage, box: Box) -> None:
    see(stage, box)
    stage.clock.advance(days=100)
    finish(stage)
    closed_at = stage.clock()
    for days, left in ((364.9, {PICTURE, CLIP}), (365, {PICTURE}), (729.9, {PICTURE}), (730, set())):
        stage.clock.at = closed_at + timedelta(days=days)
        assert delete(stage) == left, days
    rows = [(row.role, row.rule, row.days, row.closed_at, row.by_user) for row in stage.all(Deletion)]
    assert rows == [("clip", "clip", 365, closed_at, "system"), ("picture", "picture", 730, closed_at, "system")]
    assert {row.deleted_rule for row in stage.all(Announced)} == {"picture:730", "clip:365"}
    assert stage.count(Removal) == 0


def test_of_a_false_alarm_nothing_stays_longer_than_the_law_asks(stage: Stage, box: Box) -> None:
    see(stage, box)
    move(stage, Move.FALSE_ALARM)
    stage.clock.advance(days=29.9)
    assert delete(stage) == {PICTURE, CLIP}
    stage.clock.advance(days=0.1)
    assert delete(stage) == set()
    assert {row.rule for row in stage.all(Deletion)} == {"false_alarm"}


def open_lead(stage: Stage, box: Box) -> None:
    see(stage, box, phase=Phase.OPENED)
    finish(stage)


def open_task(stage: Stage, box: Box) -> None:
    see(stage, box)
    move(stage, Move.ACKNOWLEDGE, Move.START, Move.RECTIFY)


def reopened(stage: Stage, box: Box) -> None:
    see(stage, box)
    finish(stage)
    move(stage, Move.REOPEN, by=HEAD)


def held(stage: Stage, box: Box) -> None:
    see(stage, box)
    finish(stage)
    with stage.office.database.writing() as session:
        hold_lead(session, tenant=TENANT, lead_id=LEAD, by=OFFICER, at=NOW, reason="a case goes to court")


def reviewed(stage: Stage, box: Box) -> None:
    see(stage, box)
    finish(stage)
    with stage.office.database.writing() as session:
        write_finding(
            session,
            tenant=TENANT,
            task_id=LEAD,
            result="still to be read by the head",
            measure="",
            language="en",
            by=OFFICER,
            at=NOW,
        )


def passed_by_a_reviewer(stage: Stage, box: Box) -> None:
    see(stage, box)
    finish(stage)
    with stage.office.database.writing() as session:
        review_lead(
            session,
            tenant=TENANT,
            lead_id=LEAD,
            verdict=Verdict.APPROVE,
            opinion="true and complete",
            grounds="seen from beginning to end",
            files=[hashlib.sha256(PICTURE).hexdigest()],
            by=Actor("reviewer", Role.LEGAL_REVIEWER),
            at=NOW,
        )


def handed_out(stage: Stage, box: Box) -> None:
    see(stage, box)
    finish(stage)
    sha256 = hashlib.sha256(PICTURE).hexdigest()
    with stage.office.database.writing() as session:
        note_custody(
            session,
            tenant=TENANT,
            act=Act.TRANSFERRED,
            sha256=sha256,
            who="officer-a",
            reason="to the court",
            at=NOW,
            lead_id=LEAD,
        )


def shared_with_an_open_lead(stage: Stage, box: Box) -> None:
    see(stage, box)
    see(stage, box, "i-2")
    finish(stage)


def shared_with_a_lead_nobody_has_heard_of(stage: Stage, box: Box) -> None:
    see(stage, box)
    finish(stage)
    artefacts = (make_artefact(PICTURE), make_artefact(CLIP, "clip"))
    stage.hear(box.write(make_evidence(*artefacts, incident="i-3")).raw)


@pytest.mark.parametrize(
    "needs",
    [
        open_lead,
        open_task,
        reopened,
        held,
        reviewed,
        passed_by_a_reviewer,
        handed_out,
        shared_with_an_open_lead,
        shared_with_a_lead_nobody_has_heard_of,
    ],
)
def test_what_somebody_needs_stays_however_old_it_is(
    stage: Stage, box: Box, needs: Callable[[Stage, Box], None]
) -> None:
    needs(stage, box)
    stage.clock.advance(days=10_000)
    assert delete(stage) == {PICTURE, CLIP}
    assert stage.count(Deletion) == 0


def test_what_is_released_from_a_legal_hold_is_deleted_by_the_rules_again(stage: Stage, box: Box) -> None:
    held(stage, box)
    stage.clock.advance(days=10_000)
    with stage.office.database.writing() as session:
        release_lead(session, tenant=TENANT, lead_id=LEAD, by=HEAD, at=stage.clock(), reason="the court has decided")
    assert delete(stage) == set()


def test_a_hold_that_comes_while_files_are_chosen_for_deletion_wins(
    stage: Stage, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(stage, box)
    finish(stage)
    stage.clock.advance(days=10_000)
    choose, begun = retention.due_files, []

    def choose_slowly(session: Session, **rules: Any) -> Iterator[Due]:
        yield from choose(session, **rules)
        if not begun:
            begun.append(True)
            hold_lead(session, tenant=TENANT, lead_id=LEAD, by=HEAD, at=stage.clock(), reason="a court asked")

    monkeypatch.setattr(retention, "due_files", choose_slowly)
    assert delete(stage) == {PICTURE, CLIP}
    assert stage.count(Deletion) == 0


def test_the_defaults_satisfy_the_law_and_no_setting_can_fall_below_it() -> None:
    assert min(RULES.model_dump().values()) >= 30
    for name in RetentionSettings.model_fields:
        with pytest.raises(ValueError, match="greater than or equal to 30"):
            RetentionSettings.model_validate({name: 29})


@pytest.mark.parametrize(
    ("role", "state", "rule", "days"),
    [
        ("picture", "closed", "picture", 730),
        ("redacted", "closed", "redacted", 365),
        ("recording", "closed", "recording", 730),
        ("picture", "false_alarm", "false_alarm", 30),
        ("what nobody has thought of", "closed", "what nobody has thought of", 730),
    ],
)
def test_each_kind_of_file_has_its_term(role: str, state: str, rule: str, days: int) -> None:
    term = term_of(RULES, role, state)
    assert (term.rule, term.days) == (rule, days)


@pytest.mark.parametrize(
    ("person", "holds", "reason", "status"),
    [
        ("officer-a", True, "a case", 201),
        ("head", True, "a case", 201),
        ("officer-a", True, "", 422),
        ("officer-a", True, "  ", 422),
        ("head", False, "nothing to release", 409),
        ("officer-a", False, "not for officers", 403),
        ("technician", True, "not for technicians", 403),
    ],
)
def test_who_may_hold_and_release(web: Web, web_box: Box, person: str, holds: bool, reason: str, status: int) -> None:
    see(web.stage, web_box)
    web.sign_in(person)
    answer = web.client.post(f"/api/v1/leads/{LEAD}/holds", json={"holds": holds, "reason": reason})
    assert answer.status_code == status, answer.text


def test_every_hold_and_release_stays_written_down(web: Web, web_box: Box) -> None:
    see(web.stage, web_box)
    web.sign_in("head")
    for holds, reason in ((True, "court"), (False, "decided"), (True, "appeal")):
        wish = {"holds": holds, "reason": reason}
        assert web.client.post(f"/api/v1/leads/{LEAD}/holds", json=wish).status_code == 201
    assert web.client.post(f"/api/v1/leads/{LEAD}/holds", json={"holds": True, "reason": "x"}).status_code == 409
    told = web.client.get(f"/api/v1/leads/{LEAD}").json()["holds"]
    assert [(each["by_user"], each["holds"], each["reason"]) for each in told] == [
        ("head", True, "court"),
        ("head", False, "decided"),
        ("head", True, "appeal"),
    ]
    with pytest.raises(DatabaseError, match="append-only"), web.stage.office.database.writing() as session:
        session.execute(text("DELETE FROM hold_event"))
