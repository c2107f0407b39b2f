"""The lead's page for reviewers, without scripts: what it is by now, the form, and the chain of custody."""

import re

import httpx
import pytest

from tests.center.pages.markup import faults, read
from tests.center.pages.scene import PARKING, Scene

WORDS = {
    "en": ("A lead, not evidence", "Under review", "Evidence"),
    "zh-CN": ("线索，尚非证据", "审核中", "证据"),
}


def say(
    client: httpx.Client, lead: str, verdict: str = "approve", opinion: str = "clear", **more: str
) -> httpx.Response:
    page = read(client.get(f"/leads/{lead}").text)
    hidden = {each.attributes.get("name"): each.attributes.get("value") for each in page.all("input")}
    wish = {name: hidden[name] for name in ("csrf_token", "shown") if hidden.get(name)}
    wish |= {"verdict": verdict, "opinion": opinion, "grounds": "as announced"}
    headers = {"HX-Request": "true"} if more.pop("part", "") else {}
    return client.post(f"/leads/{lead}/reviews", data=wish | more, headers=headers)


def badge(client: httpx.Client, lead: str) -> str:
    text = client.get(f"/leads/{lead}").text
    assert faults(text) == []
    return text.partition('id="review"')[2].partition("</header>")[0]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_two_reviewers_make_a_lead_evidence_and_the_page_says_so_to_everybody(scene: Scene, language: str) -> None:
    lead = scene.box.see(PARKING, f"reviews-{language}", scene.now)
    before, between, after = WORDS[language]
    with scene.signed_in(language=language) as officer:
        assert before in badge(officer, lead)
        assert "/reviews" not in officer.get(f"/leads/{lead}").text
        with scene.signed_in("lawyer", language=language) as lawyer:
            answer = say(lawyer, lead)
            assert (answer.status_code, answer.headers["location"]) == (303, f"/leads/{lead}#review")
            assert between in badge(lawyer, lead)
        with scene.signed_in("engineer", language=language) as engineer:
            part = say(engineer, lead, opinion="sharp enough", part="yes")
            assert part.status_code == 200
            assert "<html" not in part.text
        assert after in badge(officer, lead)
        text = officer.get(f"/leads/{lead}").text
        assert "sharp enough" in text
        assert "engineer" in text


def test_a_review_that_cannot_be_is_refused_in_words_on_the_page(scene: Scene) -> None:
    lead = scene.box.see(PARKING, "reviews-refused", scene.now)
    with scene.signed_in("lawyer") as lawyer:
        refused = say(lawyer, lead, opinion="  ")
        assert refused.status_code == 422
        assert "A review needs an opinion and its grounds." in refused.text
        assert faults(refused.text) == []
        assert say(lawyer, lead, "withdraw").status_code == 409
        assert say(lawyer, lead, "perhaps").status_code == 422
        assert say(lawyer, lead, opinion="a\0b").status_code == 422
        assert say(lawyer, lead, grounds="a\0b").status_code == 422
        assert say(lawyer, lead, shown="0" * 64).status_code == 409
    with scene.signed_in() as officer:
        assert say(officer, lead).status_code == 403


def test_reviewers_see_no_task_and_no_bundle_but_the_record_and_the_pictures(scene: Scene) -> None:
    lead = scene.box.see(PARKING, "reviews-view", scene.now)
    with scene.signed_in("engineer") as engineer:
        text = engineer.get(f"/leads/{lead}").text
    assert 'id="task"' not in text
    assert "bundle-title" not in text
    assert "The record it stands on" in text
    for path in ("/", "/leads", "/map", "/rooms"):
        with scene.signed_in("engineer") as engineer:
            page = engineer.get(path)
            assert (page.status_code, faults(page.text)) == (200, []), path


def test_the_chain_of_custody_tells_every_look_with_person_reason_and_file(scene: Scene) -> None:
    lead = scene.box.see(PARKING, "reviews-custody", scene.now)
    with scene.signed_in("officer-b") as officer:
        file = officer.get(f"/api/v1/leads/{lead}").json()["files"][0]
        assert officer.get(file["url"], params={"reason": "asked by the court"}).status_code == 200
        text = officer.get(f"/leads/{lead}").text
    chain = text.partition('id="custody"')[2]
    assert "Bundle, by its seal" not in chain
    with scene.signed_in("officer-b") as officer:
        token = re.search(r'name="csrf_token" value="([^"]+)"', officer.get(f"/leads/{lead}").text)
        assert token is not None
        wish = {"reason": "for the judge", "csrf_token": token[1]}
        made = officer.post(f"/leads/{lead}/bundle", data=wish)
        assert made.status_code == 200, made.text
        chain = officer.get(f"/leads/{lead}").text.partition('id="custody"')[2]
    assert "Bundle, by its seal" in chain
    assert "asked by the court" in chain
    assert "officer-b" in chain
    assert file["sha256"] in chain
