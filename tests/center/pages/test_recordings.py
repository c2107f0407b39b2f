"""Adding a recording on the lead's page, without scripts."""

import httpx
import pytest

from tests.center.pages.markup import faults, read
from tests.center.pages.scene import PARKING, Scene

PICTURE = bytes.fromhex("ffd8ffe000104a464946") + b" a picture of a phone"


def add(client: httpx.Client, lead: str, data: bytes = PICTURE, **more: str) -> httpx.Response:
    page = read(client.get(f"/leads/{lead}").text)
    token = next(each for each in page.all("input") if each.attributes.get("name") == "csrf_token")
    told = {"csrf_token": token.attributes["value"], "source": "hand_held", "note": "the plate, close"} | more
    return client.post(f"/recordings/{lead}", data=told, files={"file": ("a.jpg", data, "image/jpeg")})


@pytest.mark.parametrize(("language", "source"), [("en", "Camera or phone in the hand"), ("zh-CN", "手持相机或手机")])
def test_an_officer_adds_a_picture_and_the_page_shows_it_with_who_when_and_why(
    scene: Scene, language: str, source: str
) -> None:
    lead = scene.box.see(PARKING, f"recordings-{language}", scene.now)
    with scene.signed_in(language=language) as officer:
        answer = add(officer, lead, taken_at="2026-01-02T08:30")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/leads/{lead}#recordings")
        text = officer.get(f"/leads/{lead}").text
    assert faults(text) == []
    section = text.partition('id="recordings"')[2].partition("</section>")[0]
    for words in (source, "the plate, close", "officer-a", "08:30:00", "/thumbnail"):
        assert words in section, words


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"data": b"no picture"}, 422, "cannot be added"),
        ({"note": " "}, 422, "what the recording shows"),
        ({"taken_at": "yesterday"}, 422, "cannot be added"),
    ],
)
def test_what_cannot_be_added_is_said_on_the_page(scene: Scene, more: dict[str, str], status: int, words: str) -> None:
    lead = scene.box.see(PARKING, f"recordings-bad-{words[:4]}-{len(more)}", scene.now)
    with scene.signed_in() as officer:
        answer = add(officer, lead, **more)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert words in answer.text
    assert faults(answer.text) == []


def test_a_lead_that_is_not_there_takes_nothing_and_a_reviewer_sees_no_form(scene: Scene) -> None:
    lead = scene.box.see(PARKING, "recordings-none", scene.now)
    with scene.signed_in() as officer:
        page = read(officer.get(f"/leads/{lead}").text)
        token = next(each for each in page.all("input") if each.attributes.get("name") == "csrf_token")
        told = {"csrf_token": token.attributes["value"], "source": "hand_held", "note": "x"}
        gone = officer.post("/recordings/no-such", data=told, files={"file": ("a.jpg", PICTURE, "image/jpeg")})
        assert gone.status_code == 404
    with scene.signed_in("engineer") as engineer:
        text = engineer.get(f"/leads/{lead}").text
    assert 'id="recordings"' in text
    assert "recording-file" not in text
