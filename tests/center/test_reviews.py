"""Reviews over HTTP: who may, what is answered, and that every word is a leaf of the log."""

import pytest
from sqlalchemy import text

from center.log.records import LogLeaf
from tests.center.log.scene import intruder, verify
from tests.center.stage import BOX, Box, Web, make_alert, make_artefact, make_evidence

PICTURE = b"\xff\xd8 a van \xff\xd9"
LEAD = f"{BOX}.i-1"
YES = {"verdict": "approve", "opinion": "clear and complete", "grounds": "the hash is the announced one"}


@pytest.fixture
def reported(web: Web, web_box: Box) -> Web:
    """A lead whose picture is here."""
    web.stage.hear(web_box.write(make_alert(evidence=(make_artefact(PICTURE),))).raw)
    assert web.bring(web_box, PICTURE).status_code == 201
    return web


def say(web: Web, name: str, **more: str) -> int:
    web.sign_in(name)
    shown = {"shown": web.client.get(f"/api/v1/leads/{LEAD}/reviews").json().get("shown")}
    return web.client.post(f"/api/v1/leads/{LEAD}/reviews", json=YES | shown | more).status_code


def standing(web: Web) -> str:
    told = str(web.client.get(f"/api/v1/leads/{LEAD}").json()["standing"])
    assert told == web.client.get(f"/api/v1/leads/{LEAD}/reviews").json()["standing"]
    return told


def test_two_reviewers_turn_a_lead_into_evidence_and_one_takes_it_back(reported: Web) -> None:
    told = []
    for name, verdict in (("lawyer", "approve"), ("engineer", "approve"), ("engineer", "withdraw")):
        assert say(reported, name, verdict=verdict) == 201
        told.append(standing(reported))
    assert told == ["under_review", "evidence", "under_review"]
    words = reported.client.get(f"/api/v1/leads/{LEAD}/reviews").json()["reviews"]
    assert [(word["part"], word["verdict"], word["reviewer"]) for word in words] == [
        ("legal", "approve", "lawyer"),
        ("technical", "approve", "engineer"),
        ("technical", "withdraw", "engineer"),
    ]
    assert words[0]["files"] == [make_artefact(PICTURE).sha256]


@pytest.mark.parametrize(
    ("name", "more", "status"),
    [
        ("officer-a", {}, 403),
        ("head", {}, 403),
        ("technician", {}, 403),
        ("lawyer", {"verdict": "withdraw"}, 409),
        ("lawyer", {"opinion": "  "}, 422),
        ("lawyer", {"grounds": ""}, 422),
        ("lawyer", {"opinion": "a\0b"}, 422),
        ("lawyer", {"verdict": "perhaps"}, 422),
    ],
)
def test_what_may_not_be_said_is_refused_and_leaves_no_word(
    reported: Web, name: str, more: dict[str, str], status: int
) -> None:
    assert say(reported, name, **more) == status
    reported.sign_in("lawyer")
    assert standing(reported) == "lead"


def test_a_lead_without_a_file_cannot_be_passed_and_an_unknown_one_is_not_there(web: Web, web_box: Box) -> None:
    web.stage.hear(web_box.write(make_alert()).raw)
    assert say(web, "lawyer") == 409
    assert say(web, "lawyer", verdict="reject") == 201
    assert web.client.post("/api/v1/leads/no-such/reviews", json=YES | {"shown": "0" * 64}).status_code == 404


def test_a_word_on_files_that_are_not_those_that_were_shown_is_refused(reported: Web, web_box: Box) -> None:
    reported.sign_in("lawyer")
    shown = reported.client.get(f"/api/v1/leads/{LEAD}/reviews").json()["shown"]
    later = PICTURE + b" and its driver"
    reported.stage.hear(web_box.write(make_evidence(make_artefact(later))).raw)
    assert reported.bring(web_box, later).status_code == 201
    assert say(reported, "lawyer", shown=shown) == 409
    assert standing(reported) == "lead"
    assert say(reported, "lawyer") == 201


def test_every_word_is_a_leaf_and_the_chain_of_custody_tells_what_was_reviewed(reported: Web) -> None:
    say(reported, "lawyer")
    say(reported, "engineer", verdict="reject")
    kinds = [row.kind for row in sorted(reported.stage.all(LogLeaf), key=lambda row: row.number)]
    assert kinds[-4:] == ["review", "custody"] * 2
    chain = reported.client.get(f"/api/v1/leads/{LEAD}/custody").json()
    assert sorted((each["act"], each["who"], each["reason"]) for each in chain) == [
        ("received", BOX, ""),
        ("reviewed", "engineer", "technical: reject"),
        ("reviewed", "lawyer", "legal: approve"),
    ]
    assert verify(reported.stage).troubles == []


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("UPDATE review SET verdict = 'reject'", "was altered"),
        ("UPDATE review SET opinion = 'bought'", "was altered"),
        ("DELETE FROM review", "was removed"),
        ("UPDATE review SET number = 2", "was inserted"),
    ],
)
def test_a_word_that_was_tampered_with_in_the_database_is_found(reported: Web, deed: str, told: str) -> None:
    say(reported, "lawyer")
    with intruder(reported.stage) as session:
        session.execute(text(deed))
    assert any(told in trouble for trouble in verify(reported.stage).troubles)


def test_reviewers_look_and_handle_nothing(reported: Web) -> None:
    reported.sign_in("lawyer")
    sha256 = make_artefact(PICTURE).sha256
    assert reported.client.get(f"/api/v1/evidence/{sha256}").content == PICTURE
    assert reported.client.get("/api/v1/leads").json()["total"] == 1
    assert reported.client.get("/api/v1/tasks").status_code == 403
    move = reported.client.post(f"/api/v1/tasks/{LEAD}/moves", json={"move": "acknowledge"})
    assert move.status_code == 403
