"""Redacted copies: asked for with a reason, made by a process nobody trusts, released by who has looked, or none."""

import hashlib
import io
import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from PIL import Image
from sqlalchemy import text

from alerts.blobs import BlobStore
from alerts.errors import BlobStoreFull, BlobStoreUnreachable
from center.bundles.derivatives import released_parts
from center.errors import CannotRedact, RedactorBusy
from center.evidence.copying import make_copy
from center.evidence.files import Announced
from center.evidence.redactor import Redactor, time_limit_s
from center.evidence.retention import due_files
from center.evidence.reviewing import reviewable_files
from center.settings import RedactionSettings
from enforcement.leads import Lead
from tests.center.evidence.redacting import stand_in
from tests.center.log.scene import intruder, verify
from tests.center.stage import BOX, TENANT, Box, Web, make_alert, make_artefact, open_web
from tests.enforcement.alerts_told import HEAD

LEAD = f"{BOX}.i-1"
PLACE = {"x": 10, "y": 20, "width": 30, "height": 40}


def drawn() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (160, 120), (90, 120, 60)).save(made, "JPEG")
    return made.getvalue()


PICTURE = drawn()
ORIGINAL = hashlib.sha256(PICTURE).hexdigest()


def furnish(web: Web) -> Web:
    box: Box = web.stage.enrol_box()
    web.stage.hear(box.write(make_alert(evidence=(make_artefact(PICTURE),))).raw)
    assert web.bring(box, PICTURE).status_code == 201
    web.sign_in()
    return web


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """A centre with a picture of a lead, and a command that redacts quickly."""
    with open_web(tmp_path / "centre", redaction={"command": stand_in(tmp_path)}) as opened:
        yield furnish(opened)


def ask(web: Web, **more: Any) -> httpx.Response:
    web.stage.clock.advance(seconds=1)
    wish = {"original": ORIGINAL, "reason": "for the notice board"} | more
    return web.client.post(f"/api/v1/leads/{LEAD}/redactions", json=wish)


def speak(web: Web, sha256: str, word: str = "release", reason: str = "nobody can be told") -> httpx.Response:
    web.stage.clock.advance(seconds=1)
    return web.client.post(f"/api/v1/leads/{LEAD}/redactions/{sha256}/words", json={"word": word, "reason": reason})


def look(web: Web, sha256: str) -> None:
    web.stage.clock.advance(seconds=1)
    assert web.client.get(f"/api/v1/evidence/{sha256}").status_code == 200


def copies(web: Web) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = web.client.get(f"/api/v1/leads/{LEAD}/redactions").json()
    return told


def out(web: Web, original: str = ORIGINAL) -> list[str]:
    """The hashes of the copies that may leave the officers' side, as a bundle takes them along."""
    store, folder = web.stage.office.evidence, web.stage.office.settings.data
    with web.stage.office.database.reading() as session:
        found = released_parts(session, store, {original}, tenant=TENANT, lead_id=LEAD, folder=folder)
        assert all((copy.original_sha256, copy.sha256) == (original, part.sha256) for copy, part in found.items())
        return [copy.sha256 for copy in found]


def test_a_copy_points_to_its_sealed_original_and_says_who_asked_and_what_covered_it(web: Web) -> None:
    answer = ask(web, boxes=[PLACE])
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["original_sha256"], told["standing"], told["asked_by"]) == (ORIGINAL, "waiting", "officer-a")
    assert [place["what"] for place in told["covered"]] == ["by_hand", "face"]
    assert told["covered"][0]["box"] == PLACE
    assert told["models"]["plate"] == f"stand-in {'e' * 64}"
    files = {file["sha256"]: file for file in web.client.get(f"/api/v1/leads/{LEAD}").json()["files"]}
    copy = files[told["sha256"]]
    assert (copy["role"], copy["derived_from"], copy["media_type"]) == ("redacted", ORIGINAL, "image/jpeg")
    assert hashlib.sha256(web.client.get(told["url"]).content).hexdigest() == told["sha256"]
    assert files[ORIGINAL]["role"] == "picture"


def test_the_log_holds_who_redacted_what_into_what_and_why_and_who_released_it(web: Web) -> None:
    sha256 = ask(web).json()["sha256"]
    look(web, sha256)
    speak(web, sha256)
    chain = web.client.get(f"/api/v1/leads/{LEAD}/custody").json()
    acts = [(each["act"], each["sha256"], each["made_sha256"], each["who"], each["reason"]) for each in chain[1:]]
    assert acts == [
        ("redacted", ORIGINAL, sha256, "officer-a", "for the notice board"),
        ("viewed", sha256, "", "officer-a", "check_lead"),
        ("released", sha256, "", "officer-a", "nobody can be told"),
    ]
    assert verify(web.stage).troubles == []
    with intruder(web.stage) as session:
        session.execute(text("UPDATE custody_event SET made_sha256 = :other"), {"other": "f" * 64})
    assert verify(web.stage).troubles


def test_only_who_has_looked_at_the_copy_itself_can_release_it(web: Web) -> None:
    sha256 = ask(web).json()["sha256"]
    refused = speak(web, sha256)
    assert (refused.status_code, "look at the copy" in refused.json()["detail"]) == (409, True)
    look(web, ORIGINAL)
    web.sign_in("officer-b")
    look(web, sha256)
    web.sign_in()
    assert speak(web, sha256).status_code == 409, "another's look is not one's own"
    look(web, sha256)
    assert speak(web, sha256).status_code == 201
    assert copies(web)[0]["standing"] == "released"


def test_nothing_goes_out_but_copies_that_were_released_and_not_taken_back(web: Web) -> None:
    assert out(web) == [], "no copy"
    first = ask(web).json()["sha256"]
    assert out(web) == [], "nobody has released it"
    look(web, first)
    speak(web, first)
    assert out(web) == [first]
    second = ask(web, boxes=[PLACE]).json()["sha256"]
    assert out(web) == [first], "a newer copy that waits changes nothing"
    look(web, second)
    speak(web, second)
    assert out(web) == [second, first]
    assert [speak(web, each, "withhold", "a face in the mirror").status_code for each in (first, second)] == [201, 201]
    assert out(web) == []
    assert [len(each["words"]) for each in copies(web)] == [2, 2], "every word stays"


def test_a_copy_whose_bytes_are_gone_or_changed_does_not_go_out(web: Web) -> None:
    sha256 = ask(web).json()["sha256"]
    look(web, sha256)
    speak(web, sha256)
    assert out(web, "0" * 64) == []
    folder = web.stage.office.settings.evidence_folder
    path = next(path for path in folder.rglob(sha256))
    path.chmod(0o600)
    path.write_bytes(b"something else")
    assert out(web) == []
    path.unlink()
    assert out(web) == []


@pytest.mark.parametrize(("size", "limits"), [((1920, 1080), 1), ((6000, 4000), 4), ((0, 0), 1)])
def test_a_larger_picture_may_take_longer_and_none_without_an_end(
    tmp_path: Path, size: tuple[int, int], limits: int
) -> None:
    picture = tmp_path / "picture"
    if all(size):
        Image.new("1", size).save(picture, "PNG")
    else:
        picture.write_bytes(b"no picture")
    settings = RedactionSettings()
    assert time_limit_s(settings, picture) == limits * settings.time_limit_s


def test_words_that_change_nothing_are_refused(web: Web) -> None:
    sha256 = ask(web).json()["sha256"]
    assert speak(web, sha256, "withhold").status_code == 201
    assert speak(web, sha256, "withhold").status_code == 409
    assert speak(web, sha256, "withhold", " ").status_code == 422
    assert speak(web, sha256, "publish").status_code == 422
    assert speak(web, ORIGINAL).status_code == 404
    assert speak(web, "0" * 64).status_code == 404


def test_what_cannot_be_asked_for_makes_nothing(web: Web) -> None:
    for more, status in (
        ({"original": "0" * 64}, 404),
        ({"original": "../../etc/passwd"}, 422),
        ({"reason": " "}, 422),
        ({"reason": ""}, 422),
        ({"boxes": [PLACE | {"width": -1}]}, 422),
        ({"boxes": [PLACE] * 101}, 422),
    ):
        answer = ask(web, **more)  # type: ignore[arg-type]
        assert answer.status_code == status, (more, answer.text)
    assert copies(web) == []


def test_the_same_copy_is_made_once_and_no_copy_of_a_copy(web: Web) -> None:
    sha256 = ask(web).json()["sha256"]
    assert ask(web).status_code == 409
    assert ask(web, original=sha256).status_code == 404
    assert len(copies(web)) == 1


def test_who_sees_evidence_may_ask_and_nobody_else(web: Web) -> None:
    for number, (name, status) in enumerate((("technician", 403), ("lawyer", 201), ("engineer", 201), ("head", 201))):
        web.sign_in(name)
        assert ask(web, boxes=[PLACE | {"x": number}]).status_code == status, name


def test_a_picture_that_an_officer_added_can_be_redacted_and_a_film_cannot(web: Web) -> None:
    def add(data: bytes) -> str:
        told = {"source": "hand_held", "note": "the yard"}
        answer = web.client.post(f"/api/v1/recordings/{LEAD}", files={"file": ("x", data, "x/y")}, data=told)
        return str(answer.json()["sha256"])

    picture = add(PICTURE + b"another")
    assert ask(web, original=picture).json()["original_sha256"] == picture
    assert ask(web, original=add(b"\x00\x00\x00\x18ftypisom" + b"film" * 50)).status_code == 404


def test_a_redacted_copy_is_no_part_of_what_reviewers_judge_and_goes_when_its_own_term_is_over(web: Web) -> None:
    with web.stage.office.database.reading() as session:
        before = reviewable_files(session, session.get_one(Lead, (TENANT, LEAD)))
    sha256 = ask(web).json()["sha256"]
    with web.stage.office.database.reading() as session:
        assert reviewable_files(session, session.get_one(Lead, (TENANT, LEAD))) == before
        assert {file.role: file.is_here for file in session.query(Announced)} == {"picture": True, "redacted": True}
    office = web.stage.office
    with intruder(web.stage) as session:
        session.execute(
            text("UPDATE announced_file SET deleted_at = :at, deleted_rule = 'redacted:365' WHERE sha256 = :sha256"),
            {"at": web.stage.clock().isoformat(" "), "sha256": sha256},
        )
    web.stage.clock.advance(hours=1)
    again = ask(web)
    assert again.status_code == 201, "what was deleted can be made again"
    with office.database.reading() as session:
        settings = office.settings.retention
        late = web.stage.clock() + timedelta(days=4000)
        assert list(due_files(session, tenant=TENANT, settings=settings, at=late)) == [], "the lead is open"


def test_a_command_that_fails_or_lies_leaves_no_copy(web: Web, tmp_path: Path) -> None:
    for how, reason in (
        ("fail", "the picture is truncated"),
        ("no copy", "brought no copy"),
        ("no report", "no report"),
        ("no picture", "thrown away"),
        ("other picture", "thrown away"),
        ("other copy", "thrown away"),
        ("no faces sought", "thrown away"),
        ("boxes forgotten", "thrown away"),
        ("hungry", "MemoryError"),
    ):
        stand_in(tmp_path, how)
        answer = ask(web, boxes=[PLACE])
        assert (answer.status_code, reason in answer.json()["detail"]) == (422, True), (how, answer.text)
        assert not list(web.stage.office.settings.data.glob("redact-*")), "nothing lies about"
    assert copies(web) == []
    assert [file["role"] for file in web.client.get(f"/api/v1/leads/{LEAD}").json()["files"]] == ["picture"]


def test_the_command_gets_none_of_the_centres_secrets(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAWATCH_CENTER_DATABASE_URL", "postgresql://tea:secret@db/tea")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    stand_in(tmp_path, "secrets")
    names = ask(web).json()["detail"]
    assert "PATH" in names
    assert not {"AWS_SECRET_ACCESS_KEY", "TEAWATCH_CENTER_DATABASE_URL"} & set(names.split())


def test_a_command_that_does_not_end_is_ended(web: Web, tmp_path: Path) -> None:
    settings = RedactionSettings.model_construct(command=stand_in(tmp_path, "hang"), time_limit_s=1, memory_mib=1024)
    redactor = Redactor(settings, web.stage.office.evidence, tmp_path)
    with pytest.raises(CannotRedact, match="took more than 1 s"):
        redactor.make(ORIGINAL, ())
    stand_in(tmp_path)
    assert redactor.make(ORIGINAL, ()).told.original_sha256 == ORIGINAL, "and the next one has its turn"


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("os.setpriority", PermissionError("not permitted")),
        ("resource.prlimit", PermissionError("not permitted")),
        ("resource.prlimit", ValueError("not permitted")),
    ],
)
def test_a_command_that_cannot_be_bounded_is_ended(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception
) -> None:
    begun: list[int] = []

    def refuse(*arguments: int) -> None:
        begun.append(arguments[where == "os.setpriority"])
        raise error

    monkeypatch.setattr(f"center.evidence.redactor.{where}", refuse)
    stand_in(tmp_path, "hang")
    answer = ask(web)
    assert (answer.status_code, "not permitted" in answer.json()["detail"]) == (422, True), answer.text
    with pytest.raises(ProcessLookupError):
        os.kill(begun[0], 0)


def test_a_centre_that_cannot_redact_says_so_and_one_that_can_has_the_real_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_web(tmp_path / "centre") as opened:
        web = furnish(opened)
        with monkeypatch.context() as patched:
            patched.setattr("center.evidence.redactor.PARTS", ("onnxruntime_of_nobody",))
            answer = ask(web)
            page = web.client.get(f"/leads/{LEAD}/redactions").text
        assert answer.status_code == 422
        assert "pip install 'teawatch[edge]'" in answer.json()["detail"]
        assert "This centre cannot redact pictures." in page
        assert "Make the copy" not in page
        web.client.timeout = 100
        answer = ask(web, boxes=[PLACE])
        assert answer.status_code == 201, answer.text
        told = answer.json()
        names = {what: model.split()[0] for what, model in told["models"].items()}
        assert names == {"face": "blazeface", "head": "yolov3_tiny", "plate": "clp_plate"}
        with Image.open(io.BytesIO(web.client.get(told["url"]).content)) as copy:
            assert copy.size == (160, 120)
            assert max(copy.convert("RGB").getpixel((25, 40))) < 40  # type: ignore[arg-type, type-var]


def test_a_command_that_is_no_program_is_named(tmp_path: Path) -> None:
    settings = RedactionSettings(command=("/nowhere/redact",))
    assert "'/nowhere/redact' of redaction.command" in Redactor(settings, BlobStore(tmp_path), tmp_path).lacks


def test_the_pages_make_compare_and_release_a_copy_without_a_script(web: Web) -> None:
    page = web.client.get(f"/leads/{LEAD}/redactions").text
    assert f'value="{ORIGINAL}"' in page
    csrf = {"csrf_token": web.client.headers["X-CSRF-Token"]}
    form = csrf | {"original": ORIGINAL, "reason": "for the <board>", "boxes": "10, 20,30，40\n"}
    made = web.client.post(f"/leads/{LEAD}/redactions", data=form, follow_redirects=True)
    assert made.status_code == 200
    assert "for the &lt;board&gt;" in made.text
    (copy,) = copies(web)
    assert copy["covered"][0]["box"] == PLACE
    url, word = f"/leads/{LEAD}/redactions/{copy['sha256']}/words", csrf | {"word": "release", "reason": "fine"}
    refused = web.client.post(url, data=word)
    assert (refused.status_code, "Look at the copy itself" in refused.text) == (409, True)
    look(web, copy["sha256"])
    assert "Released" in web.client.post(url, data=word, follow_redirects=True).text
    assert out(web) == [copy["sha256"]]


def test_the_page_says_of_what_no_small_ones_were_looked_for(web: Web, tmp_path: Path) -> None:
    for how, said in (("well", False), ("coarse", True)):
        stand_in(tmp_path, how)
        assert ask(web, boxes=[PLACE] * (1 + said)).json()["coarse"] == ["face"] * said
        assert ("Not searched for small ones" in web.client.get(f"/leads/{LEAD}/redactions").text) is said


def test_a_form_with_boxes_that_are_none_makes_nothing_and_keeps_what_was_typed(web: Web) -> None:
    for boxes in ("1,2,3", "a,b,c,d", "1,2,-3,4", "1 2 3 4 5"):
        form = {"csrf_token": web.client.headers["X-CSRF-Token"], "original": ORIGINAL, "reason": "x", "boxes": boxes}
        answer = web.client.post(f"/leads/{LEAD}/redactions", data=form)
        assert answer.status_code == 422
        assert "A box is four whole numbers" in answer.text
        assert boxes in answer.text
    assert copies(web) == []


def test_a_form_of_somebody_else_or_without_its_token_makes_nothing(web: Web) -> None:
    del web.client.headers["X-CSRF-Token"]
    assert web.client.post(f"/leads/{LEAD}/redactions", data={"original": ORIGINAL, "reason": "x"}).status_code == 403
    assert web.client.get("/leads/no-such.lead/redactions").status_code == 404
    web.client.cookies.clear()
    assert web.client.get(f"/leads/{LEAD}/redactions", follow_redirects=False).status_code in (303, 401)
    assert web.client.get(f"/api/v1/leads/{LEAD}/redactions").status_code == 401


@pytest.mark.parametrize(
    ("error", "status", "again", "said"),
    [
        (RedactorBusy("another picture is being redacted"), 503, "20", "another picture is being redacted"),
        (BlobStoreUnreachable("no answer"), 503, "20", "nothing was made, try again in a moment: no answer"),
        (BlobStoreFull("/data: full"), 507, None, "the centre's disk is full; the copy was not stored"),
    ],
)
def test_what_holds_a_copy_up_is_said_as_the_rooms_below_say_it(
    web: Web, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, again: str | None, said: str
) -> None:
    monkeypatch.setattr(Redactor, "make", Mock(side_effect=error))
    with pytest.raises((RedactorBusy, BlobStoreFull), match=re.escape(said)):
        make_copy(web.stage.office, HEAD, LEAD, original=ORIGINAL, reason="shown", boxes=())
    answer = ask(web)
    assert (answer.status_code, answer.json()["detail"], answer.headers.get("Retry-After")) == (status, said, again)


def test_the_report_is_kept_as_it_was_written(web: Web) -> None:
    ask(web)
    with web.stage.office.database.reading() as session:
        report = session.execute(text("SELECT report FROM redacted_copy")).scalar_one()
    assert json.loads(report)["original_sha256"] == ORIGINAL
