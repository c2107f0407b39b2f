"""Evidence leaves room: a limit that holds, a trickle while alerts wait, and no wait for a journal that stands."""

from pathlib import Path

import pytest

from alerts.blobs import BlobStore
from alerts.outbox import Outbox
from alerts.pace import (
    LEAST_QUEUED_BYTES,
    MOST_QUEUED_BYTES,
    PATIENCE_S,
    PIECE_BYTES,
    TRICKLE_BYTES_PER_S,
    Pace,
    queue_bytes,
)
from alerts.publisher import Publisher
from alerts.uploader import Uploader
from edge.bench.latency.slow_link import SlowLink
from tests.alerts.brokers import IotcoreBroker
from tests.alerts.parts import NOON, PASSWORDS, Desk, Log, make_alert, make_evidence, make_identity
from tests.alerts.shelf import Shelf

BITS_PER_S = 6_000_000
FILE_BYTES = 1_200_000
ALERTS = 150


@pytest.mark.parametrize(
    ("limit_bits_per_s", "oldest_record", "pause_s"),
    [
        (0, None, 0.0),
        (80_000, None, PIECE_BYTES / 10_000),
        (0, 7, PIECE_BYTES / TRICKLE_BYTES_PER_S),
        (8_000, 7, PIECE_BYTES / 1000),
    ],
)
def test_a_piece_waits_for_the_limit_and_for_records_without_a_receipt(
    limit_bits_per_s: int, oldest_record: int | None, pause_s: float
) -> None:
    pace = Pace(limit_bits_per_s)
    assert pace.pause_s(100, oldest_record) == 0, "the first piece goes at once"
    pace.sent(PIECE_BYTES, 100)
    assert pace.pause_s(100, oldest_record) == pytest.approx(pause_s)
    assert pace.pause_s(100 + pause_s, oldest_record) == pytest.approx(0)


def test_what_trickled_goes_on_as_soon_as_the_last_record_has_its_receipt() -> None:
    pace = Pace()
    pace.sent(PIECE_BYTES, 100)
    assert pace.pause_s(100.1, 7) > 0
    assert pace.pause_s(100.1, None) == 0


def test_a_journal_that_does_not_move_holds_up_nothing_and_one_that_moves_does_again() -> None:
    pace = Pace()
    assert pace.pause_s(100, 7) == 0
    pace.sent(PIECE_BYTES, 99 + PATIENCE_S)
    assert pace.pause_s(99 + PATIENCE_S, 7) > 0
    assert pace.pause_s(100 + PATIENCE_S, 7) == 0
    pace.sent(PIECE_BYTES, 100 + PATIENCE_S)
    assert pace.pause_s(100 + PATIENCE_S, 8) > 0


def test_no_more_stands_in_the_socket_than_the_link_carries_in_half_a_second() -> None:
    assert queue_bytes(320_000, 10.0) == LEAST_QUEUED_BYTES  # 256 kbit/s
    assert queue_bytes(10_000_000, 10.0) == 500_000
    assert queue_bytes(10**9, 1.0) == queue_bytes(1, 0.0) * MOST_QUEUED_BYTES // LEAST_QUEUED_BYTES == MOST_QUEUED_BYTES


def test_on_a_slow_link_alerts_overtake_a_file_and_the_file_arrives_all_the_same(tmp_path: Path) -> None:
    with (
        IotcoreBroker(tmp_path, PASSWORDS) as broker,
        Shelf() as shelf,
        SlowLink(BITS_PER_S) as link,
    ):
        to_broker, to_shelf = link.way_to(broker.port), link.way_to(shelf.port)
        identity = make_identity(mqtt_port=to_broker.port, center_url=f"http://127.0.0.1:{to_shelf.port}")
        shelf.keys[identity.signing_key.key_id] = identity.signing_key.verify_key
        with Desk(identity, broker.port), Outbox.open(tmp_path / "outbox.db", identity=identity) as outbox:
            blobs, log = BlobStore(tmp_path / "evidence"), Log()
            with Publisher(outbox, identity, on_event=log), Uploader(outbox, blobs, identity, on_event=log):
                announce(outbox, blobs)
                assert link.wait(lambda: to_shelf.passed_bytes > FILE_BYTES / 10)
                files_before, alerts_before = to_shelf.passed_bytes, to_broker.passed_bytes
                for revision in range(1, ALERTS + 1):
                    with outbox.transaction() as transaction:
                        transaction.append(make_alert(revision), at=NOON)
                log.wait_total("records_confirmed", "stored", 1 + ALERTS)
                alerts_passed, file_passed = (
                    to_broker.passed_bytes - alerts_before,
                    to_shelf.passed_bytes - files_before,
                )
                assert not log.named("file_sent")
                assert file_passed < alerts_passed / 2, "files and alerts share the link as if they were equal"
                log.wait("file_sent")
    assert [len(file) for file in shelf.files.values()] == [FILE_BYTES]


def announce(outbox: Outbox, blobs: BlobStore) -> None:
    sha256 = blobs.put(bytes(FILE_BYTES))
    with outbox.transaction() as transaction:
        transaction.append(make_evidence(sha256, FILE_BYTES), at=NOON)
        transaction.queue_upload(sha256, size_bytes=FILE_BYTES)
