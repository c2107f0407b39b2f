"""Enrolment: the code's secret never travels, the key is the box's own, the answer is the right centre's."""

import base64
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from alerts import certificates, dsse, trust, wire
from alerts.enrolment import (
    ANSWER_TYPE,
    Code,
    check_address,
    check_request,
    enrol,
    make_answer,
    make_code,
    make_request,
    open_answer,
)
from alerts.errors import (
    BadCode,
    CentreNotTrusted,
    CentreUnreachable,
    CodeRefused,
    InsecureCentre,
    MessageError,
    NotEnrolled,
)
from alerts.identity import Identity
from alerts.keys import SigningKey
from tests.alerts.parts import CENTRE_KEY

BOX_KEY = SigningKey.generate()
CSR = certificates.make_request(certificates.make_key())
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


class Centre(httpx.BaseTransport):
    """The centre's side over a transport without a network: knows one code, answers the same key twice."""

    def __init__(self, code: Code, key: SigningKey = CENTRE_KEY, mqtt_host: str = "") -> None:
        self.code = code
        self.key = key
        self.mqtt_host = mqtt_host
        self.requests: list[bytes] = []
        self.used_by: str | None = None
        self.status = 200

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raw = request.read()
        if request.url.path == trust.PATH:
            nonce = request.url.params["nonce"]
            said = trust.write_trust(key=self.key, nonce=nonce, now=datetime.now(UTC), ca=PEM, web_tls=False)
            return httpx.Response(200, content=said)
        self.requests.append(raw)
        assert request.url.path == "/api/v1/enrol"
        if self.status != 200:
            return httpx.Response(self.status, json={"detail": "out of order"})
        try:
            asked = check_request(raw, {self.code.code_id: self.code.check_key}.get)
        except CodeRefused as error:
            return httpx.Response(403, json={"detail": str(error)})
        if self.used_by not in (None, asked.public_key):
            return httpx.Response(409, json={"detail": "the code was used by another box"})
        self.used_by = asked.public_key
        answer = make_answer(
            asked,
            key=self.key,
            tenant="demo-county",
            device=asked.device_hint or "box-7",
            mqtt_host=self.mqtt_host,
            mqtt_port=1883,
            mqtt_username="box-7",
            mqtt_password="generated",
            mqtt_tls=True,
            web_tls=False,
            ca=PEM,
            certificate=PEM,
        )
        return httpx.Response(200, content=answer)


def run(centre: Centre, folder: Path, *, code: str = "", url: str = "http://127.0.0.1:8000/") -> Identity:
    return enrol(url, code or centre.code.text, folder, "box-7", transport=centre)


@pytest.fixture
def code() -> Code:
    return make_code(CENTRE_KEY.verify_key)


def test_a_box_with_a_good_code_is_enrolled_and_stays_so(tmp_path: Path, code: Code) -> None:
    centre = Centre(code)
    identity = run(centre, tmp_path / "state")
    kept = Identity.load(tmp_path / "state")
    assert kept == identity or kept.signing_key.key_id == identity.signing_key.key_id
    assert (kept.tenant, kept.device, kept.mqtt_host, kept.mqtt_port) == ("demo-county", "box-7", "127.0.0.1", 1883)
    assert kept.centre_key == CENTRE_KEY.verify_key
    assert kept.center_url == "http://127.0.0.1:8000"
    assert centre.used_by == kept.signing_key.verify_key.to_text()


def test_key_and_identity_are_for_their_owner_only(tmp_path: Path, code: Code) -> None:
    run(Centre(code), tmp_path / "state")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert modes == {"box.key": 0o600, "identity.json": 0o600, "tls.pem": 0o600}


def test_the_secret_of_the_code_never_travels(tmp_path: Path, code: Code) -> None:
    centre = Centre(code)
    run(centre, tmp_path)
    sent = centre.requests[0] + base64.b64decode(json.loads(centre.requests[0])["payload"])
    secret_text = code.text.split("-")[1].encode()
    for form in (code.secret, code.secret.hex().encode(), base64.b64encode(code.secret)[:-2], secret_text):
        assert form not in sent
    assert code.check_key.hex().encode() not in sent


def test_asking_again_after_a_lost_answer_shows_the_same_key(tmp_path: Path, code: Code) -> None:
    centre = Centre(code)
    centre.status = 502
    with pytest.raises(CentreUnreachable, match="502: out of order"):
        run(centre, tmp_path)
    centre.status = 200
    first = run(centre, tmp_path)
    again = run(centre, tmp_path)
    assert first.signing_key.key_id == again.signing_key.key_id


def test_a_code_used_by_another_box_is_refused(tmp_path: Path, code: Code) -> None:
    centre = Centre(code)
    run(centre, tmp_path / "one")
    with pytest.raises(CodeRefused, match="another box"):
        run(centre, tmp_path / "two")
    with pytest.raises(NotEnrolled):
        Identity.load(tmp_path / "two")


def test_a_guessed_code_is_refused(tmp_path: Path, code: Code) -> None:
    with pytest.raises(CodeRefused, match="unknown"):
        run(Centre(code), tmp_path, code=make_code(CENTRE_KEY.verify_key).text)


def test_a_centre_that_did_not_make_the_code_is_not_believed(tmp_path: Path, code: Code) -> None:
    impostor = Centre(code, key=SigningKey.generate())
    with pytest.raises(CentreNotTrusted, match="another centre"):
        run(impostor, tmp_path)
    with pytest.raises(NotEnrolled):
        Identity.load(tmp_path)


def test_an_answer_to_another_request_is_not_believed(code: Code) -> None:
    asked, other = make_request(code, BOX_KEY, csr=CSR), make_request(code, BOX_KEY, csr=CSR)
    answer = _answer(code, other)
    assert open_answer(answer, code=code, request=other).device == "box-7"
    with pytest.raises(CentreNotTrusted, match="another request"):
        open_answer(answer, code=code, request=asked)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[:-30],
        lambda raw: b"<html>sign in to the hotel's network</html>",
        lambda raw: dsse.seal(dsse.read_envelope(raw).payload, ANSWER_TYPE, SigningKey.generate()),
        lambda raw: dsse.seal(dsse.read_envelope(raw).payload, "application/json", CENTRE_KEY),
        lambda raw: dsse.seal(dsse.read_envelope(raw).payload[:-1] + b',"device":"x"}', ANSWER_TYPE, CENTRE_KEY),
    ],
    ids=["cut", "a portal", "another signer", "another type", "a duplicate key"],
)
def test_a_changed_answer_is_not_believed(code: Code, change: Callable[[bytes], bytes]) -> None:
    request = make_request(code, BOX_KEY, csr=CSR)
    with pytest.raises(CentreNotTrusted):
        open_answer(change(_answer(code, request)), code=code, request=request)


def test_a_request_whose_fields_were_changed_is_refused_although_it_is_signed_anew(code: Code) -> None:
    find = {code.code_id: code.check_key}.get
    thief = SigningKey.generate()
    payload = json.loads(dsse.read_envelope(make_request(code, BOX_KEY, csr=CSR)).payload)
    payload["public_key"] = thief.verify_key.to_text()
    stolen = dsse.seal(
        wire.encode(payload), dsse.read_envelope(make_request(code, BOX_KEY, csr=CSR)).payload_type, thief
    )
    with pytest.raises(CodeRefused):
        check_request(stolen, find)


def test_a_request_without_possession_of_its_key_is_refused(code: Code) -> None:
    find = {code.code_id: code.check_key}.get
    payload = dsse.read_envelope(make_request(code, BOX_KEY, csr=CSR)).payload
    borrowed = dsse.seal(
        payload, dsse.read_envelope(make_request(code, BOX_KEY, csr=CSR)).payload_type, SigningKey.generate()
    )
    with pytest.raises(MessageError):
        check_request(borrowed, find)


def test_a_typed_code_may_be_in_small_letters_and_with_spaces(code: Code) -> None:
    typed = code.text.lower().replace("-", " - ")
    assert Code.parse(typed) == code
    assert code.text.startswith("TW1-")


@pytest.mark.parametrize("text", ["", "TW1", "TW1-AAAA-BBBB", "TW2-" + "A" * 26 + "-" + "B" * 26, "TW1-01890189-AAAA"])
def test_a_mistyped_code_is_refused_before_anything_is_sent(tmp_path: Path, code: Code, text: str) -> None:
    centre = Centre(code)
    with pytest.raises(BadCode):
        enrol("http://127.0.0.1:8000", text, tmp_path, transport=centre)
    assert centre.requests == []


@pytest.mark.parametrize("url", ["http://centre.example.org", "http://192.168.1.5:8000", "http://127.0.0.1.evil.org"])
def test_plain_http_to_another_machine_is_refused_unless_allowed(tmp_path: Path, code: Code, url: str) -> None:
    centre = Centre(code)
    with pytest.raises(InsecureCentre, match="https"):
        run(centre, tmp_path, url=url)
    assert centre.requests == []
    assert enrol(url, code.text, tmp_path, allow_http=True, transport=centre).center_url == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000", "https://a.example"])
def test_this_machine_and_https_are_good_addresses(url: str) -> None:
    assert check_address(url, allow_http=False)


@pytest.mark.parametrize("url", ["", "centre.example.org", "ftp://a", "http://", "http://[::1", "http://a:99999"])
def test_what_is_no_address_is_said(tmp_path: Path, code: Code, url: str) -> None:
    with pytest.raises(CentreUnreachable, match="no address"):
        run(Centre(code), tmp_path, url=url)


def test_nobody_at_the_address_is_said_in_one_line(tmp_path: Path, code: Code) -> None:
    with pytest.raises(CentreUnreachable, match=r"127\.0\.0\.1:1") as caught:
        enrol("http://127.0.0.1:1", code.text, tmp_path)
    assert "\n" not in str(caught.value)


def test_the_broker_may_be_another_host_than_the_centre(tmp_path: Path, code: Code) -> None:
    assert run(Centre(code, mqtt_host="mqtt.example.org"), tmp_path).mqtt_host == "mqtt.example.org"


def _answer(code: Code, request: bytes) -> bytes:
    return Centre(code).handle_request(httpx.Request("POST", "http://x/api/v1/enrol", content=request)).content
