"""What the lead's page says about how long its files are kept, and the form of a legal hold, without scripts."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select

from alerts.messages import Phase
from center.evidence.files import Announced
from tests.center.pages.markup import faults, read
from tests.center.pages.scene import PARKING, TENANT, Scene

WORDS = {
    "en": "under the retention rule “Sealed picture: 730 days”. Its hash stays known.",
    "zh-CN": "按保存规则“封存原图：730天”删除，其哈希值仍保留。",
}


def hold(client: httpx.Client, lead: str, reason: str, **more: str) -> httpx.Response:
    page = read(client.get(f"/leads/{lead}").text)
    hidden = {
        each.attributes["name"]: each.attributes["value"] for each in page.all("input") if "value" in each.attributes
    }
    wish = {"csrf_token": hidden["csrf_token"], "holds": hidden.get("holds", "false"), "reason": reason}
    headers = {"HX-Request": "true"} if more.pop("part", "") else {}
    return client.post(f"/leads/{lead}/holds", data=wish | more, headers=headers)


def test_an_officer_holds_and_the_head_releases_and_the_page_says_who_and_why(scene: Scene) -> None:
    lead = scene.box.see(PARKING, "keeping-hold", scene.now)
    with scene.signed_in() as officer:
        answer = hold(officer, lead, "The driver goes to court.")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/leads/{lead}#keeping")
        text = officer.get(f"/leads/{lead}").text
        assert faults(text) == []
        assert "Under legal hold: every file stays" in text
        assert "The driver goes to court." in text
        assert "officer-a · Officer" in text
        assert "Release the legal hold" not in text
        assert hold(officer, lead, "mine", holds="false").status_code == 403
    with scene.signed_in("head") as head:
        part = hold(head, lead, "The court has decided.", part="yes")
        assert part.status_code == 200
        assert "Released from legal hold" in part.text
        assert "<html" not in part.text


@pytest.mark.parametrize(("reason", "status"), [("", 422), ("  ", 422)])
def test_a_hold_without_a_reason_is_refused_in_words(scene: Scene, reason: str, status: int) -> None:
    lead = scene.box.see(PARKING, "keeping-no-reason", scene.now)
    with scene.signed_in() as officer:
        refused = hold(officer, lead, reason)
        assert refused.status_code == status
        assert "Please say why, in a few words." in refused.text
        assert faults(refused.text) == []


def test_an_open_lead_says_that_everything_stays_and_a_finished_one_until_when(scene: Scene) -> None:
    at = scene.now
    lead = scene.box.see(PARKING, "keeping-terms", at)
    with scene.signed_in() as officer:
        assert "Every file stays while the incident goes on" in officer.get(f"/leads/{lead}").text
        scene.box.see(PARKING, "keeping-terms", at, phase=Phase.CLOSED, revision=2)
        page = read(officer.get(f"/leads/{lead}").text)
        hidden = {
            each.attributes["name"]: each.attributes["value"]
            for each in page.all("input")
            if "value" in each.attributes
        }
        wish = {"csrf_token": hidden["csrf_token"], "version": "1", "move": "false_alarm", "note": "a delivery"}
        assert officer.post(f"/tasks/{lead}/moves", data=wish).status_code == 303
        text = officer.get(f"/leads/{lead}").text
    assert "False alarm: 30 days" in text
    ending = (at + timedelta(days=30)).astimezone(ZoneInfo("Asia/Shanghai"))
    assert f"until {ending.day} {ending:%b} {ending.year}" in text


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_deleted_picture_is_said_in_words_in_place_of_a_broken_one(scene: Scene, language: str) -> None:
    lead = scene.box.see(PARKING, f"keeping-deleted-{language}", scene.now)
    with scene.office.database.writing() as session:
        incident = lead.split(".", 1)[1]
        for row in session.scalars(select(Announced).where(Announced.tenant == TENANT, Announced.incident == incident)):
            row.deleted_at, row.deleted_rule = scene.now, "picture:730" if row.role == "picture" else "annotated:365"
    rule = WORDS[language]
    with scene.signed_in(language=language) as officer:
        text = officer.get(f"/leads/{lead}").text
        assert faults(text) == []
        for part in (text, officer.get(f"/leads/{lead}/head").text, officer.get(f"/leads/{lead}/more").text):
            assert rule in part
            assert "<img" not in part
        assert rule in officer.get("/leads").text
