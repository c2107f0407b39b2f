"""What the centre sends to a box, and whether the box may follow it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from alerts import events
from alerts.control_messages import Recall, Receipt, RotateKey
from alerts.errors import Expired, MalformedMessage, StaleCounter, WrongAddressee
from alerts.events import Sealed
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import ClockQuality, Event, Message
from alerts.records import hash_of
from alerts.transactions import Transaction

M = TypeVar("M", bound=Message)


def write_downlink(
    data: Receipt | Recall | RotateKey,
    *,
    key: SigningKey,
    tenant: str,
    device: str,
    epoch: str,
    counter: int,
    at: datetime,
    lifetime: timedelta,
) -> bytes:
    """Seal what the centre tells one epoch of one box.

    `counter` must grow with every message to that box, for ever (keep it in the database): the box follows none whose
    counter it has seen or passed. `receipts.next_counter` gives it. `lifetime` from `at` on it may be followed.
    """
    kind = data.TYPE.split(".")[1]
    event = Event(
        id=f"{device}-{epoch}-{kind}-{counter}",
        source=f"urn:teawatch:{tenant}:center",
        type=data.TYPE,
        time=at,
        tenant=tenant,
        device=device,
        epoch=epoch,
        counter=counter,
        expires=at + lifetime,
        data=events.to_data(data),
    )
    return events.seal_event(event, key)


def admit(
    raw: bytes,
    types: Mapping[str, type[M]],
    transaction: Transaction,
    *,
    identity: Identity,
    now: datetime,
    clock: ClockQuality,
) -> Sealed[M] | None:
    """The message, if the pinned centre signed it for this box and this outbox and it is news; None for a repetition.

    That it was followed is remembered in `transaction`, in which the caller follows it. An expiry is judged only by a
    synchronised clock: a box that woke up in 1970 or in 2099 must still hear its centre. Raises the classes under
    MessageError and DownlinkRejected.
    """
    centre = identity.centre_key
    sealed = events.open_event(raw, types, {centre.key_id: centre}.get)
    event = sealed.event
    if (event.tenant, event.device) != (identity.tenant, identity.device):
        raise WrongAddressee(f"for {event.device!r} of {event.tenant!r}")
    if event.epoch != transaction.epoch:
        raise WrongAddressee(f"for the outbox {event.epoch!r}, this one is {transaction.epoch!r}")
    if event.counter is None or event.expires is None:
        raise MalformedMessage("a message from the centre without counter or expiry")
    if not _is_news(transaction, event.type, event.counter, hash_of(raw)):
        return None
    if clock is ClockQuality.SYNCHRONISED and event.expires < now:
        raise Expired(f"it was good until {event.expires:%Y-%m-%d %H:%M:%S} UTC")
    return sealed


def _is_news(transaction: Transaction, kind: str, counter: int, sha256: str) -> bool:
    connection = transaction.connection
    row = connection.execute("SELECT counter, sha256 FROM downlinks WHERE type = ?", (kind,)).fetchone()
    if row == (counter, sha256):
        return False
    if row and counter <= row[0]:
        raise StaleCounter(f"counter {counter}, {row[0]} was followed already")
    connection.execute(
        "INSERT INTO downlinks VALUES (?, ?, ?)"
        " ON CONFLICT (type) DO UPDATE SET counter = excluded.counter, sha256 = excluded.sha256",
        (kind, counter, sha256),
    )
    return True
