"""A key revoked back to an earlier record: what rests on later ones is marked, for everybody, and used no more."""

from dataclasses import replace

import httpx
import pytest
from alembic import command
from sqlalchemy import select
from typer.testing import CliRunner

from alerts.leaves import LeafKind
from alerts.messages import Phase
from center.boxes.distrust import distrust_beyond
from center.boxes.keys import revoke
from center.cli import app
from center.intake.filing import Outcome
from center.intake.quarantine import Limits
from center.log.records import LogOpening
from center.schema import configuration, migrate
from enforcement.distrust import DistrustedRecord
from tests.center.log.scene import verify
from tests.center.stage import (
    BOX,
    TENANT,
    Box,
    Stage,
    Web,
    make_alert,
    make_artefact,
    make_clock,
    make_evidence,
)

PICTURE = b"\xff\xd8 a van \xff\xd9"
LEAD = f"{BOX}.i-1"
YES = {"verdict": "approve", "opinion": "clear and complete", "grounds": "the hash is the announced one"}


@pytest.fixture
def reported(web: Web, web_box: Box) -> Web:
    """A lead of two records, numbers 1 and 3, whose task was started."""
    for data in (make_alert(evidence=(make_artefact(PICTURE),)), make_clock(), make_alert(2, Phase.UPDATED)):
        web.stage.hear(web_box.write(data).raw)
    assert web.bring(web_box, PICTURE).status_code == 201
    web.sign_in("officer-a")
    for what in ("acknowledge", "start"):
        assert move(web, what).status_code == 200
    return web


def move(web: Web, what: str, note: str = "third time this week") -> httpx.Response:
    return web.client.post(f"/api/v1/tasks/{LEAD}/moves", json={"move": what, "note": note})


def review(web: Web, *names: str) -> None:
    for name in names:
        web.sign_in(name)
        shown = {"shown": web.client.get(f"/api/v1/leads/{LEAD}/reviews").json()["shown"]}
        assert web.client.post(f"/api/v1/leads/{LEAD}/reviews", json=YES | shown).status_code == 201
    web.sign_in("officer-a")


def shut_out(stage: Stage, last: int | None = None) -> None:
    """As `teawatch center revoke` does."""
    with stage.office.database.writing() as session:
        revoke(session, tenant=TENANT, name=BOX, at=stage.clock(), last=last)
        distrust_beyond(session, tenant=TENANT, device=BOX, limits=Limits(4096, 100), at=stage.clock())


def test_a_penalty_is_refused_with_the_review_that_is_missing_and_taken_with_both(reported: Web) -> None:
    for names, missing in (((), "the legal and the technical review"), (("lawyer",), "the technical review")):
        review(reported, *names)
        refused = move(reported, "propose_penalty")
        assert refused.status_code == 409
        assert missing in refused.json()["detail"]
    review(reported, "engineer")

    proposed = move(reported, "propose_penalty").json()

    assert (proposed["state"], proposed["moves"]) == ("penalty_proposed", ["withdraw_proposal"])
    assert proposed["history"][-1]["note"] == "third time this week"
    told = {key: proposed["proposal"][key] for key in ("by_user", "by_role", "reason", "stands", "lacks")}
    assert told == {
        "by_user": "officer-a",
        "by_role": "officer",
        "reason": "third time this week",
        "stands": True,
        "lacks": [],
    }
    used = [each for each in reported.client.get(f"/api/v1/leads/{LEAD}/custody").json() if each["act"] == "relied_on"]
    assert [(each["sha256"], each["who"], each["reason"]) for each in used] == [
        (make_artefact(PICTURE).sha256, "officer-a", "third time this week")
    ]
    assert move(reported, "hand_over").status_code == 403, "the head does"
    reported.sign_in("head")
    assert move(reported, "hand_over").json()["state"] == "closed"
    assert verify(reported.stage).troubles == []


def test_a_key_that_is_revoked_back_before_a_record_takes_the_lead_out_of_every_penalty(reported: Web) -> None:
    review(reported, "lawyer", "engineer")
    assert move(reported, "propose_penalty").status_code == 200

    shut_out(reported.stage, last=2)

    lead = reported.client.get(f"/api/v1/leads/{LEAD}").json()
    assert lead["standing"] == "distrusted"
    assert [(each["sequence"], each["last"]) for each in lead["distrusted"]] == [(3, 2)]
    task = reported.client.get(f"/api/v1/tasks/{LEAD}").json()
    assert (task["state"], task["proposal"]["stands"]) == ("penalty_proposed", False)
    assert task["proposal"]["lacks"] == ["distrusted"]
    assert (task["history"][-1]["move"], task["history"][-1]["by_user"]) == ("distrusted", "system")
    reported.sign_in("head")
    refused = move(reported, "hand_over")
    assert refused.status_code == 409
    assert "rests on record 3, and of that key none after 2 is trusted any more" in refused.json()["detail"]


@pytest.mark.parametrize("last", [3, None])
def test_a_lead_of_records_up_to_the_last_trusted_one_stays_what_it_was(reported: Web, last: int | None) -> None:
    review(reported, "lawyer", "engineer")
    shut_out(reported.stage, last=last)
    assert reported.client.get(f"/api/v1/leads/{LEAD}").json()["standing"] == "evidence"
    assert move(reported, "propose_penalty").status_code == 200


def test_a_file_announced_beyond_the_end_marks_the_lead_even_if_its_alert_comes_later(stage: Stage, box: Box) -> None:
    late = box.write(make_alert())
    stage.hear(box.write(make_evidence(make_artefact(PICTURE))).raw)
    shut_out(stage, last=1)

    assert stage.hear(late.raw) is Outcome.STORED
    assert [row.lead_id for row in stage.all(DistrustedRecord)] == [LEAD]


def test_what_an_old_key_signed_beyond_its_rotation_marks_its_lead_once_the_rotation_comes(
    stage: Stage, box: Box
) -> None:
    thief = Box(replace(box.identity), box.epoch)
    stage.hear(box.write(make_clock()).raw)
    thief.records = [*box.records, box.rotate()]
    assert stage.hear(thief.write(make_alert()).raw) is Outcome.STORED, "nobody knows yet"
    assert stage.all(DistrustedRecord) == []

    stage.hear(box.records[-1].raw)

    assert [(row.lead_id, row.sequence, row.last) for row in stage.all(DistrustedRecord)] == [(LEAD, 3, 2)]


def test_a_revocation_from_before_leads_were_marked_marks_them_with_the_step_to_a_version_that_does(
    stage: Stage, box: Box
) -> None:
    for number in range(3):
        stage.hear(box.write(make_alert(incident=f"i-{number}")).raw)
    with stage.office.database.writing() as session:
        revoke(session, tenant=TENANT, name=BOX, at=stage.clock(), last=1)
        command.downgrade(configuration(session.connection()), "0014")

    migrate(stage.office.database)

    marked = [(row.lead_id, row.sequence, row.last) for row in stage.all(DistrustedRecord)]
    assert marked == [(f"{BOX}.i-1", 2, 1), (f"{BOX}.i-2", 3, 1)]
    assert verify(stage).troubles == []


def key_leaves(stage: Stage) -> list[dict[str, object]]:
    with stage.office.database.reading() as session:
        rows = select(LogOpening).where(LogOpening.kind == LeafKind.KEY.value).order_by(LogOpening.number)
        return [row.opening.fields for row in session.scalars(rows)]


def test_the_log_holds_up_to_where_a_revoked_key_is_trusted_also_when_that_is_less_later(
    stage: Stage, box: Box
) -> None:
    for number in range(4):
        stage.hear(box.write(make_clock(number)).raw)
    for last in (None, 3, 3, 1):
        shut_out(stage, last)

    told = [(leaf["act"], leaf.get("last")) for leaf in key_leaves(stage)]
    assert told == [
        ("enrolled", {}),
        ("revoked", {"epoch-1": 4}),
        ("curtailed", {"epoch-1": 3}),
        ("curtailed", {"epoch-1": 1}),
    ]
    assert verify(stage).troubles == []


def test_the_command_names_the_leads_that_are_no_evidence_any_more(stage: Stage, box: Box) -> None:
    for number in range(3):
        stage.hear(box.write(make_alert(incident=f"i-{number}")).raw)

    done = CliRunner().invoke(app, ["revoke", BOX, "--last", "1", "--data", str(stage.office.settings.data)])

    assert done.stdout.splitlines() == [
        f"{BOX} is shut out; `teawatch center keys show {BOX}` shows up to where its records are trusted",
        "2 records beyond it had come already: the quarantine lists them",
        f"{BOX}.i-1 rests on one of them: it is no evidence any more, whatever was said of it",
        f"{BOX}.i-2 rests on one of them: it is no evidence any more, whatever was said of it",
    ]
