"""Proposing a penalty on the page of a task, without scripts, and what stands there of a lead that lost trust."""

import httpx
import pytest

from center.database import Database
from center.handlers import route
from enforcement.distrust import Doubt, distrust_records
from tests.center.pages.markup import faults
from tests.center.pages.scene import PARKING, TENANT, Scene
from tests.center.pages.test_moves import move
from tests.center.pages.test_reviews import say

WORDS = {
    "en": {
        "none": "No legal reviewer has passed the lead as it is now.",
        "barred": "No penalty may rest on this lead as it stands (Administrative Penalty Law, art. 41):",
        "refused": "No penalty may rest on this lead (Administrative Penalty Law, art. 41). Nothing was changed.",
        "proposed": "A penalty is proposed.",
        "button": "Propose a penalty</button>",
        "doubt": "of the key that signed it only records up to 2 are trusted",
        "badge": "Not to be relied on",
        "stuck": "It cannot go on as it stands:",
        "noted": "A record it rests on is trusted no more",
    },
    "zh-CN": {
        "none": "线索现状尚未通过法制审核。",
        "barred": "该线索目前不得作为行政处罚的依据（《行政处罚法》第四十一条）：",
        "refused": "该线索不得作为行政处罚的依据（《行政处罚法》第四十一条）。未作任何更改。",
        "proposed": "已建议行政处罚。",
        "button": "建议行政处罚</button>",
        "doubt": "而签署该记录的密钥仅在第 2 条及之前可信",
        "badge": "不可采信",
        "stuck": "目前不能继续：",
        "noted": "其依据的一条记录已不可信",
    },
}


def distrust(database: Database, lead: str, scene: Scene) -> None:
    doubt = Doubt(lead, "1" * 64, "epoch-1", 3, 2, "ed25519:" + "0" * 32)
    with database.writing() as session:
        route(session, distrust_records(session, tenant=TENANT, doubts=[doubt], at=scene.now))


def pages(client: httpx.Client, lead: str) -> dict[str, str]:
    found = {room: client.get(f"/{room}/{lead}").text for room in ("leads", "tasks")}
    assert {room: faults(text) for room, text in found.items()} == {"leads": [], "tasks": []}
    return found


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_penalty_is_proposed_once_both_reviewers_have_passed_the_lead_and_not_before(
    scene: Scene, language: str
) -> None:
    words, lead = WORDS[language], scene.box.see(PARKING, f"penalties-{language}", scene.now)
    with scene.signed_in(language=language) as officer:
        for name in ("acknowledge", "start"):
            move(officer, lead, name)
        before = pages(officer, lead)["tasks"]
        assert words["barred"] in before
        assert words["none"] in before
        assert words["button"] not in before
        refused = move(officer, lead, "propose_penalty", note="The third time.")
        assert refused.status_code == 409
        assert words["refused"] in refused.text
        assert words["none"] in refused.text
        for name in ("lawyer", "engineer"):
            with scene.signed_in(name) as reviewer:
                assert say(reviewer, lead).status_code == 303
        assert words["button"] in pages(officer, lead)["tasks"]
        assert move(officer, lead, "propose_penalty", note="  ").status_code == 422
        assert move(officer, lead, "propose_penalty", note="The third time.").status_code == 303
        after = pages(officer, lead)["tasks"]
        assert words["proposed"] in after
        assert "The third time." in after
        assert words["stuck"] not in after
        assert 'name="move" value="hand_over"' not in after


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_lead_that_lost_trust_says_so_wherever_it_stands_and_its_proposal_is_stuck(
    scene: Scene, language: str
) -> None:
    words, lead = WORDS[language], scene.box.see(PARKING, f"distrusted-{language}", scene.now)
    for name in ("lawyer", "engineer"):
        with scene.signed_in(name) as reviewer:
            assert say(reviewer, lead).status_code == 303
    with scene.signed_in(language=language) as officer, scene.signed_in("head", language=language) as head:
        for name in ("acknowledge", "start", "propose_penalty"):
            assert move(officer, lead, name, note="The third time.").status_code == 303
        assert 'name="move" value="hand_over"' in pages(head, lead)["tasks"]

        distrust(scene.office.database, lead, scene)

        for text in pages(officer, lead).values():
            assert words["doubt"] in text
            assert words["stuck"] in text
            assert words["noted"] in text
        for room in ("/leads", "/tasks?show=all"):
            assert words["badge"] in officer.get(room).text
        assert 'name="move" value="hand_over"' not in pages(head, lead)["tasks"]
        assert words["refused"] in move(head, lead, "hand_over", note="To be filed.").text
        assert move(officer, lead, "withdraw_proposal", note="The key was stolen.").status_code == 303
