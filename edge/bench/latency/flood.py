"""What the same centre takes in when nothing holds the senders back: the ceiling of any drain of a backlog.

Signed records of the boxes, in journals of their own, go to the broker as fast as it takes them; what the centre has is
read off its receipts.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from alerts import events
from alerts.control_messages import Receipt
from alerts.identity import Identity
from alerts.records import FIRST_PREVHASH, write_record
from alerts.topics import Channel, Topic
from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.founding import camera_of
from edge.bench.latency.made_up import parked

EPOCH = "flood"
AHEAD = 5000
"""So many may be on the way: fewer than a broker keeps for a subscriber that is slow."""

PATIENCE_S = 120.0
ANSWERS = 200


class Flood:
    """Of these boxes, of one county; what is poured later continues their journals."""

    def __init__(self, identities: Sequence[Identity]) -> None:
        self._identities = identities
        self._heads = {each.device: (0, FIRST_PREVHASH) for each in identities}
        self._has: dict[str, int] = {}
        self._news = threading.Condition()

    def pour(self, count: int) -> float:
        """Seconds from the first that is sent to the receipt for the last. Raises NothingToMeasure."""
        before = sum(self._has.values())
        turns = [self._identities[at % len(self._identities)] for at in range(count)]
        messages = [self._write(identity) for identity in turns]
        with ExitStack() as cleanup:
            clients = {
                each.device: cleanup.enter_context(
                    _connected(each, self._note_receipt, Topic(each.tenant, each.device, Channel.RECEIPTS).text)
                )
                for each in self._identities
            }
            began_s = time.monotonic()
            for number, (identity, (topic, raw)) in enumerate(zip(turns, messages, strict=True), 1):
                self._await(before + number - AHEAD)
                clients[identity.device].publish(topic, raw, qos=1)
            self._await(before + count)
            return time.monotonic() - began_s

    def _await(self, count: int) -> None:
        """Until the centre has so many. Raises NothingToMeasure."""
        with self._news:
            if not self._news.wait_for(lambda: sum(self._has.values()) >= count, PATIENCE_S):
                raise NothingToMeasure(f"the centre took in {sum(self._has.values())} alerts of {count} in time")

    def _note_receipt(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        key = self._identities[0].centre_key
        sealed = events.open_event(bytes(message.payload), {Receipt.TYPE: Receipt}, {key.key_id: key}.get)
        if sealed.event.epoch == EPOCH:
            with self._news:
                self._has[sealed.event.device] = sealed.data.cumulative
                self._news.notify_all()

    def _write(self, identity: Identity) -> tuple[str, bytes]:
        """The next record of this box, chained as an outbox does it."""
        last, prevhash = self._heads[identity.device]
        at = datetime.now(UTC)
        record = write_record(
            parked(camera_of(identity.device), f"i-{EPOCH}-{last + 1}", at),
            identity=identity,
            epoch=EPOCH,
            sequence=last + 1,
            prevhash=prevhash,
            at=at,
        )
        self._heads[identity.device] = (record.sequence, record.sha256)
        return Topic(identity.tenant, identity.device, Channel.JOURNAL).text, record.raw


def answers_s(identity: Identity, size_bytes: int) -> list[float]:
    """How long the broker takes to answer messages of this size, one after the other: no receipt can come sooner.

    Their topic is none that a box may write to: the broker acknowledges them and passes nothing on.
    """
    topic = Topic(identity.tenant, identity.device, Channel.RECEIPTS).text
    with _connected(identity, lambda *_: None, topic) as client:
        return [_answer_s(client, f"{topic}/bench", bytes(size_bytes)) for _ in range(ANSWERS)]


def _answer_s(client: mqtt.Client, topic: str, payload: bytes) -> float:
    began_s = time.monotonic()
    client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)
    return time.monotonic() - began_s


@contextmanager
def _connected(identity: Identity, on_message: mqtt.CallbackOnMessage, subscription: str) -> Iterator[mqtt.Client]:
    ready = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"flood-{identity.device}", clean_session=True)
    client.username_pw_set(identity.mqtt_username, identity.mqtt_password)
    client.max_inflight_messages_set(500)

    def connected(*_: object) -> None:
        client.subscribe(subscription, qos=1)

    client.on_connect = connected
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = on_message
    client.connect(identity.mqtt_host, identity.mqtt_port)
    client.loop_start()
    try:
        if not ready.wait(PATIENCE_S):
            raise NothingToMeasure("the broker takes no subscription")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()
