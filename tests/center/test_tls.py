"""TLS between box and centre: one authority, names and dates checked, and a clock of 1970 that is put right first."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from alerts.certificates import lifetime, make_key, pem_of_key
from alerts.connection import Address, Connection
from alerts.door import Door
from alerts.enrolment import enrol
from alerts.errors import CentreNotTrusted, CentreUnreachable, CertificateOutOfDate, TimeUnknown, TlsTrouble
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import ClockQuality
from alerts.tls import TrustedClock, client_context, explain
from alerts.trust import ask_trust, read_trust, write_trust
from alerts.web import open_client
from center.authority import Authority
from center.boxes.certificates import DeviceCertificate, keep_server_pair, server_names
from center.boxes.devices import DeviceKey
from center.boxes.keys import revoke
from center.intake.journal import JournalRow
from tests.alerts.parts import CENTRE_KEY, Log
from tests.center.boxes.test_enrolment import new_code
from tests.center.stage import BOX, TENANT, Box, Web, make_clock, open_web

NOW = datetime.now(UTC)
BOOT = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
PATIENCE = httpx.Timeout(10)
NONCE = "0" * 32


def unsynchronised(_: datetime) -> ClockQuality:
    return ClockQuality.UNSYNCHRONISED


def box_of_1970(identity: Identity) -> Door:
    """The door of a box whose clock was never set."""
    return Door(identity, system=lambda: BOOT, quality=unsynchronised)


@pytest.fixture
def https(tmp_path: Path) -> Iterator[Web]:
    """A centre that serves https with a certificate of its own authority; its clock is the real one."""
    with open_web(tmp_path / "centre", web={"tls": True}) as web:
        web.stage.clock.at = NOW
        yield web


def enrol_over(https: Web, folder: Path) -> Identity:
    enrol(str(https.client.base_url), new_code(https), folder)
    return Identity.load(folder)


def ask(door: Door, url: str) -> int:
    with open_client(url, timeout=PATIENCE, tls=door.to_web()) as client:
        return client.get(f"{url}/openapi.json").status_code


class Silent(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def server_of(authority: Authority, folder: Path, *names: str, at: datetime = NOW, days: int = 1) -> Iterator[str]:
    """A server with a certificate for these names, good from `at` for some days; its address."""
    key = make_key()
    issued = authority.issue_server(key, names, at, timedelta(days=days))
    path = folder / "server.pem"
    path.write_bytes(pem_of_key(key) + issued.pem.encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "authority").mkdir()
    Authority.make(tmp_path / "authority", "test", NOW - timedelta(days=3000))
    return Authority.load(tmp_path / "authority")


def why_not(authority: Authority, url: str, *, now: datetime = NOW) -> str:
    """What is said of a server that is not spoken to; empty of one that is."""
    with open_client(url, timeout=PATIENCE, tls=client_context(authority.pem, lambda: now)) as client:
        try:
            client.get(url)
        except httpx.ConnectError as error:
            return explain(error)
    return ""


def test_a_server_is_judged_by_authority_name_and_dates_each_with_a_line_that_says_what_is_wrong(
    authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    Authority.make(tmp_path / "other", "somebody else", NOW)
    with server_of(authority, tmp_path, "127.0.0.1") as url:
        assert why_not(authority, url) == ""
        assert why_not(Authority.load(tmp_path / "other"), url).startswith(
            "its certificate was not made by this box's centre"
        )
        assert "expired at" in why_not(authority, url, now=NOW + timedelta(days=2))
        assert "is it set?" in why_not(authority, url, now=BOOT)
    with server_of(authority, tmp_path, "other.example") as url:
        assert "tls.names" in why_not(authority, url)


def test_old_versions_of_tls_are_not_spoken(authority: Authority) -> None:
    assert client_context(authority.pem, lambda: NOW).minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_box_enrols_over_https_with_nothing_but_its_code_and_trusts_this_centre_alone(
    https: Web, tmp_path: Path
) -> None:
    identity = enrol_over(https, tmp_path / "box")

    assert identity.web_tls
    assert identity.ca == https.stage.office.keyring.authority.pem
    assert ask(Door(identity), identity.center_url) == 200
    with pytest.raises(CentreNotTrusted, match="is not the centre that this box"):
        ask_trust(identity.center_url, lambda key: key == CENTRE_KEY.verify_key)


def test_a_box_that_wakes_up_in_1970_gets_the_time_first_and_then_judges_dates(
    https: Web, authority: Authority, tmp_path: Path
) -> None:
    identity = enrol_over(https, tmp_path / "box")
    door = box_of_1970(identity)

    assert ask(door, identity.center_url) == 200
    https.stage.clock.at = NOW + timedelta(days=365)
    assert ask(door, identity.center_url) == 200, "once told, it counts on by itself"
    with pytest.raises(httpx.ConnectError) as caught:
        ask(box_of_1970(identity), identity.center_url)
    assert "expired at" in explain(caught.value), "by the centre's time the certificate has run out"


def test_while_nobody_tells_the_time_nobody_is_spoken_to_and_the_line_says_so(https: Web, tmp_path: Path) -> None:
    identity = enrol_over(https, tmp_path / "box")
    stranger = replace(identity, centre_key=CENTRE_KEY.verify_key)

    with pytest.raises(httpx.ConnectError) as caught:
        ask(box_of_1970(stranger), identity.center_url)
    assert explain(caught.value).startswith("this box's clock says 1970-01-01")
    assert "is not the centre that this box" in explain(caught.value)


def test_the_system_clock_counts_where_a_time_server_keeps_it() -> None:
    def never() -> datetime:
        raise AssertionError

    for quality in (ClockQuality.SYNCHRONISED, ClockQuality.UNKNOWN):
        assert TrustedClock(never, system=lambda: NOW, quality=lambda _, quality=quality: quality).now() == NOW


def test_a_clock_that_was_set_once_counts_only_while_the_centre_cannot_be_asked() -> None:
    stale, answers = NOW - timedelta(days=20), [CentreUnreachable("nobody there"), NOW]

    def answer() -> datetime:
        said = answers.pop(0)
        if isinstance(said, CentreUnreachable):
            raise said
        return said

    first = TrustedClock(answer, system=lambda: stale, quality=unsynchronised)
    assert first.now() == stale
    assert TrustedClock(answer, system=lambda: stale, quality=unsynchronised).now() >= NOW


def test_a_centre_that_cannot_be_asked_is_asked_again_but_not_at_once() -> None:
    asked = []

    def fail() -> datetime:
        asked.append(1)
        raise CentreUnreachable("nobody there")

    clock = TrustedClock(fail, system=lambda: BOOT, quality=unsynchronised)
    for _ in range(3):
        with pytest.raises(TimeUnknown, match="nobody there"):
            clock.now()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("key", "nonce", "says"),
    [(SigningKey.generate(), NONCE, "is not the centre that this box"), (CENTRE_KEY, "1" * 32, "an old one")],
    ids=["of a stranger", "replayed"],
)
def test_a_time_that_the_pinned_key_did_not_sign_for_this_question_is_no_time(
    authority: Authority, key: SigningKey, nonce: str, says: str
) -> None:
    raw = write_trust(key=key, nonce=nonce, now=NOW, ca=authority.pem, web_tls=True)
    with pytest.raises(CentreNotTrusted, match=says):
        read_trust(raw, nonce=NONCE, is_ours=lambda each: each == CENTRE_KEY.verify_key)


def test_an_altered_statement_is_no_time(authority: Authority) -> None:
    raw = write_trust(key=CENTRE_KEY, nonce=NONCE, now=NOW, ca=authority.pem, web_tls=True)
    with pytest.raises(CentreNotTrusted):
        read_trust(raw.replace(b'"sig":"', b'"sig":"A'), nonce=NONCE, is_ours=lambda _: True)


def test_a_certificate_is_renewed_with_a_third_of_its_life_left_and_one_that_ran_out_too(
    https: Web, tmp_path: Path
) -> None:
    identity = enrol_over(https, tmp_path / "box")
    assert identity.certificate is not None
    first = identity.certificate.read_bytes()
    _, ends = lifetime(first)

    def door_at(at: datetime) -> Door:
        return Door(identity, system=lambda: at, quality=lambda _: ClockQuality.SYNCHRONISED)

    assert not door_at(NOW + timedelta(days=15)).renew(identity)
    assert identity.certificate.read_bytes() == first
    https.stage.clock.at = NOW + timedelta(days=25)
    assert door_at(NOW + timedelta(days=25)).renew(identity)
    assert lifetime(identity.certificate.read_bytes())[1] > ends
    https.stage.clock.at = NOW + timedelta(days=80)
    with pytest.raises(CertificateOutOfDate, match="this box's certificate expired"):
        door_at(NOW + timedelta(days=80)).to_broker()
    assert door_at(NOW + timedelta(days=80)).renew(identity)
    assert door_at(NOW + timedelta(days=80)).to_broker()


def test_a_lost_or_damaged_certificate_is_fetched_anew(https: Web, tmp_path: Path) -> None:
    identity = enrol_over(https, tmp_path / "box")
    assert identity.certificate is not None
    identity.certificate.write_text("-----BEGIN")
    with pytest.raises(TlsTrouble, match=r"tls\.pem"):
        Door(identity).to_broker()

    assert Door(identity).renew(identity)
    assert Door(identity).to_broker()


def test_a_box_whose_new_keys_the_centre_has_not_heard_of_brings_them_with_its_wish_for_a_certificate(
    https: Web, tmp_path: Path
) -> None:
    identity = enrol_over(https, tmp_path / "box")
    assert identity.certificate is not None
    identity.certificate.unlink()
    box = Box(identity)
    box.write(make_clock())
    rotations = [box.rotate().raw, box.rotate().raw]
    door = Door(box.identity)
    with pytest.raises(CentreUnreachable, match="nobody vouches for the key"):
        door.renew(box.identity)

    assert door.renew(box.identity, lambda: rotations)
    assert [key.ending for key in https.stage.all(DeviceKey)].count("rotated") == 2
    identity.certificate.unlink()
    assert door.renew(box.identity, lambda: rotations), "also where only their receipt got lost"
    assert door.to_broker()


def test_nobody_brings_a_key_for_another_box_or_any_other_record_with_a_wish_for_a_certificate(
    https: Web, tmp_path: Path
) -> None:
    identity = enrol_over(https, tmp_path / "box")
    assert identity.certificate is not None
    identity.certificate.unlink()
    stranger = Box(replace(identity, signing_key=SigningKey.generate()))
    with pytest.raises(CentreUnreachable, match="403"):
        Door(identity).renew(identity, lambda: [stranger.rotate().raw])

    assert Door(identity).renew(identity, lambda: [Box(identity).write(make_clock()).raw])
    assert https.stage.count(JournalRow) == 0
    assert https.stage.quarantined() == {}


def test_a_box_that_was_shut_out_gets_no_certificate_any_more(https: Web, tmp_path: Path) -> None:
    identity = enrol_over(https, tmp_path / "box")
    assert identity.certificate is not None
    with https.stage.office.database.writing() as session:
        revoke(session, tenant=TENANT, name=BOX, at=https.stage.clock())
    identity.certificate.unlink()

    with pytest.raises(CentreUnreachable, match="403"):
        Door(identity).renew(identity)
    assert [row.revoked_at for row in https.stage.all(DeviceCertificate)] == [https.stage.clock()]


def test_the_servers_certificate_is_kept_until_it_is_due_or_the_names_change(https: Web) -> None:
    office, at = https.stage.office, https.stage.clock()
    settings = office.settings

    assert keep_server_pair(settings, office.keyring.authority, at)[1] is False
    assert keep_server_pair(settings, office.keyring.authority, at + timedelta(days=80))[1] is True
    named = settings.model_copy(update={"tls": settings.tls.model_copy(update={"names": ("centre.example",)})})
    assert "centre.example" in server_names(named)
    assert keep_server_pair(named, office.keyring.authority, at + timedelta(days=80))[1] is True
    assert keep_server_pair(named, office.keyring.authority, at + timedelta(days=80))[1] is False


def test_the_connection_says_in_one_line_why_a_broker_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    log = Log()
    with server_of(authority, tmp_path, "127.0.0.1") as url:
        address = Address(
            host="127.0.0.1",
            port=httpx.URL(url).port or 0,
            username="box-1",
            password="",
            tls=lambda: client_context(authority.pem, lambda: NOW + timedelta(days=9)),
        )
        connection = Connection(
            address,
            client_id="box-1",
            clean_session=True,
            filters=(),
            on_up=lambda: None,
            on_down=lambda reason: log("down", {"reason": reason}),
            on_message=lambda _: None,
            if_refused="",
        )
        connection.start()
        (said,) = log.wait("down")[:1]
        connection.stop()
    assert "is not trusted" in str(said["reason"])
    assert "expired at" in str(said["reason"])
