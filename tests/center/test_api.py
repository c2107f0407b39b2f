"""The JSON routes: who may what, what they answer, and how they refuse."""

from typing import Any

import httpx
import pytest

from center.accounts.people import set_disabled
from center.evidence.custody import CustodyEvent
from enforcement.task_records import Task, TaskEvent
from tests.center.stage import GARDEN, TENANT, Web, make_alert, make_artefact, make_clock

READ = {
    "/api/v1/leads": {"officer-a", "head"},
    "/api/v1/tasks": {"officer-a", "head"},
    "/api/v1/findings": {"officer-a", "head"},
    "/api/v1/map": {"officer-a", "head", "technician"},
    "/api/v1/cameras": {"officer-a", "head", "technician"},
    "/api/v1/devices": {"officer-a", "head", "technician"},
    "/api/v1/quarantine": {"officer-a", "head", "technician"},
}


@pytest.fixture
def reported(web: Web) -> str:
    """A street lead and a garden lead; the street's task id."""
    box = web.stage.enrol_box()
    web.stage.hear(box.write(make_alert(evidence=(make_artefact(),))).raw)
    web.stage.hear(box.write(make_alert(incident="i-2", camera=GARDEN, kind="garden.intrusion")).raw)
    return "box-demo-01.i-1"


def move(web: Web, task: str, name: str, **more: Any) -> httpx.Response:
    return web.client.post(f"/api/v1/tasks/{task}/moves", json={"move": name, **more})


@pytest.mark.usefixtures("reported")
def test_each_route_opens_to_its_roles_and_to_nobody_else(web: Web) -> None:
    assert {path: web.client.get(path).status_code for path in READ} == dict.fromkeys(READ, 401)
    for name in ("officer-a", "head", "technician"):
        web.sign_in(name)
        seen = {path: web.client.get(path).status_code for path in READ}
        assert seen == {path: 200 if name in allowed else 403 for path, allowed in READ.items()}


def test_a_lead_tells_why_it_was_reported_what_it_concerns_and_whose_task_it_is(web: Web, reported: str) -> None:
    web.sign_in()

    listed = web.client.get("/api/v1/leads").json()
    lead = web.client.get("/api/v1/leads/box-demo-01.i-2").json()

    assert (listed["total"], len(listed["items"])) == (2, 2)
    assert lead["because"]["clauses"][0]["name"] == "standing_time"
    assert {link["target_kind"] for link in lead["links"]} >= {"plot", "party", "leaf_card"}
    assert lead["task_id"] == lead["id"]
    (file,) = web.client.get(f"/api/v1/leads/{reported}").json()["files"]
    assert file["arrived_at"] is None


@pytest.mark.usefixtures("reported")
def test_lists_are_filtered_and_come_in_pages(web: Web) -> None:
    web.sign_in()

    assert web.client.get("/api/v1/leads", params={"camera": GARDEN}).json()["total"] == 1
    assert web.client.get("/api/v1/tasks", params={"state": "closed"}).json()["items"] == []
    assert web.client.get("/api/v1/tasks", params={"officer": "officer-a"}).json()["total"] >= 1
    pages = [web.client.get("/api/v1/leads", params={"limit": 1, "offset": n}).json()["items"] for n in range(3)]
    assert [len(page) for page in pages] == [1, 1, 0]
    assert pages[0] != pages[1]
    for wrong in ({"limit": 0}, {"limit": 201}, {"offset": -1}, {"state": "nowhere"}):
        assert web.client.get("/api/v1/tasks", params=wrong).status_code == 422


def test_a_task_goes_its_way_and_the_history_says_who_and_when(web: Web, reported: str) -> None:
    web.sign_in()
    for name, state in (
        ("acknowledge", "acknowledged"),
        ("start", "started"),
        ("rectify", "rectified"),
        ("close", "closed"),
    ):
        assert name in web.client.get(f"/api/v1/tasks/{reported}").json()["moves"]
        answer = move(web, reported, name)
        assert (answer.status_code, answer.json()["state"]) == (200, state)

    history = web.client.get(f"/api/v1/tasks/{reported}").json()["history"]
    assert [step["move"] for step in history] == ["open", "acknowledge", "start", "rectify", "close"]
    assert {step["by_user"] for step in history[1:]} == {"officer-a"}
    assert all(step["at"].startswith("2026-11-19T02:00:00") for step in history)


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"move": "close"}, 409),
        ({"move": "rectify"}, 409),
        ({"move": "acknowledge", "version": 7}, 409),
        ({"move": "false_alarm"}, 422),
        ({"move": "false_alarm", "note": "   "}, 422),
        ({"move": "reopen", "note": "why not"}, 403),
        ({"move": "fly"}, 422),
        ({}, 422),
    ],
)
def test_an_illegal_move_is_refused_and_changes_nothing(
    web: Web, reported: str, wish: dict[str, Any], status: int
) -> None:
    web.sign_in()
    before = [repr(row.__dict__) for row in web.stage.all(TaskEvent)]

    answer = web.client.post(f"/api/v1/tasks/{reported}/moves", json=wish)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]
    assert len(web.stage.all(TaskEvent)) == len(before)
    assert {(task.state, task.version) for task in web.stage.all(Task)} == {("opened", 1)}


def test_the_head_gives_a_task_to_an_officer_and_an_officer_cannot(web: Web, reported: str) -> None:
    path, wish = f"/api/v1/tasks/{reported}/officer", {"officer": "officer-b"}
    web.sign_in("officer-a")
    assert web.client.post(path, json=wish).status_code == 403
    web.sign_in("head")
    assert web.client.post(path, json=wish).json()["officer"] == "officer-b"


@pytest.mark.parametrize("name", ["nobody-at-all", "technician", "officer-b"])
def test_a_task_goes_to_nobody_who_may_not_handle_it(web: Web, reported: str, name: str) -> None:
    with web.stage.office.database.writing() as session:
        set_disabled(session, tenant=TENANT, name="officer-b", disabled=True)
    web.sign_in("head")

    answer = web.client.post(f"/api/v1/tasks/{reported}/officer", json={"officer": name})

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    task = web.client.get(f"/api/v1/tasks/{reported}").json()
    assert (task["officer"], task["version"], len(task["history"])) == ("officer-a", 1, 1)


def test_a_finding_is_written_published_and_withdrawn_with_a_reason(web: Web, reported: str) -> None:
    web.sign_in("officer-a")
    written = {"result": "A van stood on the double yellow line.", "language": "en"}
    assert web.client.post(f"/api/v1/tasks/{reported}/findings", json=written).status_code == 409, "not looked at yet"
    for name in ("acknowledge", "start"):
        move(web, reported, name)
    finding = web.client.post(f"/api/v1/tasks/{reported}/findings", json=written).json()
    assert finding["status"] == "draft"

    web.sign_in("head")
    path = f"/api/v1/findings/{finding['id']}"
    assert web.client.post(f"{path}/withdrawal", json={"reason": "early"}).status_code == 409
    assert web.client.post(f"{path}/publication").json()["status"] == "published"
    assert web.client.post(f"{path}/publication").status_code == 409
    assert web.client.post(f"{path}/withdrawal", json={}).status_code == 422
    early = {"reason": "revoked", "revoked_at": "0001-01-01T00:00:00+14:00"}
    assert web.client.post(f"{path}/withdrawal", json=early).status_code == 409
    withdrawn = web.client.post(f"{path}/withdrawal", json=early | {"revoked_at": "2026-11-19T10:00:00+08:00"}).json()
    assert withdrawn["status"] == "withdrawn"
    assert withdrawn["withdraw_by"].startswith("2026-11-24T16:00:00"), "three working days, to midnight in Shanghai"
    assert web.client.get("/api/v1/findings", params={"status": "withdrawn"}).json()["total"] == 1


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/leads/none",
        "/api/v1/tasks/none",
        "/api/v1/evidence/" + "0" * 64,
        "/api/v1/nothing",
        "/api/v1/leads/%00",
    ],
)
def test_what_is_not_there_is_a_404_in_json(web: Web, path: str) -> None:
    web.sign_in()
    answer = web.client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_the_devices_page_knows_gaps_forks_and_rejections(web: Web) -> None:
    box = web.stage.enrol_box()
    first, _, third = (box.write(make_clock(number)) for number in range(3))
    for record in (first, third):
        web.stage.hear(record.raw)
    web.sign_in("technician")

    (device,) = web.client.get("/api/v1/devices").json()

    (journal,) = device["journals"]
    assert journal["gaps"] == [{"first": 2, "last": 2}]
    assert (journal["cumulative"], journal["highest"], journal["forks"]) == (1, 3, 0)


def test_the_quarantine_is_counted_and_its_bytes_stay_inside(web: Web) -> None:
    web.stage.enrol_box()
    for _ in range(3):
        web.stage.hear(b"secret nonsense")
    web.sign_in("technician")

    answer = web.client.get("/api/v1/quarantine")

    assert answer.json()["counts"] == {"malformed": 3}
    assert answer.json()["items"][0]["count"] == 3
    assert "secret" not in answer.text


def test_the_map_draws_the_register_and_no_lead(web: Web, reported: str) -> None:
    web.sign_in("technician")
    answer = web.client.get("/api/v1/map")

    assert answer.headers["content-type"] == "application/geo+json"
    layers = {feature["properties"]["layer"] for feature in answer.json()["features"]}
    assert {"grid", "plot", "plant", "view"} <= layers
    assert "lead" not in layers
    assert reported not in answer.text


def test_health_is_open_to_all_and_says_which_part_does_not_work(web: Web) -> None:
    answer = web.client.get("/api/v1/health")
    assert answer.status_code == 503, "no broker runs in this test"
    assert answer.json() == {
        "status": "trouble",
        "database": True,
        "broker": False,
        "subscriber": False,
        "intake": True,
        "evidence": True,
        "clock": True,
        "log": True,
    }


@pytest.mark.parametrize("path", ["/api/v1/health", "/openapi.json", "/api/v1/leads", "/sign-in", "/static/mark.svg"])
def test_every_answer_carries_the_headers_that_keep_pages_safe(web: Web, path: str) -> None:
    headers = web.client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    if path.startswith("/api/"):
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(web: Web, chunked: bool) -> None:
    body = b'{"username": "' + b"x" * 2_000_000 + b'"}'
    content: Any = iter([body[:1_000_000], body[1_000_000:]]) if chunked else body

    try:
        answer = web.client.post("/api/v1/session", content=content, headers={"Content-Type": "application/json"})
    except httpx.WriteError:
        return  # the server hung up while we were still talking
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


def test_nothing_is_read_from_another_place_than_this_server(web: Web) -> None:
    assert web.client.get("/docs").status_code == 404
    assert web.client.get("/redoc").status_code == 404


def test_a_look_at_a_list_is_no_look_at_a_picture(web: Web, reported: str) -> None:
    web.sign_in()
    web.client.get(f"/api/v1/leads/{reported}")
    assert web.stage.all(CustodyEvent) == []
