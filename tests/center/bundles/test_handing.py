"""A bundle is handed out to an officer who says why, by page, program or command line, and that is written down."""

import hashlib
import io
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import event
from typer.testing import CliRunner

from alerts.bundles.seal import SEAL_NAME
from alerts.bundles.trust import load_trust
from alerts.bundles.verification import verify_file
from alerts.messages import Phase
from center.accounts.people import Role, add_user
from center.bundles.handing import Hand, hand_out
from center.bundles.trusting import trust_of
from center.cli import app
from center.evidence.custody import Act, CustodyEvent
from tests.center.postgres import Databases
from tests.center.stage import BOX, NOW, PASSWORD, TENANT, Box, Web, make_alert, make_artefact, make_clock, open_stage

PICTURE = b"\xff\xd8 a van on double yellow lines \xff\xd9" * 40
CASE = f"{BOX}.i-1"


@pytest.fixture
def told(web: Web, web_box: Box) -> Web:
    web.stage.hear(web_box.write(make_alert(evidence=(make_artefact(PICTURE),))).raw)
    web.bring(web_box, PICTURE)
    return web


def teawatch(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "teawatch", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def seal_of(bundle: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(bundle)) as members:
        return hashlib.sha256(members.read(SEAL_NAME)).hexdigest()


def transfers(web: Web) -> list[tuple[str, str, str]]:
    return [
        (event.sha256, event.lead_id, event.reason)
        for event in web.stage.all(CustodyEvent)
        if event.act == Act.TRANSFERRED.value
    ]


def test_a_program_gets_what_the_command_verifies_and_the_transfer_is_noted(told: Web, tmp_path: Path) -> None:
    told.sign_in()
    answer = told.client.post(f"/api/v1/leads/{CASE}/bundle", json={"reason": "to the court"})

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert f'filename="{CASE}.teawatch.zip"' in answer.headers["content-disposition"]
    bundle, keys = tmp_path / "bundle.zip", tmp_path / "keys.json"
    bundle.write_bytes(answer.content)
    data = str(told.stage.office.settings.data)
    assert teawatch("center", "keys", "export", "--data", data, "-o", str(keys)).returncode == 0
    assert verify_file(bundle, load_trust(keys), case=CASE).holds
    handed = {hashlib.sha256(PICTURE).hexdigest(), seal_of(answer.content)}
    assert sorted(transfers(told)) == [(sha256, CASE, "to the court") for sha256 in sorted(handed)]


def test_a_bundle_without_files_is_noted_too(web: Web, web_box: Box) -> None:
    web.stage.hear(web_box.write(make_alert(evidence=())).raw)
    web.sign_in()
    answer = web.client.post(f"/api/v1/leads/{CASE}/bundle", json={"reason": "to the court"})
    assert transfers(web) == [(seal_of(answer.content), CASE, "to the court")]


def test_the_page_offers_it_and_its_form_answers_with_the_file(told: Web) -> None:
    token = told.sign_in()
    del told.client.headers["X-CSRF-Token"]
    page = told.client.get(f"/leads/{CASE}").text
    assert f'action="/leads/{CASE}/bundle"' in page
    form = {"csrf_token": token, "reason": "to the court"}
    assert told.client.post(f"/leads/{CASE}/bundle", data=form).content.startswith(b"PK\x03\x04")
    for empty in (" ", "a\0b"):
        assert told.client.post(f"/leads/{CASE}/bundle", data=form | {"reason": empty}).status_code == 422
    assert told.client.post(f"/leads/{CASE}/bundle", data={"reason": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("who", "case", "body", "status"),
    [
        ("technician", CASE, {"reason": "to the court"}, 403),
        ("officer-a", "nothing", {"reason": "to the court"}, 404),
        ("officer-a", CASE, {"reason": "  "}, 422),
        ("officer-a", CASE, {}, 422),
    ],
)
def test_who_may_not_or_says_not_why_gets_nothing(
    told: Web, who: str, case: str, body: dict[str, str], status: int
) -> None:
    told.sign_in(who)
    assert told.client.post(f"/api/v1/leads/{case}/bundle", json=body).status_code == status
    assert transfers(told) == []


def test_the_command_line_writes_the_same_for_its_owner_alone_and_overwrites_nothing(told: Web, tmp_path: Path) -> None:
    data, bundle = str(told.stage.office.settings.data), tmp_path / "bundle.zip"
    words = ("center", "export", CASE, "--data", data, "-o", str(bundle), "--by", "officer-a", "--reason", "court")
    done = teawatch(*words)

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(os.stat(bundle).st_mode) == 0o600  # noqa: PTH116 - as `ls` says it
    again = teawatch(*words)
    assert (again.returncode, "not overwritten" in again.stderr) == (1, True)
    missing = teawatch(*words[:2], "nothing", *words[3:6], str(tmp_path / "other.zip"), *words[7:])
    assert (missing.returncode, "there is no lead" in missing.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".zip")] == ["bundle.zip"]
    assert len(transfers(told)) == 2


@pytest.mark.parametrize(
    ("who", "reason", "said"),
    [
        ("officer-a", "", "says why, in words"),
        ("officer-a", " \t", "says why, in words"),
        ("technician", "to the court", "'technician' may not take evidence out"),
        ("lawyer", "to the court", "'lawyer' may not take evidence out"),
        ("nobody", "to the court", "'nobody' may not take evidence out"),
    ],
)
def test_the_command_line_asks_for_a_reason_and_the_right_that_the_page_asks_for(
    told: Web, tmp_path: Path, who: str, reason: str, said: str
) -> None:
    data, bundle = str(told.stage.office.settings.data), tmp_path / "bundle.zip"
    words = ["export", CASE, "--data", data, "-o", str(bundle), "--by", who, "--reason", reason]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, said in done.stderr, bundle.exists()) == (1, True, False), done.stderr
    assert transfers(told) == []


@pytest.mark.system("postgresql")
def test_what_comes_while_a_bundle_is_made_does_not_spoil_it(postgres: Databases, tmp_path: Path) -> None:
    target = io.BytesIO()
    with postgres.county() as url, open_stage(tmp_path / "centre", database_url=url) as stage:
        box = stage.enrol_box()
        stage.hear(box.write(make_alert(evidence=())).raw)
        with stage.office.database.writing() as session:
            add_user(
                session, tenant=TENANT, name="officer-a", role=Role.OFFICER, password=PASSWORD, language="en", at=NOW
            )
        busy = False

        def hear_more(*told: object) -> None:
            nonlocal busy
            if not busy and str(told[2]).startswith("SELECT"):
                busy = True
                if "FOR UPDATE" in str(told[2]):  # it is made, and its lead held until the hand-over is noted
                    return
                stage.hear(box.write(make_clock()).raw)
                stage.hear(box.write(make_alert(len(box.records) // 2 + 1, Phase.UPDATED)).raw)
                busy = False

        event.listen(stage.office.database.engine, "before_cursor_execute", hear_more)
        hand_out(stage.office, CASE, target, Hand("officer-a", "to the court"))
        event.remove(stage.office.database.engine, "before_cursor_execute", hear_more)
        with stage.office.database.reading() as session:
            trust = trust_of(session, stage.office.notary, at=stage.clock())
    (bundle := tmp_path / "bundle.zip").write_bytes(target.getvalue())
    assert len(box.records) > 20
    assert verify_file(bundle, trust, case=CASE).holds
