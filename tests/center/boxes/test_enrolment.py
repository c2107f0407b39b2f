"""Enrolment at the centre: one code, one box, once; and clear answers to everything else."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from alerts.certificates import make_key
from alerts.certificates import make_request as make_csr
from alerts.enrolment import Code, enrol, make_request
from alerts.errors import CentreNotTrusted, CodeRefused, KeyFileError
from alerts.identity import Identity
from alerts.keys import SigningKey
from center.boxes.devices import Device, DeviceKey, mqtt_passwords
from center.boxes.enrolment import EnrolmentCode, give_code
from center.errors import DeviceNameTaken
from tests.center.stage import BOX, NOW, TENANT, Box, Web, make_clock


def new_code(web: Web, *, name: str = BOX, minutes: float = 60, replace: bool = False) -> str:
    office = web.stage.office
    with office.database.writing() as session:
        return give_code(
            session,
            tenant=TENANT,
            device=name,
            key=office.keyring.signing_key,
            at=web.stage.clock(),
            valid=timedelta(minutes=minutes),
            replace=replace,
        )


def redeem(web: Web, code: str, folder: Path) -> Identity:
    return enrol(str(web.client.base_url), code, folder)


def ask(web: Web, code: str, key: SigningKey | None = None) -> httpx.Response:
    request = make_request(Code.parse(code), key or SigningKey.generate(), csr=make_csr(make_key()))
    return web.client.post("/api/v1/enrol", content=request)


def test_a_box_gets_its_name_the_centres_key_and_a_password_the_broker_knows(web: Web, tmp_path: Path) -> None:
    identity = redeem(web, new_code(web), tmp_path / "box")

    office = web.stage.office
    assert (identity.tenant, identity.device) == (TENANT, BOX)
    assert identity.centre_key == office.keyring.signing_key.verify_key
    assert (identity.mqtt_host, identity.mqtt_port) == ("127.0.0.1", office.settings.mqtt.port)
    with office.database.reading() as session:
        assert mqtt_passwords(session, TENANT, office.keyring.broker_seed) == {BOX: identity.mqtt_password}
    box = Box(identity)
    assert web.stage.hear(box.write(make_clock()).raw) == "stored"


def test_no_database_row_holds_the_code_or_the_password(web: Web, tmp_path: Path) -> None:
    code = new_code(web)
    identity = redeem(web, code, tmp_path / "box")
    web.stage.office.database.close()

    files = [path.read_bytes() for path in web.stage.office.settings.data.glob("center.sqlite3*")]
    secret = Code.parse(code).secret
    for known in (code.encode(), secret, identity.mqtt_password.encode()):
        assert not any(known in content for content in files)


def test_a_lost_answer_is_given_again_to_the_same_box(web: Web, tmp_path: Path) -> None:
    code, key = new_code(web), SigningKey.generate()

    assert [ask(web, code, key).status_code for _ in range(2)] == [200, 200]
    assert web.stage.count(DeviceKey) == 1
    assert ask(web, code).status_code == 409, "but not to another"


def test_a_box_that_was_shut_out_or_comes_after_the_codes_time_gets_no_second_answer(web: Web) -> None:
    replaced, late = SigningKey.generate(), SigningKey.generate()
    old, slow = new_code(web), new_code(web, name="box-late", minutes=5)
    assert (ask(web, old, replaced).status_code, ask(web, slow, late).status_code) == (200, 200)
    assert ask(web, new_code(web, replace=True)).status_code == 200

    assert ask(web, old, replaced).status_code == 409
    web.stage.clock.advance(minutes=6)
    assert ask(web, slow, late).status_code == 410


def test_a_used_an_expired_and_an_unknown_code_are_told_apart_where_that_betrays_nothing(web: Web) -> None:
    used, expired = new_code(web, name="box-a"), new_code(web, name="box-b", minutes=1)
    assert ask(web, used).status_code == 200
    web.stage.clock.advance(minutes=2)
    unknown = new_code(web, name="box-c")
    with web.stage.office.database.writing() as session:
        session.delete(session.get_one(EnrolmentCode, (TENANT, Code.parse(unknown).code_id)))

    answers = {name: ask(web, code) for name, code in (("used", used), ("expired", expired), ("unknown", unknown))}

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "used": 409,
        "expired": 410,
        "unknown": 403,
    }
    assert all("new one" in answer.json()["detail"] for answer in answers.values())
    assert web.stage.count(Device) == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"payload": 1}'])
def test_what_is_no_request_is_a_400(web: Web, body: bytes) -> None:
    answer = web.client.post("/api/v1/enrol", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_guessing_codes_grows_slow_and_a_right_code_waits_too(web: Web) -> None:
    wrong = new_code(web, name="box-wrong")
    with web.stage.office.database.writing() as session:
        session.delete(session.get_one(EnrolmentCode, (TENANT, Code.parse(wrong).code_id)))
    right = new_code(web)

    seen = [ask(web, wrong).status_code for _ in range(22)]
    assert (seen[:21], seen[21]) == ([403] * 21, 429)
    assert ask(web, right).status_code == 429
    web.stage.clock.advance(seconds=1)
    assert ask(web, right).status_code == 200


def test_a_name_is_given_once_unless_its_box_is_replaced_and_then_the_old_is_shut_out(web: Web, tmp_path: Path) -> None:
    old = Box(redeem(web, new_code(web), tmp_path / "old"))
    with pytest.raises(DeviceNameTaken, match="--replace"):
        new_code(web)

    new = Box(redeem(web, new_code(web, replace=True), tmp_path / "new"))

    assert web.stage.hear(old.write(make_clock()).raw) == "quarantined"
    assert web.stage.quarantined() == {"retired_key": 1}
    assert web.stage.hear(new.write(make_clock()).raw) == "stored"
    assert new.identity.mqtt_password != old.identity.mqtt_password


def test_of_two_codes_for_one_name_only_the_latest_is_good(web: Web, tmp_path: Path) -> None:
    early, late = new_code(web), new_code(web)
    first = Box(redeem(web, late, tmp_path / "first"))

    with pytest.raises(CodeRefused):
        redeem(web, early, tmp_path / "second")
    assert web.stage.hear(first.write(make_clock()).raw) == "stored", "it was not shut out"


def test_the_same_box_may_enrol_again_with_the_key_it_has(web: Web, tmp_path: Path) -> None:
    first = redeem(web, new_code(web), tmp_path / "box")
    second = redeem(web, new_code(web, replace=True), tmp_path / "box")

    assert second.signing_key.key_id == first.signing_key.key_id
    assert web.stage.hear(Box(second).write(make_clock()).raw) == "stored"
    assert web.stage.count(DeviceKey) == 1


def test_one_box_cannot_have_two_names(web: Web, tmp_path: Path) -> None:
    redeem(web, new_code(web), tmp_path / "box")

    with pytest.raises(CodeRefused, match=f"enrolled as '{BOX}'"):
        redeem(web, new_code(web, name="box-other"), tmp_path / "box")
    assert {device.id for device in web.stage.all(Device)} == {BOX}


def test_another_centre_cannot_pose_as_the_one_that_gave_the_code(web: Web, tmp_path: Path) -> None:
    office = web.stage.office
    with office.database.writing() as session:
        code = give_code(
            session,
            tenant=TENANT,
            device=BOX,
            key=SigningKey.generate(),
            at=NOW,
            valid=timedelta(minutes=5),
        )

    with pytest.raises((CentreNotTrusted, KeyFileError)):
        redeem(web, code, tmp_path / "box")
    assert not (tmp_path / "box" / "identity.json").exists()
