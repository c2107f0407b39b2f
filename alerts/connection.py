"""One MQTT connection that is kept up for as long as its owner wants it.

A thread connects, waits until the connection breaks, backs off (jittered, capped) and connects anew with a fresh paho
client, so that nothing half-sent survives a break: whoever needs delivery sends again until the centre confirms it.
"""

import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from alerts.errors import TlsError
from alerts.tls import explain

KEEPALIVE_S = 15
CONNECT_TIMEOUT_S = 5.0
HANDSHAKE_S = 10.0
LIVENESS_S = 2.0
BACKOFF_FIRST_S = 0.25
BACKOFF_CAP_S = 4.0
REFUSED_BACKOFF_S = 15.0
PATIENT_REFUSALS = 6
"""So many refusals or short lives in a row before the pauses grow long: a broker that learns of a box restarts."""
STEADY_S = 10.0
"""A connection that lived shorter is a failure to the back-off: two clients of one name push each other out."""
BRIEF_LIVES = 3
"""So many short lives in a row, and the reason says what may be behind them."""
FLUSH_S = 2.0
QUEUE = 512
"""Messages that may wait for a broker that takes none; then `publish` says no."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the broker is and how to sign in there."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: Callable[[], ssl.SSLContext] | None = field(default=None, repr=False)
    """Asked before each attempt, for certificates are renewed; None: no TLS."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when the connection breaks without a goodbye."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it arrived.

    `ack` tells the broker that it need not bring it again. `is_current` turns false when the connection it came over
    has ended: then the broker brings it again, and `ack` does nothing.
    """

    topic: str
    payload: bytes
    ack: Callable[[], None]
    is_current: Callable[[], bool]


def backoff_s(attempt: int, *, cap_s: float = BACKOFF_CAP_S, jitter: Callable[[], float] = random.random) -> float:
    """Seconds to wait before the `attempt`-th new try, from 1: doubling, capped, between half and the whole of it."""
    full = min(cap_s, BACKOFF_FIRST_S * 2.0 ** min(attempt - 1, 30))
    return full * (0.5 + 0.5 * jitter())


class _State(Enum):
    DOWN = auto()
    CONNECTING = auto()
    UP = auto()


class Connection:
    """Kept up by a thread of its own between `start` and `stop`.

    `on_up` is called when the broker has accepted the client and its subscriptions were sent, `on_down(reason)` when
    the connection ended or could not be made, `on_message` for each arrival; all on paho's or this thread, so they
    return soon. `will` is asked before each attempt. `if_refused` says what to do where the broker refuses the client.
    """

    def __init__(
        self,
        address: Address,
        *,
        client_id: str,
        clean_session: bool,
        filters: Sequence[str],
        on_up: Callable[[], None],
        on_down: Callable[[str], None],
        on_message: Callable[[Arrival], None],
        if_refused: str,
        will: Callable[[], Will] | None = None,
        name: str = "mqtt",
        unwanted: Sequence[str] = (),
    ) -> None:
        self.address = address
        self._client_id = client_id
        self._clean_session = clean_session
        self._filters = tuple(filters)
        self._unwanted = list(unwanted)
        self._on_up = on_up
        self._on_down = on_down
        self._on_message = on_message
        self._if_refused = if_refused
        self._will = will
        self._changed = threading.Condition()
        self._state = _State.DOWN
        self._stopping = False
        self._renewing = False
        self._refusal = ""
        self._client: mqtt.Client | None = None
        self._network_thread: threading.Thread | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_up(self) -> bool:
        """Whether the broker has accepted the client and the connection has not ended since."""
        return self._state is _State.UP

    def start(self) -> None:
        """Begin connecting; returns at once."""
        self._thread.start()

    def stop(self, farewell: Will | None = None) -> None:
        """Publish `farewell` (retained) if the connection is up, say goodbye and end the thread."""
        client = self._client
        if farewell and client and self.is_up:
            info = client.publish(farewell.topic, farewell.payload, qos=1, retain=True)
            if info.rc == mqtt.MQTT_ERR_SUCCESS:
                _wait_for(info)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def renew(self) -> None:
        """End this connection in good order and make another at once, with a new last will."""
        with self._changed:
            if self.is_up:
                self._renewing = True
                self._enter(_State.DOWN)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message (QoS 1) to the connection; False if it is down. True is no promise of delivery."""
        client = self._client
        if client is None or not self.is_up:
            return False
        return client.publish(topic, payload, qos=1, retain=retain).rc == mqtt.MQTT_ERR_SUCCESS

    def _run(self) -> None:
        failures = refusals = brief = 0
        while True:
            lived_s, reason = 0.0, "an error of this program, see its log"
            with _surviving("connection"):
                lived_s, reason = self._live_once()
            if self._stopping:
                return
            if self._renewing:
                self._renewing = False
                continue
            failures = 0 if lived_s >= STEADY_S else failures + 1
            refusals = refusals + 1 if self._refusal else 0
            brief = brief + 1 if 0 < lived_s < STEADY_S else 0
            if brief >= BRIEF_LIVES:
                reason += f" again and again: is another {self._client_id!r} running, from a copy of this one's files?"
            with _surviving("on_down"):
                self._on_down(reason)
            pause_s = REFUSED_BACKOFF_S if max(refusals, brief) > PATIENT_REFUSALS else backoff_s(failures + 1)
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, pause_s)

    def _live_once(self) -> tuple[float, str]:
        """Connect and stay until the connection ends: for how many seconds it was up, and why it is not."""
        where = f"{self.address.host}:{self.address.port}"
        self._refusal = ""
        self._state = _State.CONNECTING
        client = None
        try:
            client = self._client = self._make_client()
            client.connect(self.address.host, self.address.port, keepalive=KEEPALIVE_S)
            client.loop_start()
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._state is not _State.CONNECTING, HANDSHAKE_S)
                was_up, up_at_s = self.is_up, time.monotonic()
                while not self._stopping and self.is_up and self._network_thread_lives():
                    self._changed.wait(LIVENESS_S)
            ended = "the connection to the broker at {} broke" if was_up else "the broker at {} does not answer"
            lived_s = max(time.monotonic() - up_at_s, 1e-3) if was_up else 0.0
            return lived_s, self._refusal or ended.format(where)
        except (OSError, ValueError) as error:
            if isinstance(error, (ssl.SSLError, TlsError)):
                return 0.0, f"the broker at {where} is not trusted, or does not trust us: {explain(error)}"
            return 0.0, f"no broker at {where}: {error}"
        finally:
            self._state = _State.DOWN
            self._client = None
            if client is not None:
                client.disconnect()
                client.loop_stop()

    def _network_thread_lives(self) -> bool:
        return self._network_thread is None or self._network_thread.is_alive()

    def _enter(self, state: "_State") -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _make_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=self._clean_session,
            protocol=mqtt.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.username_pw_set(self.address.username, self.address.password)
        if self.address.tls is not None:
            client.tls_set_context(self.address.tls())
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(64)
        client.max_queued_messages_set(QUEUE)
        if self._will:
            will = self._will()
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._arrived
        return client

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:  # noqa: ANN401 - paho's signature
        if client is not self._client:
            return
        if code.is_failure:
            self._refusal = f"the broker refused {self.address.username!r}: {code}; {self._if_refused}"
            self._enter(_State.DOWN)
            return
        self._network_thread = threading.current_thread()
        if self._unwanted:
            client.unsubscribe(self._unwanted)
        if self._filters:
            client.subscribe([(text, 1) for text in self._filters])
        self._enter(_State.UP)
        with _surviving("on_up"):
            self._on_up()

    def _disconnected(self, client: mqtt.Client, _data: Any, _flags: Any, _code: Any, _properties: Any) -> None:  # noqa: ANN401 - paho's signature
        if client is not self._client:
            return
        if self._state is _State.CONNECTING and not self._refusal:
            self._refusal = (
                f"the broker at {self.address.host}:{self.address.port} hung up before accepting"
                f" {self.address.username!r}: {'a certificate' if self.address.tls else 'a password'} it does not take,"
                " or it is just starting"
            )
        self._enter(_State.DOWN)

    def _arrived(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:  # noqa: ANN401 - paho's signature
        def ack() -> None:
            if is_current():
                client.ack(message.mid, message.qos)

        def is_current() -> bool:
            return client is self._client

        with _surviving("on_message"):
            self._on_message(Arrival(message.topic, bytes(message.payload), ack, is_current))


@contextmanager
def _surviving(callback: str) -> Iterator[None]:
    """An error in a callback would end paho's thread without a word."""
    try:
        yield
    except Exception:
        log.exception("callback_failed", callback=callback)


def _wait_for(info: mqtt.MQTTMessageInfo) -> None:
    try:
        info.wait_for_publish(FLUSH_S)
    except (RuntimeError, ValueError):
        log.debug("farewell_not_sent")
