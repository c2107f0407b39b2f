"""The centre's ear, with real brokers: acknowledged only when dealt with, never deaf."""

import threading
from collections.abc import Sequence

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from alerts.subscriber import Incoming, Subscriber
from alerts.topics import Channel, Topic
from tests.alerts.brokers import Broker
from tests.alerts.parts import BOX_USER, CENTRE_USER, TENANT, Log

JOURNAL = Topic(TENANT, "box-1", Channel.JOURNAL)


class Ear:
    """Collects what a subscriber is called with; `failing` names what cannot be taken, `down` makes the call fail."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.batches: list[int] = []
        self.failing: set[bytes] = set()
        self.down = 0
        self.blocked = threading.Event()
        self.blocked.set()
        self._changed = threading.Condition()

    def __call__(self, messages: Sequence[Incoming]) -> Sequence[Incoming]:
        assert {message.topic.tenant for message in messages} == {TENANT}
        with self._changed:
            self.heard.extend(message.raw for message in messages)
            self.batches.append(len(messages))
            self._changed.notify_all()
        if self.down:
            self.down -= 1
            raise RuntimeError("the database is away")
        self.blocked.wait(20)
        return [message for message in messages if message.raw in self.failing]

    def wait_until_subscribed(self, broker: Broker) -> None:
        """Until a message gets through; a broker keeps nothing for a client it has never seen."""
        for _ in range(100):
            send(broker, b"hello")
            with self._changed:
                if self._changed.wait_for(lambda: b"hello" in self.heard, 0.2):
                    self.heard.clear()
                    return
        pytest.fail("the subscriber never heard anything")

    def wait(self, raw: bytes, times: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.heard.count(raw) >= times, 20), self.heard


def subscriber(broker: Broker, ear: Ear, log: Log | None = None, attempts: int = 6) -> Subscriber:
    return Subscriber(
        host="127.0.0.1",
        port=broker.port,
        username=CENTRE_USER[0],
        password=CENTRE_USER[1],
        tenant=TENANT,
        on_messages=ear,
        on_event=log,
        attempts=attempts,
    )


def send(broker: Broker, *payloads: bytes, topic: str = JOURNAL.text) -> None:
    """Publish as a box would, and wait for the broker's word."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="sender", protocol=mqtt.MQTTv311)
    client.username_pw_set(*BOX_USER)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for payload in payloads:
        client.publish(topic, payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


@pytest.fixture(autouse=True)
def _started(broker: Broker) -> None:
    broker.start()


def test_messages_come_in_order(broker: Broker) -> None:
    ear, log = Ear(), Log()
    with subscriber(broker, ear, log):
        log.wait("connected")
        ear.wait_until_subscribed(broker)
        send(broker, *(b"%d" % n for n in range(30)))
        ear.wait(b"29")
    assert [raw for raw in ear.heard if raw != b"hello"] == [b"%d" % n for n in range(30)]


def test_what_comes_while_a_batch_is_dealt_with_is_the_next_batch_and_all_of_a_failed_one_comes_again(
    broker: Broker,
) -> None:
    ear = Ear()
    with subscriber(broker, ear):
        ear.wait_until_subscribed(broker)
        ear.blocked.clear()
        send(broker, b"first")
        ear.wait(b"first")
        send(broker, *(b"%d" % n for n in range(15)))
        ear.down = 1
        ear.blocked.set()
        ear.wait(b"14", 2)
    assert ear.batches[-2:] == [15, 15]
    assert ear.heard[-15:] == ear.heard[-30:-15] == [b"%d" % n for n in range(15)]


def test_what_was_not_dealt_with_comes_again_over_the_next_connection(broker: Broker) -> None:
    ear = Ear()
    with subscriber(broker, ear):
        ear.wait_until_subscribed(broker)
        ear.failing = {b"2"}
        send(broker, b"1")
        ear.wait(b"1")
        send(broker, b"2", b"3")
        ear.wait(b"2", 2)
    ear.failing = set()
    with subscriber(broker, ear):
        ear.wait(b"3")
    assert ear.heard.count(b"1") == 1
    assert ear.heard.index(b"3") > ear.heard.index(b"2")


def test_what_is_sent_while_the_centre_is_away_waits_at_the_broker(broker: Broker) -> None:
    ear = Ear()
    with subscriber(broker, ear):
        ear.wait_until_subscribed(broker)
    send(broker, b"meanwhile")
    with subscriber(broker, ear):
        ear.wait(b"meanwhile")


def test_a_message_that_always_fails_is_let_go_and_the_others_are_heard(broker: Broker) -> None:
    ear, log = Ear(), Log()
    ear.failing = {b"poison"}
    with subscriber(broker, ear, log, attempts=3):
        ear.wait_until_subscribed(broker)
        send(broker, b"poison", b"tea")
        ear.wait(b"tea")
        assert log.wait("message_given_up") == [{"topic": JOURNAL.text}]
    assert ear.heard.count(b"poison") == 3


def test_rubbish_and_foreign_topics_do_not_make_it_deaf(broker: Broker) -> None:
    ear = Ear()
    with subscriber(broker, ear):
        ear.wait_until_subscribed(broker)
        send(broker, b"x", topic=f"teawatch/v1/{TENANT}/bad device!/journal")
        send(broker, b"\xff\x00\xfe", b"", b"after")
        ear.wait(b"after")
    assert b"x" not in ear.heard
    assert b"\xff\x00\xfe" in ear.heard


def test_it_comes_back_after_the_broker_was_killed(broker: Broker) -> None:
    ear, log = Ear(), Log()
    with subscriber(broker, ear, log):
        log.wait("connected")
        broker.kill()
        log.wait("disconnected")
        broker.start()
        log.wait("connected", 2)
        ear.wait_until_subscribed(broker)


def test_stopping_finishes_the_message_in_hand_and_leaves_no_thread(broker: Broker) -> None:
    before = set(threading.enumerate())
    ear = Ear()
    listening = subscriber(broker, ear)
    listening.start()
    ear.wait_until_subscribed(broker)
    ear.blocked.clear()
    send(broker, b"in hand")
    ear.wait(b"in hand")
    stopping = threading.Thread(target=listening.stop)
    stopping.start()
    ear.blocked.set()
    stopping.join(10)
    assert set(threading.enumerate()) <= before


def test_publishing_without_a_connection_says_so(broker: Broker) -> None:
    listening = subscriber(broker, Ear())
    assert listening.publish(JOURNAL, b"x") is False


def test_a_centre_that_the_broker_refuses_is_not_told_to_enrol(broker: Broker) -> None:
    log = Log()
    stranger = Subscriber(
        host="127.0.0.1",
        port=broker.port,
        username=CENTRE_USER[0],
        password="wrong",
        tenant=TENANT,
        on_messages=Ear(),
        on_event=log,
    )
    with stranger:
        (first, *_) = log.wait("disconnected")
    assert CENTRE_USER[0] in str(first["reason"])
    assert "enrol" not in str(first["reason"])
