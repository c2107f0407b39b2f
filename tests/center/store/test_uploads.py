"""Uploads that never end, a store that takes nothing, a bucket behind the same doors: what boxes and pages notice."""

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alerts.blobs import PART_KEPT_S
from alerts.errors import BlobStoreFull, BlobStoreUnreachable
from alerts.uploader import content_range, upload_token
from center.api import uploads
from center.app import make_housekeeping
from center.errors import TooManyUploads
from center.evidence.files import Announcement, announce_files
from center.store.gate import Gate
from tests.center.stage import BOX, NOW, TENANT, Box, Web, make_alert, make_artefact, make_evidence, open_web
from tests.center.store.seaweed import ACCESS_KEY_ID, READER, SECRET_ACCESS_KEY, Seaweed

PICTURE = b"\xff\xd8 a van on double yellow lines \xff\xd9" * 400
SHA256 = hashlib.sha256(PICTURE).hexdigest()


def announce(web: Web, box: Box, data: bytes = PICTURE) -> None:
    web.stage.hear(box.write(make_alert(evidence=(make_artefact(data),))).raw)


class Line:
    """An upload that says so much and then nothing, until it is told to go on."""

    def __init__(self, web: Web, box: Box, data: bytes = PICTURE) -> None:
        self._data = data
        sha256 = hashlib.sha256(data).hexdigest()
        host, port = web.client.base_url.host, web.client.base_url.port or 0
        self.line = socket.create_connection((host, port), timeout=20)
        token = upload_token(box.identity, sha256, len(data))
        head = f"PUT /api/v1/evidence/{sha256} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n"
        self.line.sendall(f"{head}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode())

    def say(self, first: int, end: int) -> None:
        self.line.sendall(self._data[first:end])

    def answer(self) -> tuple[int, str]:
        """Its status and detail."""
        said = b""
        with self.line:
            while piece := self.line.recv(65_536):
                said += piece
        head, _, body = said.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)["detail"] if body else ""


def wait_for(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come about in time"
        time.sleep(0.01)


def begun(web: Web, data: bytes = PICTURE) -> int:
    return web.stage.office.evidence.begun(hashlib.sha256(data).hexdigest(), by=BOX)


def test_an_upload_that_says_nothing_more_is_sent_away_and_goes_on_another_time(
    web: Web, web_box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SILENCE_S", 0.2)
    announce(web, web_box)
    line = Line(web, web_box)
    line.say(0, 5_000)
    status, reason = line.answer()
    assert (status, "what came is kept" in reason) == (408, True)
    assert begun(web) == 5_000
    headers = {"Content-Range": content_range(5_000, len(PICTURE))}
    more = {"sha256": SHA256, "address": SHA256, "size_bytes": len(PICTURE), "headers": headers}
    assert web.bring(web_box, PICTURE[5_000:], **more).status_code == 201


def test_an_upload_that_trickles_below_any_link_gives_its_place_to_others(
    web: Web, web_box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "GRACE_S", 0.0)
    monkeypatch.setattr(uploads, "LEAST_BYTES_PER_S", 10**9)
    announce(web, web_box)
    line = Line(web, web_box)
    line.say(0, 3_000)
    status, reason = line.answer()
    assert (status, "slower than" in reason) == (408, True)
    assert begun(web) == 3_000


def test_uploads_that_never_end_hold_up_neither_pages_nor_other_boxes(web: Web, web_box: Box) -> None:
    per_box = web.stage.office.settings.evidence.uploads_per_box
    files = [b"a file that never ends %d" % n * 100 for n in range(per_box + 1)]
    for data in files:
        announce(web, web_box, data)
    web.stage.hear(web_box.write(make_evidence(*map(make_artefact, files))).raw)
    lines = [Line(web, web_box, data) for data in files[:per_box]]
    for line, data in zip(lines, files, strict=False):
        line.say(0, 100)
        wait_for(lambda data=data: begun(web, data) == 100)
    refused = web.bring(web_box, files[-1])
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    assert "come again soon" in refused.json()["detail"]
    other = web.stage.enrol_box("box-other")
    with web.stage.office.database.writing() as session:
        said = Announcement("box-other", "i-9", "cam-9", (make_artefact(PICTURE),))
        announce_files(session, TENANT, (said,), at=NOW)
    assert web.bring(other, PICTURE).status_code == 201
    web.sign_in()
    assert web.client.get("/leads").status_code == 200
    for line in lines:
        line.line.close()
    wait_for(lambda: web.bring(web_box, files[-1]).status_code == 201)


@pytest.mark.parametrize(
    ("path", "announced", "status"),
    [
        (f"/api/v1/evidence/{SHA256}", "Transfer-Encoding: chunked", 401),
        (f"/api/v1/evidence/{SHA256}", "Content-Length: 99999999999", 401),
        ("/api/v1/enrol", "Transfer-Encoding: chunked", 413),
        ("/api/v1/nowhere", "Transfer-Encoding: chunked", 404),
    ],
)
def test_who_was_refused_is_not_listened_to_for_ever(web: Web, path: str, announced: str, status: int) -> None:
    host, port = web.client.base_url.host, web.client.base_url.port or 0
    method = "PUT" if "evidence" in path else "POST"
    piece = b"10000\r\n" + bytes(65_536) + b"\r\n"
    with socket.create_connection((host, port), timeout=20) as line:
        line.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{announced}\r\n\r\n".encode())
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            line.sendall(piece * 2000)
        assert line.recv(65_536).startswith(b"HTTP/1.1 %d " % status), "the answer is heard all the same"


def test_a_small_body_that_nobody_reads_costs_no_connection(web: Web) -> None:
    answers = [web.client.post("/api/v1/nowhere", content=b"x" * 10_000) for _ in range(2)]
    assert [(answer.status_code, answer.headers.get("connection")) for answer in answers] == [(404, None)] * 2


def test_places_are_given_back_and_never_more_than_there_are() -> None:
    gate = Gate(at_once=3, per_box=2)
    for _ in range(5):
        with gate.place_for("a"), gate.place_for("a"):
            with pytest.raises(TooManyUploads, match="this box"), gate.place_for("a"):
                pass
            with gate.place_for("b"), pytest.raises(TooManyUploads, match="at once"), gate.place_for("c"):
                pass


class Broken:
    """A store that takes nothing."""

    def __init__(self, error: Exception) -> None:
        self.trouble = str(error)
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., object]:
        def fail(*_: object, **__: object) -> object:
            raise self._error

        return fail


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (BlobStoreFull("/data: the disk is full"), 507, "the centre's store of evidence is full"),
        (BlobStoreUnreachable("s3://evidence: no answer"), 503, "the centre's store of evidence does not answer"),
    ],
)
def test_a_store_that_takes_nothing_is_said_shown_and_holds_up_no_record(
    web: Web, web_box: Box, error: Exception, status: int, reason: str
) -> None:
    announce(web, web_box)
    office = web.stage.office
    object.__setattr__(office, "evidence", Broken(error))
    answer = web.bring(web_box, PICTURE)
    assert (answer.status_code, reason in answer.json()["detail"]) == (status, True)
    health = web.client.get("/api/v1/health")
    assert (health.status_code, health.json()["evidence"]) == (503, False)
    web.sign_in()
    assert "cannot store pictures and clips" in web.client.get("/tasks").text
    web.stage.hear(web_box.write(make_alert(2)).raw)
    receipt = web.stage.last_receipt()
    assert receipt.cumulative == 2, "the journal goes on"


def test_what_is_kept_free_for_the_journal_is_not_given_to_evidence(tmp_path: Path) -> None:
    with open_web(tmp_path / "centre", evidence={"keep_free_mib": 1_048_576}) as web:
        box = web.stage.enrol_box()
        announce(web, box)
        answer = web.bring(box, PICTURE)
        assert (answer.status_code, "is full" in answer.json()["detail"]) == (507, True)
        assert "disk is full" in web.stage.office.evidence.trouble


@contextmanager
def web_with_bucket(
    folder: Path, seaweed: Seaweed, person: tuple[str, str] = (ACCESS_KEY_ID, SECRET_ACCESS_KEY)
) -> Iterator[Web]:
    settings = {"store": f"s3://evidence/{folder.name.replace('_', '-')}", "endpoint": seaweed.endpoint}
    credentials = folder / "s3.yaml"
    credentials.touch(mode=0o600)
    credentials.write_text("access_key_id: {}\nsecret_access_key: {}\n".format(*person))
    with open_web(folder / "centre", evidence=settings | {"credentials_file": credentials}) as web:
        yield web


@pytest.fixture
def bucket(tmp_path: Path, seaweed: Seaweed) -> Iterator[Web]:
    with web_with_bucket(tmp_path, seaweed) as web:
        yield web


def test_boxes_and_players_notice_no_difference_where_files_lie_in_a_bucket(bucket: Web) -> None:
    box = bucket.stage.enrol_box()
    announce(bucket, box)
    assert [bucket.bring(box, PICTURE).status_code for _ in range(2)] == [201, 200]
    assert not list(bucket.stage.office.settings.evidence_folder.rglob("*"))
    bucket.sign_in()
    address = f"/api/v1/evidence/{SHA256}"
    assert bucket.client.get(address).content == PICTURE
    part = bucket.client.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, PICTURE[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(PICTURE)}"
    assert SECRET_ACCESS_KEY not in repr(bucket.stage.office.settings)


def test_a_bucket_that_takes_nothing_gets_nothing_the_box_keeps_it_and_intake_goes_on(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    with web_with_bucket(tmp_path, seaweed, READER) as web:
        box, later = web.stage.enrol_box(), PICTURE + b" and its driver"
        announce(web, box)
        web.stage.hear(box.write(make_evidence(make_artefact(later))).raw)
        answers = [web.bring(box, data) for data in (PICTURE, later, PICTURE)]
        assert [answer.status_code for answer in answers] == [507] * 3
        assert "is full, or takes nothing" in answers[0].json()["detail"]
        health = web.client.get("/api/v1/health").json()
        assert (health["evidence"], health["intake"]) == (False, True)
        web.stage.hear(box.write(make_alert(2)).raw)
        assert web.stage.last_receipt().cumulative == 3, "the journal goes on"
        kept = [path.name for path in web.stage.office.settings.staging_folder.rglob("*") if path.is_file()]
        assert kept == [SHA256], "the disk of the centre does not fill up in its place"


def test_a_long_file_is_streamed_from_where_it_lies(bucket: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("center.api.evidence.CHECKED_BYTES", 1000)
    box = bucket.stage.enrol_box()
    announce(bucket, box)
    bucket.bring(box, PICTURE)
    bucket.sign_in()
    address = f"/api/v1/evidence/{SHA256}"
    assert bucket.client.get(address).content == PICTURE
    assert bucket.client.get(address, headers={"Range": "bytes=-50"}).content == PICTURE[-50:]
    bucket.stage.office.evidence.remove(SHA256)
    assert bucket.client.get(address).status_code == 500


def test_what_was_begun_and_never_finished_is_cleared_while_the_centre_runs(web: Web, web_box: Box) -> None:
    announce(web, web_box)
    office = web.stage.office
    store = office.evidence
    store.append((PICTURE[:100],), sha256=SHA256, size_bytes=len(PICTURE), offset=0, by=BOX)
    (part,) = office.settings.evidence_folder.glob(".*.part")
    make_housekeeping(office).do_due(0.0)
    assert begun(web) == 100
    month_ago_s = time.time() - PART_KEPT_S - 1
    os.utime(part, (month_ago_s, month_ago_s))
    make_housekeeping(office).do_due(0.0)
    assert begun(web) == 0
