"""Deleting old files: written down first, finished whatever happens meanwhile, and said to whoever asks for them."""

import hashlib
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from typer.testing import CliRunner

from alerts.messages import FilesGone
from center.cli import app
from center.database import Database
from center.evidence.files import Announced
from center.evidence.retention import Deletion, Removal
from tests.center.evidence.old_evidence import CLIP, LEAD, PICTURE, bring, delete, finish, see
from tests.center.stage import Box, Stage, Web, make_alert, make_artefact


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
