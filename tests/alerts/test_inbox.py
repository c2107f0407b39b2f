"""What is taken from the inbox, and when the broker is told."""

import base64
import json
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from alerts.connection import Arrival
from alerts.freshness import claims_now
from alerts.inbox import BATCH, SHORT_BATCH, Inbox
from alerts.records import write_record
from alerts.topics import Channel, Topic
from alerts.wire import MAX_BYTES
from tests.alerts.parts import NOON, TENANT, make_alert, make_identity


@dataclass
class Wire:
    """Arrivals of one connection, and which of them the broker was told of."""

    told: list[bytes] = field(default_factory=list)
    is_current: bool = True

    def bring(self, inbox: Inbox, *payloads: bytes) -> None:
        for payload in payloads:
            inbox.put(Arrival("t", payload, partial(self.told.append, payload), lambda: self.is_current))


def open_inbox() -> tuple[Inbox, Wire]:
    return Inbox(lambda arrival: arrival.payload.startswith(b"!")), Wire()


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def taken(inbox: Inbox) -> list[bytes]:
    """The payloads of the next batch, which is settled."""
    batch = inbox.take()
    inbox.settle(batch)
    return [item.arrival.payload for item in batch]


def test_what_waits_is_one_batch_in_its_order() -> None:
    inbox, wire = open_inbox()
    wire.bring(inbox, *numbered(BATCH + 1))
    assert taken(inbox) == numbered(BATCH)
    assert taken(inbox) == [b"%d" % BATCH]
    assert wire.told == numbered(BATCH + 1)


def test_what_is_pressing_goes_first_and_keeps_the_batches_short() -> None:
    inbox, wire = open_inbox()
    wire.bring(inbox, *numbered(300), b"!a", b"!b")
    assert taken(inbox) == [b"!a", b"!b", *numbered(SHORT_BATCH - 2)]
    wire.bring(inbox, b"!c")
    following = [b"!c", *numbered(300)[SHORT_BATCH - 2 :]]
    assert taken(inbox) == following[:SHORT_BATCH]
    assert taken(inbox) == following[SHORT_BATCH : 2 * SHORT_BATCH]


def test_a_flood_of_what_is_pressing_is_dealt_with_as_a_flood() -> None:
    inbox, wire = open_inbox()
    flood = [b"!%d" % number for number in range(500)]
    wire.bring(inbox, *numbered(300), *flood)
    assert taken(inbox) == flood + numbered(300)


def test_the_broker_is_told_in_the_order_of_arrival_whatever_was_dealt_with_first() -> None:
    inbox, wire = open_inbox()
    wire.bring(inbox, *numbered(SHORT_BATCH), b"!a")
    assert taken(inbox)[0] == b"!a"
    assert wire.told == numbered(SHORT_BATCH - 1)
    assert taken(inbox) == [b"%d" % (SHORT_BATCH - 1)]
    assert wire.told == [*numbered(SHORT_BATCH), b"!a"]


def test_what_came_over_a_connection_that_has_ended_holds_up_nobody() -> None:
    inbox, before = open_inbox()
    before.bring(inbox, b"1", b"2")
    batch = inbox.take()
    before.is_current = False
    after = Wire()
    after.bring(inbox, b"2", b"3")
    assert taken(inbox) == [b"2", b"3"]
    assert after.told == [b"2", b"3"]
    inbox.settle(batch)
    assert after.told == [b"2", b"3"]


def test_long_messages_make_small_batches_and_one_goes_however_long_it_is() -> None:
    inbox, wire = open_inbox()
    wire.bring(inbox, bytes(9 * 2**20), bytes(5 * 2**20), bytes(5 * 2**20), bytes(1))
    assert [len(taken(inbox)) for _ in range(3)] == [1, 2, 1]


def test_a_closed_inbox_hands_out_nothing_more() -> None:
    inbox, wire = open_inbox()
    wire.bring(inbox, b"1")
    inbox.close()
    assert inbox.take() == []
    assert wire.told == []


def arrived(raw: bytes, channel: Channel = Channel.JOURNAL) -> Arrival:
    return Arrival(Topic(TENANT, "box-1", channel).text, raw, lambda: None, lambda: True)


def record_of(age: timedelta) -> bytes:
    place: dict[str, Any] = {"epoch": "e", "sequence": 1, "prevhash": "0" * 64, "at": NOON - age}
    return write_record(make_alert(), identity=make_identity(), **place).raw


@pytest.mark.parametrize(
    ("age_s", "is_now"), [(0, True), (59, True), (-59, True), (61, False), (-61, False), (86_400, False)]
)
def test_a_record_made_within_a_minute_claims_to_tell_of_now(age_s: int, is_now: bool) -> None:
    assert claims_now(arrived(record_of(timedelta(seconds=age_s))), NOON) is is_now


def test_a_status_of_now_is_not_pressing_for_there_is_always_one() -> None:
    assert not claims_now(arrived(record_of(timedelta(0)), Channel.STATUS), NOON)


def enveloped(payload: bytes) -> bytes:
    return json.dumps({"payload": base64.b64encode(payload).decode()}, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"payload":"',
        b'{"payload":"@"}',
        b'{"payload":"","x":1}',
        enveloped(b"no time"),
        enveloped(b'"time":"'),
        enveloped(b'"time":"yesterday"'),
        enveloped(b'"time":"\xff"'),
        enveloped(b'"time":"0001-01-01T00:00:00+23:59"'),
        enveloped(bytes(MAX_BYTES) + b'"time":"' + NOON.isoformat().encode() + b'"'),
    ],
)
def test_what_tells_no_time_does_not_claim_to_tell_of_now(raw: bytes) -> None:
    assert not claims_now(arrived(raw), NOON)
