"""Evidence on its way: only what the centre knows of, only whole, again and again, and not for ever."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.blobs import BlobStore
from alerts.errors import BadSignature, MalformedMessage, UnknownKey
from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.uploader import ASKED_BYTES, Uploader, read_upload_token, upload_token
from tests.alerts.parts import NOON, Log, make_evidence, make_identity, receipt_of
from tests.alerts.shelf import Shelf

PICTURE = b"a picture of tea" * 10_000


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with Shelf() as made:
        yield made


@pytest.fixture
def identity(shelf: Shelf) -> Identity:
    made = make_identity(center_url=shelf.url)
    shelf.keys[made.signing_key.key_id] = made.signing_key.verify_key
    return made


def announce(outbox: Outbox, blobs: BlobStore, data: bytes = PICTURE) -> str:
    sha256 = blobs.put(data)
    with outbox.transaction() as transaction:
        transaction.append(make_evidence(sha256, len(data)), at=NOON)
        transaction.queue_upload(sha256, size_bytes=len(data))
    return sha256


def wait_until(condition: Callable[[], bool], uploader: Uploader) -> None:
    deadline_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come about in time"
        uploader._not_before_s.clear()
        uploader._wake.set()
        time.sleep(0.02)


def confirm(outbox: Outbox) -> None:
    outbox.settle(receipt_of(outbox, outbox.head()[0]), at=NOON)


def test_a_file_goes_only_after_the_centre_has_the_record_that_announces_it(
    shelf: Shelf, outbox: Outbox, blobs: BlobStore, identity: Identity
) -> None:
    early, late = announce(outbox, blobs, b"early"), announce(outbox, blobs, b"later")
    outbox.settle(receipt_of(outbox, 1), at=NOON)
    log = Log()
    with Uploader(outbox, blobs, identity, on_event=log):
        log.wait("file_sent")
        assert shelf.files == {early: b"early"}
        confirm(outbox)
        log.wait("file_sent", 2)
    assert shelf.files == {early: b"early", late: b"later"}
    assert outbox.counts().pending_uploads == 0


@pytest.mark.parametrize("answer", [403, 401, 404, 500, 503, 507])
def test_a_centre_that_cannot_take_it_now_is_asked_again(
    shelf: Shelf, outbox: Outbox, blobs: BlobStore, identity: Identity, answer: int
) -> None:
    sha256 = announce(outbox, blobs)
    confirm(outbox)
    shelf.answers = [answer]
    log = Log()
    with Uploader(outbox, blobs, identity, on_event=log):
        assert log.wait("file_waits")[0]["reason"] == f"the centre answered {answer}: says {answer}"
        log.wait("file_sent")
    assert shelf.files == {sha256: PICTURE}


def test_a_centre_that_is_down_is_waited_for(shelf: Shelf, outbox: Outbox, blobs: BlobStore, tmp_path: Path) -> None:
    announce(outbox, blobs)
    confirm(outbox)
    log = Log()
    with Uploader(outbox, blobs, make_identity(center_url="http://127.0.0.1:1"), on_event=log):
        assert "127.0.0.1:1" in str(log.wait("file_waits")[0]["reason"])
    assert outbox.counts().pending_uploads == 1


@pytest.mark.parametrize("told", [(422, 5), (409, 5), (413, 1)])
def test_a_file_the_centre_will_never_take_is_given_up_and_said_so(
    shelf: Shelf, outbox: Outbox, blobs: BlobStore, identity: Identity, told: tuple[int, int]
) -> None:
    announce(outbox, blobs)
    confirm(outbox)
    answer, tries = told
    shelf.answers = [answer] * 9
    log = Log()
    uploader = Uploader(outbox, blobs, identity, on_event=log)
    while not log.named("file_refused"):
        uploader._not_before_s.clear()
        uploader.send_ready()
    uploader._client.close()
    assert shelf.tries == tries
    assert str(answer) in str(log.named("file_refused")[0]["reason"])
    assert outbox.counts().pending_uploads == 0


@pytest.mark.parametrize(("knows_pieces", "came"), [(True, len(PICTURE) - 70_000), (False, len(PICTURE))])
def test_what_broke_off_goes_on_where_it_ended_or_anew_at_a_centre_that_cannot_say(
    shelf: Shelf, outbox: Outbox, blobs: BlobStore, identity: Identity, knows_pieces: bool, came: int
) -> None:
    sha256 = announce(outbox, blobs)
    confirm(outbox)
    shelf.breaks, shelf.knows_pieces = [30_000, 40_000] if knows_pieces else [70_000], knows_pieces
    with Uploader(outbox, blobs, identity) as uploader:
        wait_until(lambda: sha256 in shelf.files, uploader)
    assert shelf.files == {sha256: PICTURE}
    assert shelf.came == came


def test_a_small_file_is_brought_without_a_question_and_a_large_one_is_not(
    shelf: Shelf, outbox: Outbox, blobs: BlobStore, identity: Identity
) -> None:
    announce(outbox, blobs)
    announce(outbox, blobs, b"x" * ASKED_BYTES)
    confirm(outbox)
    log = Log()
    with Uploader(outbox, blobs, identity, on_event=log):
        log.wait("file_sent", 2)
    assert shelf.asked == 1


def test_only_the_answers_that_find_another_hash_count_against_a_file(
    shelf: Shelf, outbox: Outbox, blobs: BlobStore, identity: Identity
) -> None:
    sha256 = announce(outbox, blobs)
    confirm(outbox)
    shelf.answers = [503, 422, 503, 503, 503, 422, 422, 503, 422]
    log = Log()
    uploader = Uploader(outbox, blobs, identity, on_event=log)
    for _ in range(10):
        uploader._not_before_s.clear()
        uploader.send_ready()
    uploader._client.close()
    assert log.named("file_refused") == []
    assert shelf.files == {sha256: PICTURE}


def goes_after_a_day(uploader: Uploader, clock: list[datetime], blobs: BlobStore, sha256: str) -> bool:
    """Whether old files are cleared of this one after a day and not before."""
    there = []
    for hours in (23, 25):
        clock[0] = NOON + timedelta(hours=hours)
        uploader.clear_old(keep=timedelta(hours=24))
        there.append(blobs.has(sha256))
    return there == [True, False]


def test_a_file_whose_record_was_quarantined_stays_for_a_day_and_goes_then(
    outbox: Outbox, blobs: BlobStore, identity: Identity
) -> None:
    sha256 = announce(outbox, blobs)
    outbox.settle(receipt_of(outbox, 1, 1), at=NOON)
    clock = [NOON]
    uploader = Uploader(outbox, blobs, identity, now=lambda: clock[0])
    assert goes_after_a_day(uploader, clock, blobs, sha256)
    uploader._client.close()


def test_a_file_that_vanished_or_changed_its_size_is_given_up(
    shelf: Shelf, outbox: Outbox, blobs: BlobStore, identity: Identity
) -> None:
    gone, cut = announce(outbox, blobs), announce(outbox, blobs, b"another")
    confirm(outbox)
    blobs.remove(gone)
    blobs.path(cut).write_bytes(b"anoth")
    log = Log()
    with Uploader(outbox, blobs, identity, on_event=log):
        refused = log.wait("file_refused", 2)
    assert {detail["sha256"] for detail in refused} == {gone, cut}
    assert shelf.tries == 0


def test_a_file_stays_for_a_day_after_it_was_sent_and_goes_then(
    shelf: Shelf, outbox: Outbox, blobs: BlobStore, identity: Identity
) -> None:
    sha256 = announce(outbox, blobs)
    confirm(outbox)
    clock = [NOON]
    uploader = Uploader(outbox, blobs, identity, now=lambda: clock[0])
    uploader.send_ready()
    assert goes_after_a_day(uploader, clock, blobs, sha256)
    uploader._client.close()


def test_a_file_that_waits_is_never_deleted(shelf: Shelf, outbox: Outbox, blobs: BlobStore, identity: Identity) -> None:
    sha256 = announce(outbox, blobs)
    uploader = Uploader(outbox, blobs, identity, now=lambda: NOON + timedelta(days=9000))
    uploader.send_ready()
    uploader.clear_old(keep=timedelta(0))
    uploader._client.close()
    assert blobs.has(sha256)
    assert outbox.counts().pending_uploads == 1


def test_the_same_file_announced_twice_is_sent_once(
    shelf: Shelf, outbox: Outbox, blobs: BlobStore, identity: Identity
) -> None:
    announce(outbox, blobs)
    announce(outbox, blobs)
    confirm(outbox)
    uploader = Uploader(outbox, blobs, identity)
    uploader.send_ready()
    uploader.send_ready()
    uploader._client.close()
    assert shelf.tries == 1


def test_a_token_names_box_and_file_and_whoever_changes_it_is_refused(identity: Identity) -> None:
    find = {identity.signing_key.key_id: identity.signing_key.verify_key}.get
    token = upload_token(identity, "a" * 64, 7)
    claim = read_upload_token(token, find)
    assert (claim.tenant, claim.device, claim.sha256, claim.size_bytes, claim.key_id) == (
        identity.tenant,
        identity.device,
        "a" * 64,
        7,
        identity.signing_key.key_id,
    )
    with pytest.raises(UnknownKey):
        read_upload_token(token, lambda _: None)
    for header in ("", "Basic abc", "TeaWatch !", "TeaWatch " + "A" * 9000, token[:-8]):
        with pytest.raises(MalformedMessage):
            read_upload_token(header, find)
    impostor = make_identity().signing_key
    forged = upload_token(make_identity(signing_key=impostor), "a" * 64, 7)
    with pytest.raises(BadSignature):
        read_upload_token(_with_key_id(forged, identity.signing_key.key_id), find)


def _with_key_id(token: str, key_id: str) -> str:

    envelope = json.loads(base64.b64decode(token.removeprefix("TeaWatch ")))
    envelope["signatures"][0]["keyid"] = key_id
    raw = json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()
    return f"TeaWatch {base64.b64encode(raw).decode()}"
