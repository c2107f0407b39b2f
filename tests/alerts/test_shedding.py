"""A box whose disk runs full: what the centre has goes first, pictures of open incidents never; it owns up."""

from pathlib import Path

import pytest

from alerts.blobs import BlobStore
from alerts.identity import Identity
from alerts.messages import FilesGone
from alerts.outbox import Outbox
from alerts.records import read_record
from alerts.shedding import DISCARDED, shed
from alerts.uploader import Uploader
from alerts.uploads import note_sent
from tests.alerts.parts import NOON, Log, make_evidence, make_identity, receipt_of

FILES = (
    ("open-picture", "picture", "i-open"),
    ("old-picture", "picture", "i-over"),
    ("copy", "annotated", "i-open"),
    ("clip-1", "clip", "i-over"),
    ("clip-2", "clip", "i-open"),
    ("sent-clip", "clip", "i-over"),
    ("new-picture", "picture", "i-over"),
)
SIZE_BYTES = 1000


@pytest.fixture
def identity() -> Identity:
    return make_identity()


@pytest.fixture
def names(outbox: Outbox, blobs: BlobStore) -> dict[str, str]:
    """Files of every sort, by their hash, announced in this order; one is at the centre already."""
    found = {}
    for name, role, incident in FILES:
        sha256 = blobs.put(name.encode().ljust(SIZE_BYTES))
        with outbox.transaction() as transaction:
            transaction.append(make_evidence(sha256, SIZE_BYTES), at=NOON)
            transaction.queue_upload(sha256, size_bytes=SIZE_BYTES, role=role, incident=incident)
        found[sha256] = name
    (sent,) = [sha256 for sha256, name in found.items() if name == "sent-clip"]
    note_sent(outbox, sent, NOON)
    return found


def told(outbox: Outbox, identity: Identity) -> list[FilesGone]:
    keys = {identity.signing_key.key_id: identity.signing_key.verify_key}
    records = [read_record(pending.raw, keys.get).data for pending in outbox.due(limit=100)]
    return [data for data in records if isinstance(data, FilesGone)]


def test_files_are_given_up_in_the_order_of_what_is_lost_by_it(outbox: Outbox, names: dict[str, str]) -> None:
    given_up = shed(outbox, 10**9, spared={"i-open"}, at=NOON)
    order = ["sent-clip", "clip-1", "clip-2", "copy", "old-picture", "new-picture"]
    assert [names[each.sha256] for each in given_up] == order
    assert outbox.counts().pending_uploads == 1, "the sealed picture of the open incident waits on"
    assert [each.sha256 for each in shed(outbox, 10**9, spared={"i-open"}, at=NOON) if each.waited] == []


@pytest.mark.parametrize(("wanted_bytes", "count"), [(1, 1), (SIZE_BYTES, 1), (SIZE_BYTES + 1, 2), (3 * SIZE_BYTES, 3)])
def test_no_more_is_given_up_than_is_needed(
    outbox: Outbox, names: dict[str, str], wanted_bytes: int, count: int
) -> None:
    assert len(names) == len(FILES)
    assert len(shed(outbox, wanted_bytes, spared=(), at=NOON)) == count


def test_what_the_centre_waits_for_is_owned_up_to_in_a_record_and_what_it_has_is_not(
    outbox: Outbox, identity: Identity, names: dict[str, str]
) -> None:
    shed(outbox, SIZE_BYTES, spared=(), at=NOON)
    assert told(outbox, identity) == []
    shed(outbox, 3 * SIZE_BYTES, spared=(), at=NOON)
    (gone,) = told(outbox, identity)
    assert [names[sha256] for sha256 in gone.files] == ["clip-1", "clip-2"]
    with outbox.reading() as connection:
        troubles = connection.execute("SELECT trouble FROM uploads WHERE state = 'refused'").fetchall()
    assert troubles == [(DISCARDED,)] * 2


def test_a_full_disk_makes_the_uploader_give_files_up_until_enough_is_free(
    outbox: Outbox, blobs: BlobStore, identity: Identity, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def usage(_: Path) -> object:
        left = sum(blobs.has(sha256) for sha256 in names)
        return type("Usage", (), {"free": 10_000 - left * SIZE_BYTES})

    monkeypatch.setattr("alerts.uploader.shutil.disk_usage", usage)
    outbox.settle(receipt_of(outbox, outbox.head()[0]), at=NOON)
    log = Log()
    uploader = Uploader(
        outbox,
        blobs,
        identity,
        on_event=log,
        now=lambda: NOON,
        keep_free_bytes=6_000,
        open_incidents=lambda: {"i-open"},
    )
    uploader.make_room()
    assert [names[sha256] for sha256 in names if blobs.has(sha256)] == [
        "open-picture",
        "old-picture",
        "copy",
        "new-picture",
    ]
    assert [event["count"] for event in log.named("files_discarded")] == [2]
    uploader.make_room()
    assert len(told(outbox, identity)) == 1
    uploader._client.close()
