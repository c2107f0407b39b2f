"""Whether a record tells of now, by its own word: enough to let it go first, not to believe it."""

import binascii
from datetime import UTC, datetime, timedelta

from alerts.connection import Arrival
from alerts.flight import LIVE_S
from alerts.topics import Channel
from alerts.wire import MAX_BYTES

_PAYLOAD = b'{"payload":"'
_TIME = b'"time":"'
_TAIL = 512
"""Characters of base64, a multiple of four, in which an event's own time stands: only its type comes after it."""


def claims_now(arrival: Arrival, now: datetime) -> bool:
    """Whether this is a record that says it was made within `LIVE_S` of `now`; nothing is checked.

    A status is none: it always tells of now, and the boxes of a county send one so often that `Inbox` would hardly ever
    make a long batch. In the one spelling of an event its own time is the last one: keys are sorted, and `data` comes
    first.
    """
    raw = arrival.payload
    if not arrival.topic.endswith(f"/{Channel.JOURNAL}") or len(raw) > MAX_BYTES or not raw.startswith(_PAYLOAD):
        return False
    try:
        end = raw.index(b'"', len(_PAYLOAD))
        start = max(len(_PAYLOAD), end - _TAIL)
        payload = binascii.a2b_base64(raw[start:end])
        at = payload.rindex(_TIME) + len(_TIME)
        told = datetime.fromisoformat(payload[at : payload.index(b'"', at)].decode())
        return abs(told.astimezone(UTC) - now) <= timedelta(seconds=LIVE_S)
    except (ValueError, OverflowError):  # binascii.Error and UnicodeDecodeError are ValueErrors
        return False
