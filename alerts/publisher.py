"""The box's sender: brings every record of the outbox to the centre, and forgets it on the centre's receipt only."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Self, TypeAlias

import structlog

from alerts.clocks import clock_quality, clock_state, utc_now
from alerts.connection import Address, Arrival, Connection, Will
from alerts.control_messages import Heard, Recall, Receipt, RotateKey, Status
from alerts.door import Door
from alerts.downlinks import admit
from alerts.errors import AlertsError, DownlinkRejected, MessageError, OutboxError
from alerts.flight import WINDOW, Flight
from alerts.identity import Identity
from alerts.messages import Message
from alerts.outbox import Outbox
from alerts.recalls import answer
from alerts.rotation import KeyKeeper
from alerts.status import write_status
from alerts.topics import DOWNLINKS, Channel, Topic
from alerts.transactions import REJECTED_DOWNLINKS, Settled, Transaction

OnEvent: TypeAlias = Callable[[str, Mapping[str, object]], None]
"""Told what happens, by a short fixed name and its details: for a console. Called on the sender's threads."""

STATUS_EVERY_S = 30.0
STATUS_PAUSE_S = 1.0
FLUSH_S = 2.0
COPIED = "the centre has other records under this box's name: it was copied, or set back to an old state"

log = structlog.get_logger(__name__)


class Publisher:
    """Sends in the background between `start` and `stop`, whatever broker and centre do meanwhile.

    What has no receipt is sent again after each reconnection, when the centre asks for it, and after `resend_after_s`
    of silence (doubling up to 30 s). Events: `connected`, `disconnected` (reason), `record_sent` (sequence, times),
    `records_confirmed` (stored, quarantined), `records_recalled` (resent), `records_discarded` (count, reason),
    `key_rotated` (sequence, key_id), `forked` (reason), `downlink_rejected` (error, reason), `outbox_trouble` (reason),
    `stopped`.
    """

    def __init__(
        self,
        outbox: Outbox,
        identity: Identity,
        *,
        on_event: OnEvent | None = None,
        now: Callable[[], datetime] = utc_now,
        resend_after_s: float = 5.0,
        keys: KeyKeeper | None = None,
        door: Door | None = None,
    ) -> None:
        """`keys` lets the centre ask for a new key; without it such a command is refused like any other.

        `door`: the way to the broker, if it is not the usual one of this identity.
        """
        self._outbox = outbox
        self._identity = identity
        self._keys = keys
        self._will_key_id = ""
        self._connected_as = 0
        self._statuses = 0
        self._on_event = on_event
        self._now = now
        self._flight = Flight(resend_after_s)
        self._flight_lock = threading.Lock()
        self._wake = threading.Event()
        self._progress = threading.Condition()
        self._stopping = False
        self._rejected = 0
        self._discarded = outbox.discarded
        self._has_copy = outbox.counts().forked_receipts > 0
        self._status_due_s = 0.0
        self._told: Status | None = None
        self._heard: Heard | None = None
        self._topics = {channel: Topic(identity.tenant, identity.device, channel).text for channel in Channel}
        self._connection = Connection(
            Address(
                host=identity.mqtt_host,
                port=identity.mqtt_port,
                username=identity.mqtt_username,
                password=identity.mqtt_password,
                tls=(door or Door(identity)).to_broker if identity.mqtt_tls else None,
            ),
            client_id=f"teawatch-{identity.device}-{outbox.epoch}",
            clean_session=True,
            filters=[self._topics[channel] for channel in DOWNLINKS],
            on_up=self._up,
            on_down=self._down,
            on_message=self._arrived,
            will=self._last_will,
            if_refused="enrol this box again",
            name="publisher-mqtt",
        )
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Begin; returns at once, whether or not there is a broker."""
        self._outbox.add_listener(self._wake.set)
        self._thread.start()
        self._connection.start()

    def stop(self, *, flush_s: float = FLUSH_S) -> None:
        """Wait at most `flush_s` for receipts of what waits, say that the box goes off line, and end the threads.

        An outbox that cannot be read is told as `outbox_trouble`; the threads end all the same.
        """
        try:
            with self._progress:
                self._progress.wait_for(lambda: not self._connection.is_up or not self._pending(), flush_s)
        except OutboxError as error:
            self._tell("outbox_trouble", reason=str(error))
        finally:
            self._end()

    def _end(self) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._outbox.remove_listener(self._wake.set)
        farewell = None
        try:
            farewell = self._farewell(number=self._statuses + 1) if self._connected_as else None
        except OutboxError as error:
            self._tell("outbox_trouble", reason=str(error))
        finally:
            self._connection.stop(farewell)
        self._tell("stopped")

    def reconnect(self) -> None:
        """Make the connection anew, with the certificate that is there now."""
        self._connection.renew()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping:
            with self._flight_lock:
                pause_s = self._flight.pause_s(time.monotonic(), at_most_s=STATUS_PAUSE_S)
            self._wake.wait(pause_s)
            self._wake.clear()
            try:
                self._keep_rejections()
                self._note_discarded()
                if self._connection.is_up:
                    self._renew_will()
                    # Before the backlog: by it the centre dates what a box without a clock wrote.
                    if self._told is None:
                        self._send_status()
                    self._send_due()
                    self._send_status()
            except OutboxError as error:
                self._tell("outbox_trouble", reason=str(error))
            except Exception:
                log.exception("publisher_failed")

    def _renew_will(self) -> None:
        """After a rotation the last will must be the new key's: it is given to the broker with a connection only."""
        if self._will_key_id != self._outbox.identity.signing_key.key_id:
            self._connection.renew()

    def _send_due(self) -> None:
        now_s = time.monotonic()
        with self._flight_lock:
            live_after = self._flight.live_after(lambda: self._outbox.head()[0], now_s)
            resting = self._flight.resting(now_s)
        for pending in self._outbox.due(limit=2 * WINDOW, live_after=live_after, exclude=resting):
            with self._flight_lock:
                if not self._flight.has_room(pending.sequence, live_after):
                    return
                times = self._flight.sent(pending.sequence, now_s)
            if not self._connection.publish(self._topics[Channel.JOURNAL], pending.raw):
                return
            self._tell("record_sent", sequence=pending.sequence, times=times)

    def _send_status(self) -> None:
        """Now and then, and soon after something changed that somebody should see."""
        now_s = time.monotonic()
        status = self._current_status(online=True, number=self._statuses + 1)
        changed = self._told is None or _is_news(self._told, status)
        due_s = self._status_due_s - (STATUS_EVERY_S - STATUS_PAUSE_S if changed and self._told else 0)
        if (self._told and now_s < due_s) or not self._connection.is_up:
            return
        raw = write_status(status, identity=self._outbox.identity, at=self._now())
        if self._connection.publish(self._topics[Channel.STATUS], raw, retain=True):
            self._told = status
            self._statuses = status.number
            self._status_due_s = now_s + STATUS_EVERY_S

    def _current_status(self, *, online: bool, number: int) -> Status:
        counts = self._outbox.counts()
        return Status(
            online=online,
            epoch=self._outbox.epoch,
            connection=self._connected_as,
            number=number,
            pending_records=counts.pending_records,
            pending_uploads=counts.pending_uploads,
            rejected_downlinks=counts.rejected_downlinks + self._rejected,
            quarantined_records=counts.quarantined_records,
            discarded_records=counts.discarded_records,
            trouble=(self._outbox.trouble or (COPIED if self._has_copy else ""))[:200],
            clock=clock_state(self._now(), time.monotonic()),
            heard=self._heard,
        )

    def _last_will(self) -> Will:
        """For a connection about to be made, which begins to count its statuses."""
        self._connected_as, self._statuses = self._outbox.next_connection(at=self._now()), 0
        return self._farewell(number=0)

    def _farewell(self, *, number: int) -> Will:
        status, identity = self._current_status(online=False, number=number), self._outbox.identity
        self._will_key_id = identity.signing_key.key_id
        return Will(self._topics[Channel.STATUS], write_status(status, identity=identity, at=self._now()))

    def _pending(self) -> int:
        return self._outbox.counts().pending_records

    def _up(self) -> None:
        with self._flight_lock:
            self._flight.restart(self._outbox.head()[0], time.monotonic())
        self._told = None
        self._wake.set()
        self._tell("connected", broker=f"{self._identity.mqtt_host}:{self._identity.mqtt_port}")

    def _down(self, reason: str) -> None:
        with self._progress:
            self._progress.notify_all()
        self._tell("disconnected", reason=reason)

    def _arrived(self, arrival: Arrival) -> None:
        arrival.ack()
        try:
            self._follow(arrival)
        except (MessageError, DownlinkRejected) as error:
            with self._flight_lock:
                self._rejected += 1
            self._tell("downlink_rejected", error=type(error).__name__, reason=str(error))
            self._wake.set()
        except (AlertsError, OSError) as error:
            self._tell("outbox_trouble", reason=str(error))
        else:
            with self._progress:
                self._progress.notify_all()

    def _follow(self, arrival: Arrival) -> None:
        """Check and follow what the centre says, or refuse it; check and following are committed together."""
        now = self._now()
        follow_up: Callable[[], None] | None = None
        with self._outbox.transaction() as transaction:
            match self._admit(arrival, transaction, now):
                case Receipt() as receipt:
                    follow_up = partial(self._settled, transaction.settle(receipt, at=now))
                case Recall() as recall:
                    follow_up = partial(self._recalled, answer(transaction, recall.ranges, at=now))
                case RotateKey() as command if self._keys:
                    record = self._keys.follow(transaction, command, at=now)
                    follow_up = partial(self._rotated, self._keys, record.sequence) if record else None
        if follow_up:
            follow_up()

    def _settled(self, settled: Settled) -> None:
        with self._flight_lock:
            self._flight.confirmed(settled.safe, time.monotonic())
        self._note_copy(is_forked=settled.is_forked)
        self._tell("records_confirmed", stored=len(settled.stored), quarantined=len(settled.quarantined))

    def _recalled(self, sequences: set[int]) -> None:
        with self._flight_lock:
            self._flight.forget(sequences)
        self._wake.set()
        self._tell("records_recalled", resent=len(sequences))

    def _rotated(self, keys: KeyKeeper, sequence: int) -> None:
        keys.settle()
        self._tell("key_rotated", sequence=sequence, key_id=self._outbox.identity.signing_key.key_id)

    def _admit(self, arrival: Arrival, transaction: Transaction, now: datetime) -> Message | None:
        """What the centre says, if it is for this box and news. Raises MessageError, DownlinkRejected."""
        heard_ms = round(time.monotonic() * 1000)
        expected: dict[str, dict[str, type[Message]]] = {
            self._topics[Channel.RECEIPTS]: {Receipt.TYPE: Receipt},
            self._topics[Channel.COMMANDS]: {Recall.TYPE: Recall} | ({RotateKey.TYPE: RotateKey} if self._keys else {}),
        }
        sealed = admit(
            arrival.payload,
            expected.get(arrival.topic, {}),
            transaction,
            identity=self._identity,
            now=now,
            clock=clock_quality(now),
        )
        if sealed is not None:
            self._heard = Heard(at=sealed.event.time, monotonic_ms=heard_ms)
        return sealed.data if sealed else None

    def _note_discarded(self) -> None:
        """Records that were given up for want of room are no longer under way."""
        discarded = self._outbox.discarded
        if discarded == self._discarded:
            return
        with self._flight_lock:
            under_way = set(self._flight.under_way)
            self._flight.forget(under_way - self._outbox.still_waiting(under_way))
        count = discarded - self._discarded
        self._tell("records_discarded", count=count, reason=f"too much waits: the {count} least records are discarded")
        self._discarded = discarded

    def _note_copy(self, *, is_forked: bool) -> None:
        if is_forked and not self._has_copy:
            self._has_copy = True
            self._tell("forked", reason=COPIED)

    def _keep_rejections(self) -> None:
        with self._flight_lock:
            count = self._rejected
        if count:
            with self._outbox.transaction() as transaction:
                transaction.tally(REJECTED_DOWNLINKS, count)
            with self._flight_lock:
                self._rejected -= count

    def _tell(self, event: str, **detail: object) -> None:
        write = (
            log.warning
            if event in ("disconnected", "downlink_rejected", "outbox_trouble", "forked", "records_discarded")
            else log.info
        )
        write(event, **detail)
        if self._on_event:
            with suppress(Exception):
                self._on_event(event, detail)


def _is_news(told: Status, status: Status) -> bool:
    """Whether somebody should see it soon: also that nothing waits any more, if something was said to."""
    is_clear = not (status.pending_records or status.pending_uploads)
    was_clear = not (told.pending_records or told.pending_uploads)
    has_heard = told.heard is None and status.heard is not None
    return _worth_telling(status) != _worth_telling(told) or (is_clear and not was_clear) or has_heard


def _worth_telling(status: Status) -> tuple[object, ...]:
    return (status.rejected_downlinks, status.quarantined_records, status.discarded_records, status.trouble)
