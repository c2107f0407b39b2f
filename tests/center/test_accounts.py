"""Signing in: slowed down when guessed, bound to one browser, ended for good; forms only from our own pages."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from center.accounts.passwords import check_password, hash_password
from center.accounts.people import SignIn, add_user, make_password, reset_password, set_disabled
from center.accounts.throttle import Throttle
from center.errors import NameTaken, UnknownAccount, WeakPassword
from enforcement.actors import Role
from tests.center.stage import NOW, PASSWORD, TENANT, Web, make_alert, open_web


def try_to_sign_in(web: Web, name: str, password: str) -> tuple[int, str]:
    answer = web.client.post("/api/v1/session", json={"username": name, "password": password})
    return answer.status_code, answer.headers.get("retry-after", "")


def test_a_session_says_who_and_ends_with_signing_out(web: Web) -> None:
    web.sign_in("head")

    assert web.client.get("/api/v1/session").json()["role"] == "head"
    assert web.client.delete("/api/v1/session").status_code == 204
    assert web.client.get("/api/v1/session").status_code == 401
    assert web.stage.count(SignIn) == 0


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_its_token_is_not_stored(web: Web) -> None:
    answer = web.client.post("/api/v1/session", json={"username": "head", "password": PASSWORD})

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie, "over plain http on this machine"
    token = web.client.cookies["teawatch_session"]
    with web.stage.office.database.reading() as session:
        assert token not in str(session.execute(text("SELECT * FROM sign_in")).all())


@pytest.mark.parametrize("page", [False, True], ids=["program", "page"])
def test_behind_a_proxy_with_tls_cookies_insist_on_it_though_the_proxy_speaks_http_to_us(
    tmp_path: Path, page: bool
) -> None:
    with open_web(tmp_path / "centre", web={"public_url": "https://tea.example"}) as web:
        credentials = {"password": PASSWORD}
        if page:
            answer = web.client.post("/sign-in", data=credentials | {"name": "head"})
        else:
            answer = web.client.post("/api/v1/session", json=credentials | {"username": "head"})
        language = web.client.get("/language/en")

    for each in (answer, language):
        assert "; secure" in each.headers["set-cookie"].lower()


def test_who_chose_no_language_and_whose_browser_names_none_reads_that_of_the_account(tmp_path: Path) -> None:
    def spoken(headers: Mapping[str, str]) -> str:
        answer = web.client.get("/tasks", headers=headers)
        assert answer.status_code == 200
        return answer.headers["content-language"]

    with open_web(tmp_path / "centre", language="zh-CN") as web:
        assert web.client.get("/sign-in").headers["content-language"] == "zh-CN", "the office's"
        web.sign_in()
        assert (spoken({}), spoken({"Accept-Language": "zh"})) == ("en", "zh-CN")
        web.client.get("/language/zh-CN")
        assert spoken({}) == "zh-CN"


def test_pages_tell_the_time_of_the_countys_own_zone(tmp_path: Path) -> None:
    for zone, time in (("Asia/Shanghai", "10:00:00"), ("Asia/Urumqi", "08:00:00")):
        with open_web(tmp_path / zone, time_zone=zone) as web:
            web.stage.hear(web.stage.enrol_box().write(make_alert()).raw)
            web.sign_in()
            assert f"19 Nov 2026, {time}" in web.client.get("/leads/box-demo-01.i-1").text


def test_guessing_grows_slow_for_known_and_unknown_names_alike(web: Web) -> None:
    for name in ("head", "nobody-at-all"):
        seen = [try_to_sign_in(web, name, "wrong") for _ in range(5)]
        assert seen == [(401, "")] * 4 + [(429, "1")]

    assert try_to_sign_in(web, "head", PASSWORD)[0] == 429, "not even the right one, before the wait is over"
    web.stage.clock.advance(seconds=1)
    assert try_to_sign_in(web, "head", PASSWORD)[0] == 201


def test_each_further_failure_doubles_the_wait_up_to_five_minutes() -> None:
    throttle, at, waits = Throttle(), NOW, []
    for _ in range(16):
        throttle.failed("account:a", at=at)
        waits.append(throttle.wait_s("account:a", at=at))
        at += timedelta(seconds=waits[-1])

    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]
    assert throttle.wait_s("account:b", at=at) == 0


def test_failures_are_forgotten_after_success_and_after_a_while_and_not_hoarded() -> None:
    throttle = Throttle(free=0, remembered=2)
    for name in ("account:a", "account:b", "account:c"):
        throttle.failed(name, at=NOW)

    assert [throttle.wait_s(f"account:{name}", at=NOW) for name in "abc"] == [0, 1, 1]
    throttle.succeeded("account:b")
    assert throttle.wait_s("account:b", at=NOW) == 0
    for _ in range(3):
        throttle.failed("account:c", at=NOW)
    throttle.failed("account:c", at=NOW + timedelta(hours=1))
    assert throttle.wait_s("account:c", at=NOW + timedelta(hours=1)) == 1


def test_a_session_ends_by_itself(web: Web) -> None:
    web.sign_in()
    web.stage.clock.advance(hours=11, minutes=59)
    assert web.client.get("/api/v1/session").status_code == 200
    web.stage.clock.advance(minutes=1)
    assert web.client.get("/api/v1/session").status_code == 401


def test_a_disabled_account_is_out_at_once(web: Web) -> None:
    web.sign_in()
    with web.stage.office.database.writing() as session:
        set_disabled(session, tenant=TENANT, name="officer-a", disabled=True)

    assert web.client.get("/api/v1/session").status_code == 401
    assert try_to_sign_in(web, "officer-a", PASSWORD)[0] == 401
    with web.stage.office.database.writing() as session:
        set_disabled(session, tenant=TENANT, name="officer-a", disabled=False)
    assert web.client.get("/api/v1/session").status_code == 401, "the old browser stays out"
    assert try_to_sign_in(web, "officer-a", PASSWORD)[0] == 201


def test_a_new_password_signs_out_every_browser(web: Web) -> None:
    web.sign_in("head")
    with web.stage.office.database.writing() as session:
        reset_password(session, tenant=TENANT, name="head", password="another password")

    assert web.client.get("/api/v1/session").status_code == 401
    assert try_to_sign_in(web, "head", PASSWORD)[0] == 401
    assert try_to_sign_in(web, "head", "another password")[0] == 201


@pytest.mark.parametrize("headers", [{"X-CSRF-Token": ""}, {"X-CSRF-Token": "guess"}, {"X-CSRF-Token": "ü"}])
def test_a_change_without_the_sessions_own_token_is_refused(web: Web, headers: Mapping[str, str]) -> None:
    box = web.stage.enrol_box()
    web.stage.hear(box.write(make_alert()).raw)
    web.sign_in()
    task = web.client.get("/api/v1/tasks").json()["items"][0]["id"]
    del web.client.headers["X-CSRF-Token"]
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]

    for given in (raw, []):
        answer = web.client.post(f"/api/v1/tasks/{task}/moves", json={"move": "acknowledge"}, headers=given)
        assert answer.status_code == 403
    assert web.client.get(f"/api/v1/tasks/{task}").json()["state"] == "opened"


def test_the_token_of_another_session_does_not_count(web: Web) -> None:
    stale = web.sign_in("officer-a")
    web.sign_in("officer-a")
    assert web.client.delete("/api/v1/session", headers={"X-CSRF-Token": stale}).status_code == 403


def test_passwords_are_salted_argon2id_and_compared_also_for_nobody() -> None:
    first, second = hash_password("one password"), hash_password("one password")

    assert first != second
    assert first.startswith("$argon2id$")
    assert check_password("one password", first)
    assert not check_password("another", first)
    assert not check_password("the password of nobody", None)


def test_made_passwords_are_long_and_never_alike() -> None:
    made = {make_password() for _ in range(50)}

    assert len(made) == 50
    assert {len(password) for password in made} == {19}


def test_accounts_are_unique_and_passwords_not_too_short(web: Web) -> None:
    fields = {"tenant": TENANT, "role": Role.OFFICER, "language": "en", "at": NOW}
    with web.stage.office.database.reading() as session:
        with pytest.raises(NameTaken, match="'head' exists"):
            add_user(session, name="head", password="long enough now", **fields)
        with pytest.raises(WeakPassword, match="at least 10"):
            add_user(session, name="new", password="short", **fields)
        with pytest.raises(UnknownAccount, match="no account named 'nobody'"):
            reset_password(session, tenant=TENANT, name="nobody", password="long enough now")
