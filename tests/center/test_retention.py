"""How long files stay: by what they are, from the lead's closing, never while somebody needs them; hashes for ever."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from alerts.messages import FilesGone, Phase
from center import retention
from center.cli import app
from center.custody import Act, note_custody
from center.database import Database
from center.evidence import Announced
from center.housekeeping import DAY_S, HOUR_S, Chore, Housekeeping
from center.retention import Deletion, Due, Removal, term_of
from center.settings import RetentionSettings
from enforcement.actors import Actor, Role
from enforcement.findings import write_finding
from enforcement.holds import hold_lead, release_lead
from enforcement.reviews import Verdict, review_lead
from enforcement.tasks import move_task
from enforcement.transitions import Move
from tests.center.stage import BOX, NOW, TENANT, Box, Stage, Web, make_alert, make_artefact, make_evidence

PICTURE, CLIP = b"a sealed picture", b"a clip"
LEAD = f"{BOX}.i-1"
OFFICER, HEAD = Actor("officer-a", Role.OFFICER), Actor("head", Role.HEAD)
RULES = RetentionSettings()


def see(stage: Stage, box: Box, incident: str = "i-1", *files: bytes, phase: Phase = Phase.CLOSED) -> None:
    """An incident with a picture and a clip, whose bytes are here."""
    picture, clip = files or (PICTURE, CLIP)
    stage.hear(box.write(make_alert(incident=incident, evidence=(make_artefact(picture),))).raw)
    stage.hear(box.write(make_evidence(make_artefact(clip, "clip"), incident=incident)).raw)
    if phase is Phase.CLOSED:
        stage.hear(box.write(make_alert(2, Phase.CLOSED, incident=incident)).raw)
    for data in (picture, clip):
        bring(stage, data)


def bring(stage: Stage, data: bytes) -> None:
    sha256 = stage.office.evidence.put(data)
    with stage.office.database.writing() as session:
        session.execute(
            text("UPDATE announced_file SET arrived_at = :at WHERE sha256 = :sha256 AND deleted_at IS NULL"),
            {"at": stage.clock().replace(tzinfo=None), "sha256": sha256},
        )


def move(stage: Stage, *moves: Move, lead: str = LEAD, by: Actor = OFFICER) -> None:
    for each in moves:
        with stage.office.database.writing() as session:
            move_task(session, tenant=TENANT, task_id=lead, move=each, by=by, at=stage.clock(), note="because")


def finish(stage: Stage, lead: str = LEAD) -> None:
    move(stage, Move.ACKNOWLEDGE, Move.START, Move.RECTIFY, Move.CLOSE, lead=lead)


def delete(stage: Stage) -> set[bytes]:
    """What is still there after a run."""
    stage.office.disposal.run(stage.clock())
    return {data for data in (PICTURE, CLIP) if stage.office.evidence.has(hashlib.sha256(data).hexdigest())}


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
        note_custody(session, tenant=TENANT, act=Act.TRANSFERRED, sha256=sha256, who="officer-a", at=NOW, lead_id=LEAD)


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


def break_off(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends once it has written down what it would delete."""

    def fail(*_: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(type(stage.office.evidence), "remove", fail)
        with pytest.raises(OSError, match="killed"):
            stage.office.disposal.run(stage.clock())


def test_a_run_that_was_killed_after_it_wrote_the_deletion_down_is_finished_by_the_next(
    stage: Stage, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(stage, box)
    finish(stage)
    stage.clock.advance(days=10_000)
    break_off(stage, monkeypatch)
    assert (stage.count(Deletion), stage.count(Removal)) == (2, 2)
    assert delete(stage) == set()
    assert (stage.count(Deletion), stage.count(Removal)) == (2, 0)


def test_the_same_bytes_that_come_for_another_lead_are_kept_for_it(
    stage: Stage, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(stage, box)
    finish(stage)
    stage.clock.advance(days=10_000)
    break_off(stage, monkeypatch)
    see(stage, box, "i-2")
    assert delete(stage) == {PICTURE, CLIP}
    assert stage.count(Removal) == 0


def test_while_the_store_takes_its_time_others_write(web: Web, web_box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = web.stage
    see(stage, web_box)
    finish(stage)
    written: list[str] = []

    def slow(deed: Callable[[str], object]) -> Callable[[str], object]:
        def act(sha256: str) -> object:
            with Database(stage.office.settings.sqlalchemy_url, busy_timeout_ms=50).writing() as session:
                session.execute(text("UPDATE device SET online = online"))
                written.append(sha256)
            return deed(sha256)

        return act

    for name in ("read", "remove"):
        monkeypatch.setattr(stage.office.evidence, name, slow(getattr(stage.office.evidence, name)))
    web.sign_in()
    sha256 = hashlib.sha256(PICTURE).hexdigest()
    assert web.client.get(f"/api/v1/evidence/{sha256}").content == PICTURE
    stage.clock.advance(days=3000)
    assert stage.office.disposal.run(stage.clock()) == 2
    assert written[0] == sha256
    assert sorted(written[1:]) == sorted(hashlib.sha256(data).hexdigest() for data in (PICTURE, CLIP))
    assert stage.count(Removal) == 0


def test_a_deletion_cannot_be_unwritten(stage: Stage, box: Box) -> None:
    see(stage, box)
    finish(stage)
    stage.clock.advance(days=10_000)
    delete(stage)
    for statement in ("DELETE FROM evidence_deletion", "UPDATE evidence_deletion SET by_user = 'nobody'"):
        with pytest.raises(DatabaseError, match="append-only"), stage.office.database.writing() as session:
            session.execute(text(statement))


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


def test_the_command_says_what_would_go_and_deletes_it_without_dry_run(stage: Stage, box: Box) -> None:
    see(stage, box)
    finish(stage)
    with stage.office.database.writing() as session:
        # A history is append-only, so the past of this one is made by writing its first line anew, elsewhere.
        session.execute(text("DROP TRIGGER task_event_no_update"))
        session.execute(text("UPDATE task_event SET at = '2020-01-01 00:00:00'"))
        session.execute(text("UPDATE announced_file SET arrived_at = '2020-01-01 00:00:00'"))
    data = str(stage.office.settings.data)
    preview = CliRunner().invoke(app, ["retention", "--data", data, "--dry-run"])
    assert "2 files of 22 bytes would be deleted" in preview.stderr
    assert "clip\tbox-demo-01.i-1\tclosed 2020-01-01\tclip: 365 days" in preview.stdout
    assert stage.count(Deletion) == 0
    done = CliRunner().invoke(app, ["retention", "--data", data])
    assert (done.exit_code, done.stdout) == (0, preview.stdout)
    assert stage.count(Deletion) == 2
    assert delete(stage) == set()


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


def deleted(web: Web, box: Box) -> str:
    see(web.stage, box)
    finish(web.stage)
    web.stage.clock.advance(days=800)
    delete(web.stage)
    return hashlib.sha256(PICTURE).hexdigest()


def test_a_deleted_file_is_gone_with_its_reason_and_not_taken_again(web: Web, web_box: Box) -> None:
    sha256 = deleted(web, web_box)
    assert web.bring(web_box, PICTURE).status_code == 200
    assert not web.stage.office.evidence.has(sha256)
    web.sign_in()
    answer = web.client.get(f"/api/v1/evidence/{sha256}")
    assert answer.status_code == 410
    assert "under the retention rule picture: 730 days; its hash stays known" in answer.json()["detail"]
    files = {file["role"]: file for file in web.client.get(f"/api/v1/leads/{LEAD}").json()["files"]}
    assert (files["picture"]["sha256"], files["picture"]["deleted_rule"]) == (sha256, "picture:730")


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


def test_a_file_the_box_had_to_delete_is_waited_for_no_longer_and_said_so(web: Web, web_box: Box) -> None:
    web.stage.hear(web_box.write(make_alert(evidence=(make_artefact(PICTURE), make_artefact(CLIP, "clip")))).raw)
    bring(web.stage, CLIP)
    hashes = tuple(hashlib.sha256(data).hexdigest() for data in (PICTURE, CLIP))
    web.stage.hear(web_box.write(FilesGone(files=hashes, reason="disk_full")).raw)
    gone = {row.role: row.deleted_rule for row in web.stage.all(Announced)}
    assert gone == {"picture": "given_up", "clip": ""}, "what came before is here"
    web.sign_in()
    answer = web.client.get(f"/api/v1/evidence/{hashes[0]}")
    assert (answer.status_code, "its disk was full" in answer.json()["detail"]) == (410, True)
    assert web.client.get(f"/api/v1/evidence/{hashes[1]}").status_code == 200
