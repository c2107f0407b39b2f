"""Recordings that officers add themselves: sealed as they arrive, shown beside the rest, told to the log."""

import hashlib
import http.client
from contextlib import closing
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from center.evidence.custody import Act
from center.evidence.recordings import kind_of
from center.settings import Settings
from tests.center.log.scene import intruder, verify
from tests.center.stage import BOX, NOW, TENANT, Box, Web, make_alert, open_web

LEAD = f"{BOX}.i-1"
FILM = b"\x00\x00\x00\x18ftypisom" + b" what the officer saw" * 50
SHA256 = hashlib.sha256(FILM).hexdigest()
TOLD = {"source": "body_worn", "note": "the driver was told why", "taken_at": (NOW - timedelta(minutes=3)).isoformat()}


@pytest.fixture
def reported(web: Web, web_box: Box) -> Web:
    web.stage.hear(web_box.write(make_alert()).raw)
    web.sign_in()
    return web


def add(web: Web, data: bytes = FILM, lead: str = LEAD, **more: str | None) -> httpx.Response:
    told: dict[str, Any] = {name: value for name, value in (TOLD | more).items() if value is not None}
    return web.client.post(f"/api/v1/recordings/{lead}", files={"file": ("IMG_1.mp4", data, "text/html")}, data=told)


def test_a_recording_is_sealed_as_it_arrives_and_had_back_byte_for_byte(reported: Web) -> None:
    answer = add(reported)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["sha256"], told["size_bytes"], told["media_type"]) == (SHA256, len(FILM), "video/mp4")
    assert (told["added_by"], told["source"], told["note"]) == ("officer-a", "body_worn", TOLD["note"])
    assert reported.client.get(f"/api/v1/recordings/{LEAD}").json() == [told]
    got = reported.client.get(told["url"])
    assert (got.content, got.headers["content-type"]) == (FILM, "video/mp4")
    files = reported.client.get(f"/api/v1/leads/{LEAD}").json()["files"]
    assert [(file["role"], file["sha256"]) for file in files] == [("recording", SHA256)]


def test_the_log_and_the_chain_of_custody_tell_who_added_what_with_what_words(reported: Web) -> None:
    add(reported)
    chain = reported.client.get(f"/api/v1/leads/{LEAD}/custody").json()
    assert [(each["act"], each["who"], each["reason"]) for each in chain] == [(Act.ADDED, "officer-a", TOLD["note"])]
    assert verify(reported.stage).troubles == []
    with intruder(reported.stage) as session:
        session.execute(text("UPDATE recording SET note = 'something else'"))
    assert any(f"recording {LEAD}/{SHA256}" in trouble for trouble in verify(reported.stage).troubles)


@pytest.mark.parametrize(
    ("data", "more", "status"),
    [
        (b"#!/bin/sh\n", {}, 422),
        (b"<svg onload='x'/>", {}, 422),
        (b"", {}, 422),
        (FILM, {"note": " "}, 422),
        (FILM, {"note": None}, 422),
        (FILM, {"note": "a\0b"}, 422),
        (FILM, {"source": "drone"}, 422),
        (FILM, {"taken_at": (NOW + timedelta(seconds=1)).isoformat()}, 422),
        (FILM, {"taken_at": "2026-11-19T02:00:00"}, 422),
        (FILM, {"lead": "no-such.lead"}, 404),
    ],
)
def test_what_is_no_recording_of_this_lead_is_refused_and_adds_nothing(
    reported: Web, data: bytes, more: dict[str, Any], status: int
) -> None:
    answer = add(reported, data, **more)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert reported.client.get(f"/api/v1/recordings/{LEAD}").json() == []
    assert not reported.stage.office.evidence.has(hashlib.sha256(data).hexdigest()), "nor is anything stored"


def test_the_same_file_is_added_once_to_a_lead_and_again_to_another(reported: Web, web_box: Box) -> None:
    reported.stage.hear(web_box.write(make_alert(incident="i-2")).raw)
    assert [add(reported).status_code for _ in range(2)] == [201, 409]
    assert add(reported, lead=f"{BOX}.i-2").status_code == 201


@pytest.mark.parametrize(("name", "status"), [("technician", 403), ("lawyer", 403), ("head", 201)])
def test_who_handles_tasks_may_add_and_nobody_else(reported: Web, name: str, status: int) -> None:
    reported.sign_in(name)
    assert add(reported).status_code == status


@pytest.mark.parametrize("path", ["/api/v1/recordings/", "/recordings/"])
@pytest.mark.parametrize("name", [None, "lawyer"])
def test_of_who_may_add_nothing_no_large_body_is_read(reported: Web, name: str | None, path: str) -> None:
    if name is None:
        reported.client.cookies.clear()
    else:
        reported.sign_in(name)
    settings, cookies = reported.stage.office.settings, reported.client.cookies
    url = reported.client.base_url
    with closing(http.client.HTTPConnection(url.host, url.port or 80, timeout=10)) as connection:
        connection.putrequest("POST", path + LEAD)
        connection.putheader("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()))
        connection.putheader("Content-Type", "multipart/form-data; boundary=x")
        connection.putheader("Content-Length", str(settings.web.max_body_kib * 1024 + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_a_form_without_its_token_adds_nothing(reported: Web) -> None:
    del reported.client.headers["X-CSRF-Token"]
    assert add(reported).status_code == 403


def test_a_file_that_is_too_large_is_refused(tmp_path: Any) -> None:
    with open_web(tmp_path / "centre", evidence={"max_file_mib": 1}) as web:
        assert isinstance(web.stage.office.settings, Settings)
        web.stage.hear(web.stage.enrol_box().write(make_alert()).raw)
        web.sign_in()
        assert add(web, FILM + bytes(2**20)).status_code == 422
        too_much = {"file": ("IMG_1.mp4", FILM + bytes(2**21), "video/mp4")}
        with web.client.stream("POST", f"/api/v1/recordings/{LEAD}", files=too_much) as answer:
            assert answer.status_code == 413, "said before the rest is read, of which the line may break"
        assert add(web, FILM + bytes(2**20 - len(FILM))).status_code == 201


def test_a_recording_can_be_what_reviewers_pass(reported: Web) -> None:
    add(reported)
    for name in ("lawyer", "engineer"):
        reported.sign_in(name)
        shown = reported.client.get(f"/api/v1/leads/{LEAD}/reviews").json()["shown"]
        wish = {"verdict": "approve", "opinion": "clear", "grounds": "seen", "shown": shown}
        assert reported.client.post(f"/api/v1/leads/{LEAD}/reviews", json=wish).status_code == 201
    assert reported.client.get(f"/api/v1/leads/{LEAD}").json()["standing"] == "evidence"
    assert TENANT


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("ffd8ffe000104a464946", "image/jpeg"),
        ("89504e470d0a1a0a", "image/png"),
        ("524946460000000057454250", "image/webp"),
        ("524946460000000041564920", "video/x-msvideo"),
        ("00000014667479707174202000000000", "video/quicktime"),
        ("00000018667479706d703432", "video/mp4"),
        ("1a45dfa3", "video/matroska"),
        ("52494646000000005741564520", None),
        ("7f454c46", None),
        ("", None),
    ],
)
def test_what_a_file_is_its_bytes_say(head: str, kind: str | None) -> None:
    assert kind_of(bytes.fromhex(head)) == kind
