"""Whether a record tells of now, by its own word: enough to let it go first, not to believe it."""

import binascii
from datetime import UTC, datetime, timedelta

from alerts.connection import Arrival
from alerts.flight import LIVE_S
from alerts.topics import Channel
from alerts.wire import MAX_BYTES

_PAYLOAD = b'{"payload":"'
_TIME = b'"time":"'


def claims_now(arrival: Arrival, now: datetime) -> bool:
    """Whether this is a record that says it was made within `LIVE_S` of `now`; nothing is checked.

    A status is none: it always tells of now, and the boxes of a county send one so often that `Inbox` would hardly ever
    make a long batch. In the one spelling of an event its own time is the last one: keys are sorted, and `data` comes
    first.
    """
    raw = arrival.payload
    if not arrival.topic.endswith(f"/{Channel.JOURNAL}") or len(raw) > MAX_BYTES or not raw.startswith(_PAYLOAD):
        return False
    start = len(_PAYLOAD)
    try:
        payload = binascii.a2b_base64(raw[start : raw.index(b'"', start)])
        at = payload.rindex(_TIME) + len(_TIME)
        told = datetime.fromisoformat(payload[at : payload.index(b'"', at)].decode())
        return abs(told.astimezone(UTC) - now) <= timedelta(seconds=LIVE_S)
    except (ValueError, OverflowError):  # binascii.Error and UnicodeDecodeError are ValueErrors
        return False
