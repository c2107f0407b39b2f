"""The centre's ear: takes what boxes send, and tells the broker so only after it was dealt with."""

import ssl
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import structlog

from alerts import topics
from alerts.connection import Address, Arrival, Connection, backoff_s
from alerts.errors import MalformedMessage, NotTakenNow
from alerts.inbox import Inbox
from alerts.publisher import OnEvent
from alerts.topics import UPLINKS, Channel, Topic

ATTEMPTS = 6
END_S = 10.0

log = structlog.get_logger(__name__)


class Incoming(NamedTuple):
    """A message, under which topic it came."""

    topic: Topic
    raw: bytes


OnMessages = Callable[[Sequence[Incoming]], Sequence[Incoming]]
"""Takes messages in, in the order they came, and returns those it could not; raises where it could take none."""


class Subscriber:
    """Calls `on_messages` with what has come, batch after batch, in a thread of its own.

    A batch is what comes without a pause of milliseconds, so that a lone message hardly waits and a flood is dealt with
    by the hundred; what is pressing goes before the rest (`Inbox`). The broker is told (PUBACK) when the callback has
    returned; until then it keeps the messages, also over a break of the connection (fixed client id, persistent
    session). What the callback could not take is tried again, six times within some ten seconds;
    then it is let go and logged as `message_given_up`: the box, which got no receipt, brings it again, and the others
    need not wait.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        username: str,
        password: str,
        tenant: str,
        on_messages: OnMessages,
        on_event: OnEvent | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
        attempts: int = ATTEMPTS,
        name: str = "",
        channels: Sequence[Channel] = UPLINKS,
        is_pressing: Callable[[Arrival], bool] = lambda _arrival: False,
    ) -> None:
        """`name` tells several of one tenant apart; of `UPLINKS` only `channels` are heard."""
        self._attempts = attempts
        self._on_messages = on_messages
        self._on_event = on_event
        self._inbox = Inbox(is_pressing)
        self._stopping = threading.Event()
        self._connection = Connection(
            Address(host=host, port=port, username=username, password=password, tls=tls),
            client_id=_client_id(tenant, name),
            clean_session=False,
            filters=[topics.filter_of(tenant, channel) for channel in channels],
            unwanted=[topics.filter_of(tenant, channel) for channel in UPLINKS if channel not in channels],
            on_up=lambda: self._tell("connected", broker=f"{host}:{port}"),
            on_down=lambda reason: self._tell("disconnected", reason=reason),
            on_message=self._inbox.put,
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
        """Finish the batch that is being dealt with, leave the others to the broker, end the threads."""
        self._stopping.set()
        self._inbox.close()
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
        while batch := self._inbox.take():
            if self._deal_with([item.arrival for item in batch if item.arrival.is_current()]):
                self._inbox.settle(batch)

    def _deal_with(self, batch: Sequence[Arrival]) -> bool:
        """Whether the broker may forget them."""
        waiting: Sequence[Incoming] = [message for arrival in batch if (message := _read_topic(arrival)) is not None]
        for attempt in range(1, self._attempts + 1):
            waiting = self._offer(waiting, attempt)
            if not waiting:
                return True
            if not all(arrival.is_current() for arrival in batch) or self._stopping.wait(backoff_s(attempt)):
                return False
        for message in waiting:
            self._tell("message_given_up", topic=message.topic.text)
        return True

    def _offer(self, messages: Sequence[Incoming], attempt: int) -> Sequence[Incoming]:
        """Those that were not taken."""
        if not messages:
            return ()
        try:
            return self._on_messages(messages)
        except NotTakenNow as error:
            log.error("messages_failed", reason=str(error), **_told(messages, attempt))  # noqa: TRY400 - one line says it
        except Exception:
            log.exception("messages_failed", **_told(messages, attempt))
        return messages

    def _tell(self, event: str, **detail: object) -> None:
        (log.info if event == "connected" else log.warning)(event, **detail)
        if self._on_event:
            self._on_event(event, detail)


def _told(messages: Sequence[Incoming], attempt: int) -> dict[str, object]:
    return {"topic": messages[0].topic.text, "count": len(messages), "attempt": attempt}


def end_session(address: Address, *, tenant: str, name: str, patience_s: float = END_S) -> bool:
    """Have the broker forget a subscriber that will not come back, and what waits for it; whether the broker did.

    A clean session takes the place of the persistent one (MQTT 3.1.1, 3.1.2.4): every broker understands that.
    """
    accepted = threading.Event()
    connection = Connection(
        address,
        client_id=_client_id(tenant, name),
        clean_session=True,
        filters=(),
        on_up=accepted.set,
        on_down=lambda reason: log.warning("session_not_ended", worker=name, reason=reason),
        on_message=lambda _arrival: None,
        if_refused="look at the broker's user and password in the centre's configuration",
        name="session-end",
    )
    connection.start()
    try:
        return accepted.wait(patience_s)
    finally:
        connection.stop()


def _client_id(tenant: str, name: str) -> str:
    return "-".join(filter(None, ("teawatch-center", tenant, name)))


def _read_topic(arrival: Arrival) -> Incoming | None:
    try:
        return Incoming(topics.parse(arrival.topic), arrival.payload)
    except MalformedMessage as error:
        log.warning("message_elsewhere", reason=str(error))
        return None
