"""From the outbox over a real broker to a centre and back: everything arrives, nothing is forgotten too early."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.clocks import boot_id
from alerts.control_messages import Disposition, Recall
from alerts.discarding import Limit
from alerts.downlinks import write_downlink
from alerts.errors import OutboxFull
from alerts.flight import FIRST_WINDOW
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import Dropped, Range
from alerts.outbox import Outbox
from alerts.publisher import Publisher
from alerts.receipts import Kept, lone_receipt
from alerts.records import hash_of
from alerts.topics import Channel, Topic
from tests.alerts.brokers import Broker
from tests.alerts.parts import CENTRE_KEY, LIFETIME, NOON, Desk, Log, make_clock, make_identity, receipt_of


@contextmanager
def sending(outbox: Outbox, identity: Identity, on_event: Log | None = None) -> Iterator[None]:
    """A publisher that is impatient, at its work and at its end."""
    publisher = Publisher(outbox, identity, on_event=on_event, resend_after_s=0.3)
    publisher.start()
    try:
        yield
    finally:
        publisher.stop(flush_s=0)


def append(outbox: Outbox, count: int) -> None:
    for n in range(count):
        with outbox.transaction() as transaction:
            transaction.append(make_clock(n), at=NOON)


def chain_is_whole(desk: Desk) -> bool:
    ordered = [desk.records[sequence] for sequence in sorted(desk.records)]
    return all(later.prevhash == hash_of(earlier.raw) for earlier, later in itertools.pairwise(ordered))


def test_records_arrive_and_are_forgotten_once_the_centre_confirms_them(
    broker: Broker, identity: Identity, outbox: Outbox
) -> None:
    broker.start()
    log = Log()
    append(outbox, 3)
    with Desk(identity, broker.port) as desk, sending(outbox, identity, on_event=log):
        desk.wait(lambda: set(desk.records) == {1, 2, 3})
        append(outbox, 2)
        log.wait_total("records_confirmed", "stored", 5)
        assert outbox.counts().pending_records == 0
        assert chain_is_whole(desk)


def test_a_puback_alone_forgets_nothing(broker: Broker, identity: Identity, outbox: Outbox) -> None:
    broker.start()
    append(outbox, 3)
    with (
        Desk(identity, broker.port, answering=False) as desk,
        sending(outbox, identity),
    ):
        desk.wait(lambda: desk.arrivals.count(3) >= 2)
        assert outbox.counts().pending_records == 3


def test_a_silent_centre_that_comes_back_gets_everything(broker: Broker, identity: Identity, outbox: Outbox) -> None:
    broker.start()
    log = Log()
    append(outbox, 5)
    with sending(outbox, identity, on_event=log):
        log.wait("record_sent", 5)
        with Desk(identity, broker.port) as desk:
            log.wait_total("records_confirmed", "stored", 5)
            assert sorted(desk.records) == [1, 2, 3, 4, 5]
    assert outbox.counts().pending_records == 0


def test_a_broker_that_is_down_at_first_is_waited_for(broker: Broker, identity: Identity, outbox: Outbox) -> None:
    log = Log()
    append(outbox, 4)
    with Desk(identity, broker.port) as desk, sending(outbox, identity, on_event=log):
        assert "no broker" in str(log.wait("disconnected")[0]["reason"])
        broker.start()
        desk.wait(lambda: len(desk.records) == 4)
        log.wait_total("records_confirmed", "stored", 4)


def test_a_broker_killed_in_the_middle_loses_nothing(broker: Broker, identity: Identity, outbox: Outbox) -> None:
    broker.start()
    log = Log()
    with Desk(identity, broker.port) as desk, sending(outbox, identity, on_event=log):
        append(outbox, 20)
        desk.wait(lambda: len(desk.records) >= 1)
        broker.kill()
        append(outbox, 20)
        log.wait("disconnected")
        broker.start()
        log.wait_total("records_confirmed", "stored", 40, timeout_s=30)
        assert sorted(desk.records) == list(range(1, 41))
        assert chain_is_whole(desk)
    assert outbox.counts().pending_records == 0


def test_what_happens_now_goes_before_a_long_backlog(broker: Broker, identity: Identity, outbox: Outbox) -> None:
    broker.start()
    log = Log()
    append(outbox, 150)
    with Desk(identity, broker.port, answering=False) as desk, sending(outbox, identity, on_event=log):
        log.wait("record_sent", FIRST_WINDOW)
        append(outbox, 1)
        desk.wait(lambda: 151 in desk.records)
        assert len(desk.records) < 100


def test_that_nothing_waits_any_more_is_said_soon_if_something_was_said_to(
    broker: Broker, identity: Identity, outbox: Outbox
) -> None:
    broker.start()
    append(outbox, 3)
    with Desk(identity, broker.port, answering=False) as desk, sending(outbox, identity):
        desk.wait(lambda: bool(desk.statuses))
        assert desk.statuses[-1].pending_records == 3
        desk.answering = True
        desk.wait(lambda: desk.statuses[-1].pending_records == 0)


def test_a_box_says_how_long_it_has_run_before_its_backlog_and_then_what_it_heard(
    broker: Broker, identity: Identity, outbox: Outbox
) -> None:
    broker.start()
    append(outbox, 3)
    before_ms, before = time.monotonic_ns() // 1_000_000, datetime.now(UTC)
    with Desk(identity, broker.port) as desk, sending(outbox, identity):
        desk.wait(lambda: any(status.heard for status in desk.statuses))
    first = desk.statuses[0]
    heard = next(status for status in desk.statuses if status.heard)
    assert (first.heard, first.pending_records) == (None, 3)
    assert desk.order[:2] == [Channel.STATUS, Channel.JOURNAL]
    assert first.clock
    assert heard.clock
    assert heard.heard
    assert before_ms <= first.clock.monotonic_ms <= heard.heard.monotonic_ms <= heard.clock.monotonic_ms
    assert first.clock.boot == boot_id()
    assert before <= heard.heard.at <= datetime.now(UTC)


def test_quarantined_records_are_counted_forgotten_and_told(broker: Broker, identity: Identity, outbox: Outbox) -> None:
    broker.start()
    log = Log()
    append(outbox, 3)
    with (
        Desk(identity, broker.port, quarantine=frozenset({2})) as desk,
        sending(outbox, identity, on_event=log),
    ):
        log.wait_total("records_confirmed", "quarantined", 1)
        desk.wait(lambda: any(status.quarantined_records == 1 for status in desk.statuses))
    assert outbox.counts().pending_records == 0
    assert outbox.counts().quarantined_records == 1


def test_a_full_disk_is_told_and_what_is_there_still_goes_out(
    broker: Broker, identity: Identity, outbox: Outbox
) -> None:
    broker.start()
    log = Log()
    append(outbox, 5)
    (pages,) = outbox._connection.execute("PRAGMA page_count").fetchone()
    outbox._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxFull):
        append(outbox, 500)
    kept = outbox.head()[0]
    with Desk(identity, broker.port) as desk, sending(outbox, identity, on_event=log):
        desk.wait(lambda: any("full" in status.trouble for status in desk.statuses))
        log.wait_total("records_confirmed", "stored", kept)
    assert sorted(desk.records) == list(range(1, kept + 1))


def test_a_forged_receipt_is_ignored_counted_and_told(broker: Broker, identity: Identity, outbox: Outbox) -> None:
    broker.start()
    log = Log()
    append(outbox, 2)
    with (
        Desk(identity, broker.port, answering=False) as desk,
        sending(outbox, identity, on_event=log),
    ):
        desk.wait(lambda: len(desk.records) == 2)
        desk.send(receipt_of(outbox, 2), epoch=outbox.epoch, key=SigningKey.generate())
        assert log.wait("downlink_rejected")[0]["error"] == "UnknownKey"
        desk.send(receipt_of(outbox, 2), epoch="another")
        assert log.wait("downlink_rejected", 2)[1]["error"] == "WrongAddressee"
        desk.wait(lambda: any(status.rejected_downlinks == 2 for status in desk.statuses))
        assert outbox.counts().pending_records == 2
        desk.send(receipt_of(outbox, 2), epoch=outbox.epoch)
        log.wait_total("records_confirmed", "stored", 2)
    assert outbox.counts().rejected_downlinks == 2


def test_a_box_whose_name_another_one_uses_says_so_once_and_keeps_its_records(
    broker: Broker, identity: Identity, outbox: Outbox
) -> None:
    broker.start()
    log = Log()
    append(outbox, 1)
    foreign = lone_receipt(Kept(1, Disposition.STORED, "b" * 64))
    with Desk(identity, broker.port, answering=False) as desk, sending(outbox, identity, on_event=log):
        desk.wait(lambda: len(desk.records) == 1)
        for _ in range(2):
            desk.send(foreign, epoch=outbox.epoch)
        assert "copied" in str(log.wait("forked")[0]["reason"])
        desk.wait(lambda: "copied" in desk.statuses[-1].trouble)
        assert outbox.counts().pending_records == 1
        desk.send(receipt_of(outbox, 1), epoch=outbox.epoch)
        log.wait_total("records_confirmed", "stored", 1)
    assert len(log.named("forked")) == 1
    with Desk(identity, broker.port) as desk, sending(outbox, identity):
        desk.wait(lambda: bool(desk.statuses) and "copied" in desk.statuses[-1].trouble)


def test_a_repeated_receipt_is_harmless_and_an_older_one_is_rejected(
    broker: Broker, identity: Identity, outbox: Outbox
) -> None:
    broker.start()
    log = Log()
    append(outbox, 2)
    with (
        Desk(identity, broker.port, answering=False) as desk,
        sending(outbox, identity, on_event=log),
    ):
        desk.wait(lambda: len(desk.records) == 2)
        desk.send(receipt_of(outbox, 1), epoch=outbox.epoch, counter=50)
        log.wait("records_confirmed")
        desk.send(receipt_of(outbox, 2), epoch=outbox.epoch, counter=49)
        assert log.wait("downlink_rejected")[0]["error"] == "StaleCounter"
        assert outbox.counts().pending_records == 1


def test_a_clean_stop_says_so_and_a_broken_line_is_told_by_the_last_will(
    broker: Broker, identity: Identity, outbox: Outbox
) -> None:
    broker.start()
    with Desk(identity, broker.port) as desk:
        with Publisher(outbox, identity):
            desk.wait(lambda: bool(desk.statuses) and desk.statuses[-1].online)
        desk.wait(lambda: not desk.statuses[-1].online)
        count = len(desk.statuses)
        broken = Publisher(outbox, identity)
        broken.start()
        desk.wait(lambda: len(desk.statuses) > count and desk.statuses[-1].online)
        broken._connection._client.socket().shutdown(2)  # the cable is cut
        desk.wait(lambda: any(not status.online for status in desk.statuses[count + 1 :]))
        broken.stop()
    goodbye, again = desk.statuses[count - 1], desk.statuses[count]
    will = next(status for status in desk.statuses[count:] if not status.online)
    assert goodbye.number > desk.statuses[0].number, "a goodbye is the newest of its connection"
    assert again.connection > goodbye.connection, "whatever came before is older"
    assert (will.connection, will.number) == (again.connection, 0), "a last will is sealed first"


def test_a_wrong_password_is_said_and_tried_again(broker: Broker, outbox: Outbox) -> None:
    broker.start()
    log = Log()
    stranger = make_identity(mqtt_port=broker.port, mqtt_password="wrong")
    with sending(outbox, stranger, on_event=log):
        reasons = [str(detail["reason"]) for detail in log.wait("disconnected", 2)]
    assert all("box-1" in reason and ("password" in reason or "refused" in reason) for reason in reasons)


def test_no_thread_outlives_its_owner(broker: Broker, identity: Identity, outbox: Outbox) -> None:
    broker.start()
    before = set(threading.enumerate())
    with Desk(identity, broker.port) as desk, Publisher(outbox, identity):
        append(outbox, 1)
        desk.wait(lambda: bool(desk.records))
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("started", [False, True])
def test_stopping_at_once_is_clean_with_and_without_a_broker(
    broker: Broker, identity: Identity, outbox: Outbox, started: bool
) -> None:
    if started:
        broker.start()
    before = set(threading.enumerate())
    publisher = Publisher(outbox, identity)
    publisher.start()
    publisher.stop()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("channel", [Channel.COMMANDS, Channel.DESIRED])
def test_whatever_comes_on_a_channel_the_centre_does_not_use_is_refused_counted_and_told(
    broker: Broker, identity: Identity, outbox: Outbox, channel: Channel
) -> None:
    broker.start()
    log = Log()
    append(outbox, 1)
    receipt = write_downlink(
        receipt_of(outbox, 1),
        key=CENTRE_KEY,
        tenant=identity.tenant,
        device=identity.device,
        epoch=outbox.epoch,
        counter=1,
        at=datetime.now(UTC),
        lifetime=LIFETIME,
    )
    with Desk(identity, broker.port, answering=False) as desk, sending(outbox, identity, on_event=log):
        desk.wait(lambda: bool(desk.statuses))
        for raw in (b"reboot", receipt):
            desk.subscriber.publish(Topic(identity.tenant, identity.device, channel), raw)
        refused = [detail["error"] for detail in log.wait("downlink_rejected", 2)]
        desk.wait(lambda: desk.statuses[-1].rejected_downlinks == 2)
    assert refused == ["MalformedMessage", "WrongType"]
    assert outbox.counts().pending_records == 1


def test_what_the_centre_asks_for_is_sent_again_at_once_and_of_what_is_gone_it_is_told(
    broker: Broker, identity: Identity, outbox: Outbox
) -> None:
    broker.start()
    log = Log()
    append(outbox, 3)
    publisher = Publisher(outbox, identity, on_event=log, resend_after_s=600)
    with Desk(identity, broker.port) as desk, publisher:
        log.wait_total("records_confirmed", "stored", 3)
        desk.answering = False
        append(outbox, 2)
        desk.wait(lambda: set(desk.records) == {1, 2, 3, 4, 5})
        before = len(desk.arrivals)
        desk.send(Recall(ranges=(Range(first=2, last=4), Range(first=9, last=2**50))), epoch=outbox.epoch)
        desk.wait(lambda: sorted(desk.arrivals[before:]) == [4, 6])
        assert log.wait("records_recalled") == [{"resent": 1}]
        dropped = desk.records[6].data
        assert isinstance(dropped, Dropped)
        assert (dropped.reason, dropped.ranges) == ("gone", (Range(first=2, last=3),))
        desk.send(Recall(ranges=(Range(first=1, last=5),)), epoch=outbox.epoch)
        desk.wait(lambda: desk.arrivals[before:].count(5) == 1)
        assert outbox.head()[0] == 6, "it is said once while it is on its way"


def test_what_was_given_up_while_it_was_under_way_leaves_room_for_the_rest(
    broker: Broker, identity: Identity, tmp_path: Path
) -> None:
    broker.start()
    log = Log()
    with (
        Outbox.open(tmp_path / "small.sqlite3", identity=identity, limit=Limit(30_000)) as outbox,
        Desk(identity, broker.port, answering=False) as desk,
        sending(outbox, identity, on_event=log),
    ):
        log.wait("connected")
        append(outbox, 20)
        desk.wait(lambda: len(desk.records) == 20)
        append(outbox, 20)
        given_up = sum(int(str(each["count"])) for each in log.wait("records_discarded"))
        assert given_up > 0
        desk.wait(lambda: outbox.head()[0] in desk.records)
        desk.answering = True
        append(outbox, 1)
        log.wait_total("records_confirmed", "stored", 1)
        desk.wait(lambda: outbox.counts().pending_records == 0)
