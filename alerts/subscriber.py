"""The centre's ear: takes what boxes send, and tells the broker so only after it was dealt with."""

import queue
import threading
from collections.abc import Callable
from typing import Self

import structlog

from alerts import topics
from alerts.connection import Address, Arrival, Connection, backoff_s
from alerts.errors import MalformedMessage
from alerts.publisher import OnEvent
from alerts.topics import Channel, Topic

ATTEMPTS = 6

log = structlog.get_logger(__name__)


class Subscriber:
    """Calls `on_message(topic, raw)` for each message, one after the other, in a thread of its own.

    The broker is told (PUBACK) when the callback has returned; until then it keeps the message, also over a break of
    the connection (fixed client id, persistent session). Acknowledgements keep the order of arrival, because rumqttd
    counts them. A callback that raises is tried again, six times within some ten seconds; then the message is let go
    and logged as `message_given_up`: the box, which got no receipt, brings it again, and the others need not wait.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        username: str,
        password: str,
        tenant: str,
        on_message: Callable[[Topic, bytes], object],
        on_event: OnEvent | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._attempts = attempts
        self._on_message = on_message
        self._on_event = on_event
        self._arrivals: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._connection = Connection(
            Address(host=host, port=port, username=username, password=password),
            client_id=f"teawatch-center-{tenant}",
            clean_session=False,
            filters=[topics.filter_of(tenant, channel) for channel in (Channel.JOURNAL, Channel.STATUS)],
            on_up=lambda: self._tell("connected", broker=f"{host}:{port}"),
            on_down=lambda reason: self._tell("disconnected", reason=reason),
            on_message=self._arrivals.put,
            if_refused="look at the broker's user and password in the centre's configuration",
            name="subscriber-mqtt",
        )
        self._thread = threading.Thread(target=self._run, name="subscriber", daemon=True)

    @property
    def is_up(self) -> bool:
        """Whether the broker has accepted this client."""
        return self._connection.is_up

    def start(self) -> None:
        """Begin; returns at once, whether or not there is a broker."""
        self._thread.start()
        self._connection.start()

    def stop(self) -> None:
        """Finish the message that is being dealt with, leave the others to the broker, end the threads."""
        self._stopping.set()
        self._arrivals.put(None)
        self._thread.join()
        self._connection.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def publish(self, topic: Topic, raw: bytes) -> bool:
        """Send to a box; False if the connection is down. A lost receipt is harmless: the box asks by sending again."""
        return self._connection.publish(topic.text, raw)

    def _run(self) -> None:
        while (arrival := self._arrivals.get()) is not None and not self._stopping.is_set():
            if arrival.is_current() and self._deal_with(arrival):
                arrival.ack()

    def _deal_with(self, arrival: Arrival) -> bool:
        """Whether the broker may forget it."""
        try:
            topic = topics.parse(arrival.topic)
        except MalformedMessage as error:
            log.warning("message_elsewhere", reason=str(error))
            return True
        for attempt in range(1, self._attempts + 1):
            try:
                self._on_message(topic, arrival.payload)
            except Exception:
                log.exception("message_failed", topic=topic.text, attempt=attempt)
            else:
                return True
            if not arrival.is_current() or self._stopping.wait(backoff_s(attempt)):
                return False
        self._tell("message_given_up", topic=topic.text)
        return True

    def _tell(self, event: str, **detail: object) -> None:
        (log.info if event == "connected" else log.warning)(event, **detail)
        if self._on_event:
            self._on_event(event, detail)
