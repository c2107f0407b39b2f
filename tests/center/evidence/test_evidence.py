"""Files of evidence: only announced ones, only whole, only for those who may look, and every look is registered."""

import hashlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from alerts.uploader import content_range, upload_token
from center.evidence.custody import Act, CustodyEvent, Handled, chain_of
from center.evidence.files import Announced
from tests.center.stage import BOX, NOW, TENANT, Box, Web, make_alert, make_artefact, make_evidence

PICTURE = b"\xff\xd8 a van on double yellow lines \xff\xd9" * 400
SHA256 = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
def announced(web: Web, web_box: Box) -> Box:
    """The box has said that it will bring PICTURE."""
    web.stage.hear(web_box.write(make_alert(evidence=(make_artefact(PICTURE),))).raw)
    return web_box


def stored_files(web: Web) -> list[str]:
    folder = web.stage.office.settings.evidence_folder
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_an_announced_file_is_stored_once_and_again_costs_nothing(web: Web, announced: Box) -> None:
    assert [web.bring(announced, PICTURE).status_code for _ in range(2)] == [201, 200]
    assert stored_files(web) == [SHA256]
    assert web.stage.all(Announced)[0].arrived_at == NOW


def test_one_file_serves_every_incident_that_names_it(web: Web, announced: Box) -> None:
    web.stage.hear(announced.write(make_evidence(make_artefact(PICTURE), incident="i-2")).raw)
    web.bring(announced, PICTURE)
    web.stage.hear(announced.write(make_evidence(make_artefact(PICTURE), incident="i-3")).raw)

    assert {row.incident: row.arrived_at for row in web.stage.all(Announced)} == dict.fromkeys(
        ("i-1", "i-2", "i-3"), NOW
    )


OTHER = b"another picture"


@pytest.mark.parametrize(
    ("data", "how", "status"),
    [
        (OTHER, {}, 403),
        (PICTURE, {"size_bytes": len(PICTURE) + 1}, 403),
        (PICTURE[:-1] + b"x", {"sha256": SHA256, "address": SHA256, "size_bytes": len(PICTURE)}, 422),
        (PICTURE[:-1], {"sha256": SHA256, "address": SHA256, "size_bytes": len(PICTURE)}, 422),
        (PICTURE + b"x", {"sha256": SHA256, "address": SHA256, "size_bytes": len(PICTURE)}, 413),
        (PICTURE, {"address": "0" * 64}, 401),
        (PICTURE, {"address": "not-a-hash"}, 422),
        (PICTURE, {"headers": {"Authorization": ""}}, 401),
        (PICTURE, {"headers": {"Authorization": "Bearer abc"}}, 401),
        (PICTURE, {"headers": {"Authorization": "TeaWatch AAAA"}}, 401),
    ],
    ids=[
        "unannounced",
        "other-size",
        "other-bytes",
        "short",
        "long",
        "other-address",
        "no-hash",
        "none",
        "bearer",
        "junk",
    ],
)
def test_what_was_not_announced_or_is_not_what_was_announced_is_refused_and_leaves_nothing(
    web: Web, announced: Box, data: bytes, how: dict[str, Any], status: int
) -> None:
    answer = web.bring(announced, data, **dict(how))

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert stored_files(web) == []
    assert web.stage.all(Announced)[0].arrived_at is None


def test_a_file_without_a_length_is_refused(web: Web, announced: Box) -> None:
    headers = {"Authorization": upload_token(announced.identity, SHA256, len(PICTURE))}
    answer = web.client.put(f"/api/v1/evidence/{SHA256}", content=iter([PICTURE]), headers=headers)

    assert answer.status_code == 411
    assert stored_files(web) == []


def test_a_box_cannot_bring_what_another_announced(web: Web, announced: Box) -> None:
    assert web.bring(web.stage.enrol_box("box-other"), PICTURE).status_code == 403
    stranger = Box(announced.identity)
    web.stage.enrol_box()  # the same name with a new key: the old key is retired
    assert web.bring(stranger, PICTURE).status_code == 401


def test_reading_needs_a_session_and_a_role_and_every_look_is_registered(web: Web, announced: Box) -> None:
    web.bring(announced, PICTURE)
    address = f"/api/v1/evidence/{SHA256}"

    assert web.client.get(address).status_code == 401
    web.sign_in("technician")
    assert web.client.get(address).status_code == 403
    web.sign_in("officer-a")
    answer = web.client.get(address, params={"reason": "check_lead i-1"})

    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert f'filename="picture-{SHA256[:12]}.jpg"' in answer.headers["content-disposition"]
    assert web.stage.looks(SHA256) == [Handled(Act.VIEWED, SHA256, "officer-a", "check_lead i-1", NOW)]


def test_the_chain_of_custody_begins_when_the_file_comes_and_tells_looks_from_copies(web: Web, announced: Box) -> None:
    for _ in range(2):
        web.bring(announced, PICTURE)
    web.sign_in()
    web.client.get(f"/api/v1/evidence/{SHA256}", params={"lead": f"{BOX}.i-1"})
    answer = web.client.get(f"/api/v1/evidence/{SHA256}", params={"download": True, "reason": "for the court"})
    assert answer.headers["content-disposition"].startswith("attachment")

    with web.stage.office.database.reading() as session:
        chain = chain_of(session, tenant=TENANT, lead_id=f"{BOX}.i-1", files=[SHA256])
    assert sorted((each.act, each.who, each.reason) for each in chain) == [
        (Act.DOWNLOADED, "officer-a", "for the court"),
        (Act.RECEIVED, BOX, ""),
        (Act.VIEWED, "officer-a", "check_lead"),
    ]


@pytest.mark.parametrize(
    "query",
    [{"reason": "a\0b"}, {"lead": "\0"}, {"reason": "x" * 201}, {"reason": ""}, {"reason": " \t", "download": "1"}],
)
def test_a_reason_that_cannot_be_kept_shows_nothing(web: Web, announced: Box, query: dict[str, str]) -> None:
    web.bring(announced, PICTURE)
    web.sign_in()
    assert web.client.get(f"/api/v1/evidence/{SHA256}", params=query).status_code == 422


def test_a_look_cannot_be_unregistered(web: Web, announced: Box) -> None:
    web.bring(announced, PICTURE)
    web.sign_in()
    web.client.get(f"/api/v1/evidence/{SHA256}")

    with pytest.raises(DatabaseError, match="append-only"), web.stage.office.database.writing() as session:
        session.execute(text("UPDATE custody_event SET reason = 0"))


@pytest.mark.parametrize(
    ("wanted", "first", "end"),
    [
        ("bytes=0-", 0, None),
        ("bytes=0-99", 0, 100),
        ("bytes=100-199", 100, 200),
        ("bytes=13000-999999999", 13000, None),
        ("bytes=-50", -50, None),
        ("bytes=-999999999", 0, None),
    ],
)
def test_a_player_gets_the_range_it_asks_for(
    web: Web, announced: Box, wanted: str, first: int, end: int | None
) -> None:
    web.bring(announced, PICTURE)
    web.sign_in()
    answer = web.client.get(f"/api/v1/evidence/{SHA256}", headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (206, PICTURE[first:end])
    assert answer.headers["content-range"].endswith(f"/{len(PICTURE)}")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "wanted", ["bytes=999999999-", "bytes=9-5", "bytes=-0", "bytes=0-1,5-6", "pages=1-2", "bytes", "bytes=", "bytes=-"]
)
def test_a_range_the_file_does_not_have_is_refused_and_is_no_look(web: Web, announced: Box, wanted: str) -> None:
    web.bring(announced, PICTURE)
    web.sign_in()
    answer = web.client.get(f"/api/v1/evidence/{SHA256}", headers={"Range": wanted})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(PICTURE)}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert web.stage.looks(SHA256) == []


def test_the_pieces_of_a_clip_are_one_look_of_each_who_looks_and_no_piece_is_had_without(
    web: Web, announced: Box
) -> None:
    web.bring(announced, PICTURE)
    for person in ("officer-a", "officer-b"):
        web.sign_in(person)
        for wanted in ("bytes=500-", "bytes=900-", "bytes=5000-5999", "bytes=-10"):
            assert web.client.get(f"/api/v1/evidence/{SHA256}", headers={"Range": wanted}).status_code == 206
    assert sorted(str(look.who) for look in web.stage.looks(SHA256)) == ["officer-a", "officer-b"]
    web.client.get(f"/api/v1/evidence/{SHA256}", headers={"Range": "bytes=0-"})
    assert len(web.stage.looks(SHA256)) == 3


def test_neither_a_small_copy_nor_an_earlier_look_hides_that_the_file_itself_is_taken(web: Web, announced: Box) -> None:
    web.bring(announced, PICTURE)
    web.sign_in()
    address, piece = f"/api/v1/evidence/{SHA256}", {"Range": "bytes=1-"}
    web.client.get(f"{address}/thumbnail")
    assert web.client.get(address, headers=piece).content == PICTURE[1:]
    assert web.client.get(address, headers=piece, params={"download": True}).content == PICTURE[1:]
    assert sorted((look.act, look.reason) for look in web.stage.looks(SHA256)) == [
        (Act.DOWNLOADED, "check_lead"),
        (Act.VIEWED, "check_lead"),
        (Act.VIEWED, "list"),
    ]


@pytest.mark.parametrize("small", ["", "/thumbnail"])
def test_nobody_writes_into_the_chain_of_a_lead_that_the_file_does_not_belong_to(
    web: Web, announced: Box, small: str
) -> None:
    web.bring(announced, PICTURE)
    web.sign_in()
    for lead in (f"{BOX}.i-2", f"{BOX}.i-1"):
        web.client.get(f"/api/v1/evidence/{SHA256}{small}", params={"lead": lead})
        web.stage.clock.advance(hours=2)
    looks = [event.lead_id for event in web.stage.all(CustodyEvent) if event.act == Act.VIEWED.value]
    assert sorted(looks) == ["", f"{BOX}.i-1"]


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-"}])
def test_a_range_of_a_file_altered_on_the_disk_is_not_shown_either(
    web: Web, announced: Box, headers: dict[str, str]
) -> None:
    web.bring(announced, PICTURE)
    (web.stage.office.settings.evidence_folder / SHA256[:2] / SHA256).write_bytes(b"forged" * 900)
    web.sign_in()
    answer = web.client.get(f"/api/v1/evidence/{SHA256}", headers=headers)
    assert (answer.status_code, b"forged" in answer.content) == (500, False)


def test_a_file_that_has_not_come_is_a_404(web: Web, announced: Box) -> None:
    web.sign_in()
    assert web.client.get(f"/api/v1/evidence/{SHA256}").status_code == 404
    assert web.stage.looks(SHA256) == []


def test_a_file_altered_on_the_disk_is_not_shown(web: Web, announced: Box) -> None:
    web.bring(announced, PICTURE)
    (web.stage.office.settings.evidence_folder / SHA256[:2] / SHA256).write_bytes(b"forged")
    web.sign_in()

    answer = web.client.get(f"/api/v1/evidence/{SHA256}")

    assert answer.status_code == 500
    assert b"forged" not in answer.content


def test_an_upload_that_breaks_off_goes_on_where_it_ended(web: Web, announced: Box) -> None:
    token = {"Authorization": upload_token(announced.identity, SHA256, len(PICTURE))}

    def begun() -> int:
        return int(web.client.head(f"/api/v1/evidence/{SHA256}", headers=token).headers["Upload-Offset"])

    def bring_rest(offset: int) -> int:
        headers = {"Content-Range": content_range(offset, len(PICTURE))}
        more: dict[str, Any] = {
            "sha256": SHA256,
            "address": SHA256,
            "size_bytes": len(PICTURE),
            "headers": token | headers,
        }
        return web.bring(announced, PICTURE[offset:], **more).status_code

    assert begun() == 0
    break_off(web, 100)
    assert begun() == 100
    assert web.stage.all(Announced)[0].arrived_at is None
    assert [bring_rest(99), bring_rest(100), begun(), bring_rest(len(PICTURE))] == [416, 201, len(PICTURE), 200]
    assert stored_files(web) == [SHA256]
    assert web.stage.office.evidence.read(SHA256) == PICTURE


@pytest.mark.parametrize("after", [0, 1, 4_000, len(PICTURE) - 1])
def test_a_line_that_is_cut_at_any_byte_loses_at_most_what_was_under_way(
    web: Web, announced: Box, after: int, caplog: pytest.LogCaptureFixture
) -> None:
    token = upload_token(announced.identity, SHA256, len(PICTURE))
    address = web.client.base_url.host, web.client.base_url.port or 0
    with socket.create_connection(address) as line:
        head = f"PUT /api/v1/evidence/{SHA256} HTTP/1.1\r\nHost: {address[0]}\r\nAuthorization: {token}\r\n"
        line.sendall(f"{head}Content-Length: {len(PICTURE)}\r\n\r\n".encode() + PICTURE[:after])
        deadline_s = time.monotonic() + 10
        while web.stage.office.evidence.begun(SHA256, by=BOX) < after and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert web.stage.office.evidence.begun(SHA256, by=BOX) == after
    offset = until_free(web, announced)
    assert offset == after
    assert web.stage.office.evidence.read(SHA256) == PICTURE
    assert "Traceback" not in caplog.text


def until_free(web: Web, box: Box) -> int:
    """Bring the rest as soon as the centre has noticed that the line is cut; from where on."""
    for _ in range(100):
        offset = web.stage.office.evidence.begun(SHA256, by=BOX)
        headers = {"Content-Range": content_range(offset, len(PICTURE))} if offset else {}
        more = {"sha256": SHA256, "address": SHA256, "size_bytes": len(PICTURE), "headers": headers}
        status = web.bring(box, PICTURE[offset:], **more).status_code
        if status == 201:
            return offset
        assert status in (416, 423)
        time.sleep(0.05)
    pytest.fail("the centre never let the file go")


def test_an_upload_that_begins_anew_needs_nothing_of_what_came_before(web: Web, announced: Box) -> None:
    break_off(web, 100)
    assert web.bring(announced, PICTURE).status_code == 201
    assert stored_files(web) == [SHA256]


def test_only_who_announced_a_file_learns_how_much_of_it_is_here(web: Web, announced: Box) -> None:
    break_off(web, 100)
    other = web.stage.enrol_box("box-other")
    token = {"Authorization": upload_token(other.identity, SHA256, len(PICTURE))}
    assert web.client.head(f"/api/v1/evidence/{SHA256}", headers=token).status_code == 403
    assert web.client.head(f"/api/v1/evidence/{SHA256}").status_code == 401


def break_off(web: Web, after: int) -> None:
    """A transfer that ends in the middle."""

    def chunks() -> Iterator[bytes]:
        yield PICTURE[:after]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        web.stage.office.evidence.append(chunks(), sha256=SHA256, size_bytes=len(PICTURE), offset=0, by=BOX)
