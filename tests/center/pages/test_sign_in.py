"""The entrance: right and wrong passwords, slowness for guessers, and the way out."""

from pathlib import Path

import pytest

from tests.center.pages.markup import faults, read
from tests.center.pages.scene import PASSWORD, Scene, open_scene


def test_a_wrong_password_says_so_without_saying_which_half_was_wrong(scene: Scene) -> None:
    with scene.client() as visitor:
        answers = [
            visitor.post("/sign-in", data={"name": name, "password": "not-the-password"})
            for name in ("officer-b", "nobody-at-all")
        ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text.replace("officer-b", "nobody-at-all") == answers[1].text
    assert "The name or the password is wrong." in answers[0].text
    assert faults(answers[0].text) == []


def test_signing_in_leads_back_to_the_wanted_page_and_out_again(scene: Scene) -> None:
    with scene.client() as visitor:
        entered = visitor.post("/sign-in", data={"name": "head", "password": PASSWORD, "back": "/tasks?show=mine"})
        assert (entered.status_code, entered.headers["location"]) == (303, "/tasks?show=mine")
        cookie = entered.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        page = read(visitor.get("/tasks").text)
        token = next(each for each in page.all("input") if each.attributes.get("name") == "csrf_token")
        assert visitor.get("/sign-in?back=/map").headers["location"] == "/map"
        left = visitor.post("/sign-out", data={"csrf_token": token.attributes["value"]})
        assert left.headers["location"] == "/sign-in"
        assert visitor.get("/tasks").status_code == 303


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example"])
def test_signing_in_never_leads_out_of_the_house(scene: Scene, back: str) -> None:
    with scene.client() as visitor:
        entered = visitor.post("/sign-in", data={"name": "head", "password": PASSWORD, "back": back})
        assert entered.headers["location"] == "/"


def test_somebody_who_guesses_is_slowed_down_and_told_for_how_long(tmp_path: Path) -> None:
    with open_scene(tmp_path) as own, own.client() as guesser:
        tries = [guesser.post("/sign-in", data={"name": "head", "password": f"guess-{n}-of-many"}) for n in range(6)]
        assert {answer.status_code for answer in tries} == {401, 429}
        slowed = next(answer for answer in tries if answer.status_code == 429)
        assert int(slowed.headers["retry-after"]) >= 1
        assert "Too many tries." in slowed.text
        assert faults(slowed.text) == []
