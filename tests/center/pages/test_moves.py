"""What an officer does with a task through plain forms: nothing here runs a script."""

import re
from collections.abc import Iterator

import httpx
import pytest

from center.words import languages
from tests.center.pages.markup import faults, read
from tests.center.pages.scene import INTRUSION, PARKING, Scene
from traceability.gs1 import digital_link_path

PARTIAL = {"HX-Request": "true"}


@pytest.fixture
def officer(scene: Scene) -> Iterator[httpx.Client]:
    with scene.signed_in() as client:
        yield client


def fields(client: httpx.Client, task: str) -> dict[str, str]:
    """The hidden fields of the first form for a move."""
    page = read(client.get(f"/tasks/{task}").text)
    names = ("csrf_token", "version")
    hidden = {
        each.attributes["name"]: each.attributes["value"] for each in page.all("input") if "name" in each.attributes
    }
    return {name: hidden[name] for name in names if name in hidden}


def move(client: httpx.Client, task: str, name: str, **more: str) -> httpx.Response:
    headers = PARTIAL if more.pop("part", "") else {}
    return client.post(f"/tasks/{task}/moves", data=fields(client, task) | {"move": name} | more, headers=headers)


def test_a_task_is_walked_to_its_end_and_each_step_says_who_and_when(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(PARKING, "moves-walk", scene.now)
    for name, note in (("acknowledge", ""), ("start", "On the way."), ("rectify", "Gone."), ("close", "")):
        answer = move(officer, task, name, note=note, back=f"/leads/{task}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/leads/{task}#task")
    text = officer.get(f"/leads/{task}").text
    steps = re.findall(r"<strong>([^<]+)</strong>\s*<div class=\"soft\">([^<]+)", text)
    assert [name for name, _ in steps] == ["Closed", "Marked rectified", "Work started", "Acknowledged", "Task opened"]
    assert all("officer-a · Officer" in who for _, who in steps[:4])
    assert "On the way." in text
    assert "Acknowledge</button>" not in text


def test_a_false_alarm_needs_a_reason(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(PARKING, "moves-false", scene.now)
    refused = move(officer, task, "false_alarm", note="  ")
    assert refused.status_code == 422
    assert "Please say why, in a few words." in refused.text
    assert faults(refused.text) == []
    assert move(officer, task, "false_alarm", note="A delivery with a permit.").status_code == 303
    text = officer.get(f"/tasks/{task}").text
    assert "A delivery with a permit." in text
    assert "Called a false alarm" in text


def test_an_illegal_move_is_409_and_changes_nothing(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(PARKING, "moves-illegal", scene.now)
    before = fields(officer, task)
    refused = move(officer, task, "close")
    assert refused.status_code == 409
    assert "Nothing was changed." in refused.text
    assert fields(officer, task) == before


def test_a_form_that_somebody_else_overtook_is_409_and_changes_nothing(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(PARKING, "moves-stale", scene.now)
    stale = fields(officer, task)
    assert move(officer, task, "acknowledge").status_code == 303
    refused = officer.post(f"/tasks/{task}/moves", data=stale | {"move": "start"})
    assert refused.status_code == 409
    assert "Somebody else moved this task in the meantime." in refused.text


def test_a_move_nobody_knows_is_refused(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(PARKING, "moves-unknown", scene.now)
    assert move(officer, task, "explode").status_code == 422


def test_a_form_without_its_token_is_refused(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(PARKING, "moves-token", scene.now)
    data = fields(officer, task) | {"move": "acknowledge"}
    for token in ("", "from-elsewhere"):
        refused = officer.post(f"/tasks/{task}/moves", data=data | {"csrf_token": token})
        assert refused.status_code == 403
        assert "reload its page" in refused.text
    assert fields(officer, task)["version"] == data["version"]


def test_a_script_gets_the_panel_alone_with_the_status_of_the_move(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(PARKING, "moves-part", scene.now)
    answer = move(officer, task, "acknowledge", part="yes")
    assert answer.status_code == 200
    assert answer.text.count("<section") >= 1
    assert "<html" not in answer.text
    refused = move(officer, task, "close", part="yes")
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text


def test_a_script_whose_form_was_refused_gets_a_message_for_the_shelf(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(PARKING, "moves-shelf", scene.now)
    data = fields(officer, task) | {"move": "acknowledge", "csrf_token": "from-elsewhere"}
    refused = officer.post(f"/tasks/{task}/moves", data=data, headers=PARTIAL)
    assert refused.status_code == 403
    assert refused.headers["hx-retarget"] == "[data-toasts]"
    assert "<html" not in refused.text
    with scene.client() as stranger:
        sent = stranger.get(f"/tasks/{task}/panel", headers=PARTIAL)
        assert (sent.status_code, sent.headers["hx-redirect"], sent.text) == (200, "/sign-in", "")


def test_only_the_head_gives_a_task_to_somebody_else_and_opens_it_again(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(INTRUSION, "moves-head", scene.now)
    form = fields(officer, task) | {"officer": "officer-a"}
    assert officer.post(f"/tasks/{task}/officer", data=form).status_code == 403
    with scene.signed_in("head") as head:
        assert "Give it to somebody else" in head.get(f"/tasks/{task}").text
        for nobody in ("nobody-at-all", "technician"):
            refused = head.post(f"/tasks/{task}/officer", data=fields(head, task) | {"officer": nobody})
            assert refused.status_code == 422
            assert "Nobody of this name may handle tasks." in refused.text
        form = fields(head, task) | {"officer": "officer-a"}
        assert head.post(f"/tasks/{task}/officer", data=form).status_code == 303
        assert "<strong>officer-a</strong>" in head.get(f"/tasks/{task}").text
        assert move(head, task, "false_alarm", note="A gardener.").status_code == 303
        assert "Open again" not in officer.get(f"/tasks/{task}").text
        assert move(head, task, "reopen", note="Look once more.").status_code == 303
        assert "To acknowledge" in head.get(f"/tasks/{task}").text


def test_lists_show_whose_tasks_are_open_and_what_they_wait_for(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(PARKING, "moves-list", scene.now)
    assert task in officer.get("/tasks?show=mine").text
    with scene.signed_in("officer-b") as other:
        assert task not in other.get("/tasks?show=mine").text
        assert task in other.get("/tasks?show=open").text
    assert task not in officer.get("/tasks?show=overdue").text
    for name in ("acknowledge", "start", "rectify", "close"):
        move(officer, task, name)
    assert task not in officer.get("/tasks?show=open").text
    assert task in officer.get("/tasks?show=all").text


def test_a_finding_reaches_the_shopper_only_once_it_is_published_and_until_it_is_withdrawn(
    scene: Scene, officer: httpx.Client
) -> None:
    task = scene.box.see(INTRUSION, "moves-finding", scene.now)
    organic = next(pack for pack in scene.packs if pack.lot.startswith("QL-ORG"))
    page = digital_link_path(organic.gtin, organic.lot, organic.serial)
    result = "Somebody walked across plot 1; no input was applied."
    form = fields(officer, task)
    early = officer.post(f"/tasks/{task}/findings", data=form | {"result": result})
    assert early.status_code == 409
    for name in ("acknowledge", "start"):
        move(officer, task, name)
    written = officer.post(
        f"/tasks/{task}/findings", data=form | {"result": result, "measure": "Fence mended.", "language": "en"}
    )
    assert written.status_code == 303
    with scene.client() as shopper:
        assert result not in shopper.get(page).text
        asked = officer.get(publication_of(officer, task))
        assert result in asked.text
        assert faults(asked.text) == []
        assert result not in shopper.get(page).text
        draft = re.search(r'action="(/tasks/[^"]+/publication)"', asked.text)
        assert draft is not None
        assert officer.post(draft.group(1), data=form).status_code == 303
        assert officer.get(draft.group(1)).status_code == 303, "there is nothing left to confirm"
        shown = shopper.get(page).text
        assert result in shown
        assert "Fence mended." in shown
        assert "1 published finding" in shown
        assert "officer-a" not in shown
        assert "Not filmed at this place." in shown
        assert "Stand-in: recorded test footage" in shown
        assert "That was after this packet was packed." in shown
        withdrawal = draft.group(1).replace("publication", "withdrawal")
        assert officer.post(withdrawal, data=form | {"reason": ""}).status_code == 422
        wrong = form | {"reason": "Wrong plot."}
        assert officer.post(withdrawal, data=wrong | {"revoked_at": "2020-01-01T10:00"}).status_code == 409
        assert officer.post(withdrawal, data=wrong | {"revoked_at": ""}).status_code == 303
        assert result not in shopper.get(page).text


@pytest.mark.parametrize("number", ["13800138000", "138 0013 8000", "0578-1234567", "33112519900101123X"])
def test_a_finding_with_a_number_that_may_be_a_persons_is_never_published(
    scene: Scene, officer: httpx.Client, number: str
) -> None:
    task = under_check(scene, officer, "moves-number-" + number.replace(" ", "."))
    form = fields(officer, task)
    officer.post(f"/tasks/{task}/findings", data=form | {"result": f"Reached under {number} on 2026-04-05."})
    asked = officer.get(publication_of(officer, task)).text
    assert "This cannot be published." in asked
    assert "Publish it now" not in asked
    refused = officer.post(publication_of(officer, task).partition("?")[0], data=form)
    assert refused.status_code == 422
    assert "a long number that may be a person" in refused.text
    assert "Published</span>" not in refused.text


def test_the_history_says_who_wrote_published_and_withdrew_a_finding(scene: Scene, officer: httpx.Client) -> None:
    task = under_check(scene, officer, "moves-told")
    form = fields(officer, task)
    officer.post(f"/tasks/{task}/findings", data=form | {"result": "A van stood there.", "language": "en"})
    with scene.signed_in("head") as head:
        address = publication_of(head, task).partition("?")[0]
        assert head.post(address, data=fields(head, task)).status_code == 303
    officer.post(address.replace("publication", "withdrawal"), data=form | {"reason": "Another van."})
    text = officer.get(f"/tasks/{task}").text
    steps = re.findall(r"<strong>([^<]+)</strong>\s*<div class=\"soft\">([^ ]+)", text)
    assert steps[:3] == [
        ("Finding withdrawn", "officer-a"),
        ("Finding published to shoppers", "head"),
        ("Finding written down as a draft", "officer-a"),
    ]
    assert "published by head" in text
    assert "<blockquote>Another van.</blockquote>" in text


def under_check(scene: Scene, client: httpx.Client, incident: str) -> str:
    """A task somebody has started on."""
    task = scene.box.see(PARKING, incident, scene.now)
    for name in ("acknowledge", "start"):
        move(client, task, name)
    return task


def publication_of(client: httpx.Client, task: str) -> str:
    """The address of the step before the only draft is published."""
    found = re.search(r'href="(/tasks/[^"]+/publication[^"]*)"', client.get(f"/tasks/{task}").text)
    assert found is not None
    return found.group(1)


def test_every_language_of_a_finding_is_one_of_the_pages(scene: Scene, officer: httpx.Client) -> None:
    task = scene.box.see(PARKING, "moves-tongue", scene.now)
    for name in ("acknowledge", "start"):
        move(officer, task, name)
    officer.post(f"/tasks/{task}/findings", data=fields(officer, task) | {"result": "Nothing.", "language": "tlh"})
    spoken = re.findall(r'class="finding stack" lang="([^"]+)"', officer.get(f"/tasks/{task}").text)
    assert spoken == ["en"]
    assert set(spoken) <= set(languages())
