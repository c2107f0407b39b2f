"""Whether a message tells of now, by its own word: enough to let it go first, not to believe it."""

import binascii
from datetime import UTC, datetime, timedelta

from alerts.flight import LIVE_S
from alerts.wire import MAX_BYTES

_PAYLOAD = b'{"payload":"'
_TIME = b'"time":"'


def claims_now(raw: bytes, now: datetime) -> bool:
    """Whether this envelope is of an event that says it was made within `LIVE_S` of `now`; nothing is checked.

    In the one spelling of an event its own time is the last one: keys are sorted, and `data` comes first.
    """
    if len(raw) > MAX_BYTES or not raw.startswith(_PAYLOAD):
        return False
    start = len(_PAYLOAD)
    try:
        payload = binascii.a2b_base64(raw[start : raw.index(b'"', start)])
        at = payload.rindex(_TIME) + len(_TIME)
        told = datetime.fromisoformat(payload[at : payload.index(b'"', at)].decode())
        return abs(told.astimezone(UTC) - now) <= timedelta(seconds=LIVE_S)
    except (ValueError, OverflowError):  # binascii.Error and UnicodeDecodeError are ValueErrors
        return False
