"""The room of the log: head, self-check, digests, proofs in words; and the chain of custody on paper."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from alerts.checkpoints import open_checkpoint
from center.evidence.custody import Act, note_custody
from center.log.erasure import erase_person
from center.log.heads import last_head
from center.log.publishing import publish_due
from center.log.stamping import Stamp, keep_stamp
from tests.center.pages.markup import faults, read
from tests.center.pages.scene import PARKING, TENANT, Scene, open_scene
from tests.center.stage import PEOPLE

HEX = re.compile(r"[0-9a-f]{64}")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A centre whose log is three days old, and the clock that says so."""
    now = [datetime(2026, 6, 1, 4, 0, tzinfo=UTC)]
    with open_scene(tmp_path_factory.mktemp("old-centre"), now=lambda: now[0]) as opened:
        for day in range(3):
            opened.box.see(PARKING, f"day-{day}", opened.now)
            publish_due(opened.office.database, opened.office.notary, at=opened.now)
            now[0] += timedelta(days=1)
        yield opened


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(
    "path", ["/log", "/log/digests/2026-06-02", "/log/find?q=3", "/log/find?q=nothing", "/log/find"]
)
def test_each_page_of_the_log_is_well_made(old: Scene, path: str, language: str) -> None:
    with old.signed_in("head", language=language) as head:
        answer = head.get(path)
    assert answer.status_code == 200
    assert faults(answer.text) == []


@pytest.mark.parametrize("name", PEOPLE)
def test_whoever_has_an_account_sees_the_log_and_nobody_else_does(old: Scene, name: str) -> None:
    with old.signed_in(name) as person:
        assert person.get("/log").status_code == 200
    with old.client() as stranger:
        for path in ("/log", "/log/find?q=1", "/log/digests/2026-06-02", "/log/digests/2026-06-02/text"):
            assert stranger.get(path).headers["location"].startswith("/sign-in"), path


def test_the_page_shows_the_head_that_anybody_is_given(old: Scene) -> None:
    with old.signed_in("head") as head:
        page = head.get("/log").text
        signed = head.get("/api/v1/log/checkpoint").text
    shown = open_checkpoint(signed, origin=old.office.notary.origin, key=old.office.notary.key.verify_key)
    assert shown.root.hex() in page
    assert signed.splitlines()[-1] in page


def test_days_that_are_over_have_a_digest_in_both_languages_and_as_text_to_the_letter(old: Scene) -> None:
    with old.signed_in("head") as head:
        page = head.get("/log").text
        days = re.findall(r"/log/digests/(\d{4}-\d\d-\d\d)", page)
        assert days[:3] == ["2026-06-03", "2026-06-02", "2026-06-01"]
        shown = head.get("/log/digests/2026-06-02").text
        plain = head.get("/log/digests/2026-06-02/text")
    assert plain.headers["content-type"].startswith("text/plain")
    assert 'filename="digest-2026-06-02.txt"' in plain.headers["content-disposition"]
    assert read(shown).all("pre")[0].text.strip() == plain.text.strip()
    for words in ("daily digest of 2026-06-02", "2026-06-02 日报", "Leads opened: 1;", old.office.notary.verifier):
        assert words in plain.text


@pytest.mark.parametrize("day", ["2026-06-04", "2030-01-01", "2026-05-01", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_not_over_or_before_the_log_has_no_digest(old: Scene, day: str) -> None:
    with old.signed_in("head") as head:
        assert head.get(f"/log/digests/{day}").status_code == 404


def test_a_record_is_found_by_its_hash_and_its_proof_is_told_in_words_that_hold(old: Scene) -> None:
    record = old.box.records[0].sha256
    with old.signed_in("head") as head:
        page = head.get("/log/find", params={"q": record.upper()}).text
        leaf = next(found for found in HEX.findall(page) if found != record)
        again = head.get("/log/find", params={"q": leaf}).text
    for words in ("Proven to be in the log", "box-demo-01, number 1 of its journal", "gives exactly the root"):
        assert words in page, words
        assert words in again, words


def test_of_a_lead_every_entry_is_found_and_nobody_is_named(old: Scene) -> None:
    lead = old.box.see(PARKING, "found", old.now)
    sha256 = next(iter(old.box.records[-1].data.artefacts)).sha256
    with old.office.database.writing() as session:
        note_custody(
            session,
            tenant=TENANT,
            act=Act.TRANSFERRED,
            sha256=sha256,
            who="officer-a",
            at=old.now,
            reason="for the court of Qinglan",
            lead_id=lead,
        )
    with old.signed_in("technician") as technician:
        page = technician.get("/log/find", params={"q": lead}).text
    assert faults(page) == []
    for words in ("Record of a box", "Act of custody", f"Handed out {sha256} · lead {lead}"):
        assert words in page, words
    assert "officer-a" not in page
    assert "Qinglan" not in page


@pytest.mark.parametrize("words", ["a\x00b", "x" * 201])
def test_words_that_no_entry_can_have_are_refused(old: Scene, words: str) -> None:
    with old.signed_in("head") as head:
        assert head.get("/log/find", params={"q": words}).status_code == 422


def test_an_entry_after_the_newest_head_is_not_proven_yet(old: Scene) -> None:
    with old.signed_in("head") as head:
        head.get("/log")
        old.box.see(PARKING, "just-now", old.now)
        page = head.get("/log/find", params={"q": old.box.records[-1].sha256}).text
    assert "Not under a head yet" in page


def test_an_erased_entry_is_silent_and_stays_proven(tmp_path: Path) -> None:
    with open_scene(tmp_path) as scene:
        lead = scene.box.see(PARKING, "erased", scene.now)
        sha256 = next(iter(scene.box.records[-1].data.artefacts)).sha256
        with scene.office.database.writing() as session:
            note_custody(
                session, tenant=TENANT, act=Act.VIEWED, sha256=sha256, who="officer-b", at=scene.now, reason="curious"
            )
        with scene.signed_in("head") as head:
            before = head.get(f"/leads/{lead}/custody").text
            assert "officer-b" in before
            number = re.findall(r"/log/find\?q=(\d+)", before)[-1]
            with scene.office.database.writing() as session:
                erase_person(session, tenant=TENANT, user_id="officer-b", ground="art. 47", at=scene.now)
            publish_due(scene.office.database, scene.office.notary, at=scene.now)
            page = head.get("/log/find", params={"q": number}).text
        assert "has been erased on request" in page
        assert "Proven to be in the log" in page


def test_what_the_last_check_found_is_told_on_the_page_and_trouble_on_every_page(tmp_path: Path) -> None:
    with open_scene(tmp_path) as scene:
        check = scene.office.self_check
        scene.box.see(PARKING, "checked", scene.now)
        with scene.signed_in("head") as head:
            assert "was not checked yet" in head.get("/log").text
            check.run(lambda: False)
            held = head.get("/log").text
            assert "It held" in held
            assert "did not hold when this office last checked" not in held
            with scene.office.database.writing() as session:
                for name in (
                    session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
                ):
                    session.execute(text(f"DROP TRIGGER {name}"))
                session.execute(text("UPDATE log_leaf SET at = '2020-01-01 00:00:00' WHERE number = 2"))
            check.run(lambda: False)
            page = head.get("/log").text
            assert faults(page) == []
            assert "It did not hold" in page
            assert "leaf 2 was altered" in page
            assert "The proof does not hold" in head.get("/log/find?q=2").text
            for path in ("/", "/leads"):
                assert "did not hold when this office last checked" in head.get(path).text, path


def test_time_stamps_are_listed_with_whom_was_asked_and_without_its_password(old: Scene) -> None:
    with old.signed_in("head") as head:
        assert "No authority is set up" in head.get("/log").text
        with old.office.database.writing() as session:
            newest = last_head(session, TENANT)
            assert newest is not None
            size = newest.size
            keep_stamp(session, newest, Stamp(b"answer", old.now, "https://county:secret@tsa.example.cn/stamp"))
        page = head.get("/log").text
    assert faults(page) == []
    assert f"tsa.example.cn · the first {size} entries" in page
    assert "secret" not in page


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_chain_of_custody_is_on_one_page_whole_with_its_entries_of_the_log(old: Scene, language: str) -> None:
    lead = old.box.see(PARKING, f"paper-{language}", old.now)
    sha256 = next(iter(old.box.records[-1].data.artefacts)).sha256
    with old.signed_in("officer-a", language=language) as officer:
        assert officer.get(f"/api/v1/evidence/{sha256}", params={"reason": "check_lead"}).status_code == 200
        assert f'href="/leads/{lead}/custody"' in officer.get(f"/leads/{lead}").text
        page = officer.get(f"/leads/{lead}/custody").text
        head = _head_text(old)
        entry = officer.get(re.findall(r"/log/find\?q=\d+", page)[0]).text
    assert faults(page) == []
    assert int(head.splitlines()[1]) > max(map(int, re.findall(r"/log/find\?q=(\d+)", page)))
    for words in (sha256, "officer-a", head.splitlines()[-1]):
        assert words in page, words
    assert sha256 in entry


@pytest.mark.parametrize(("name", "status"), [("technician", 403), ("lawyer", 200), ("engineer", 200), ("head", 200)])
def test_who_may_see_evidence_may_see_its_chain_of_custody(old: Scene, name: str, status: int) -> None:
    with old.signed_in(name) as person:
        assert person.get("/leads/box-demo-01.day-0/custody").status_code == status
        assert person.get("/leads/box-demo-01.nothing/custody").status_code == (404 if status == 200 else status)


def _head_text(scene: Scene) -> str:
    with scene.office.database.reading() as session:
        head = last_head(session, TENANT)
        assert head is not None
        return head.text
