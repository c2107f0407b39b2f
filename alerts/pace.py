"""How fast evidence may go, so that alerts go first. No clock, no network: times are monotonic seconds of the caller.

Files are sent in small pieces. While a record of the journal waits for its receipt, they trickle: enough for the centre
to see that the box is still there, so little that an alert on a link of 256 kbit/s hardly notices. A journal that does
not move for a minute (the broker is down, say, and the centre's pages are not) holds up nothing.
"""

from math import inf

PIECE_BYTES = 8192
TRICKLE_BYTES_PER_S = 2048.0
PATIENCE_S = 60.0
QUEUED_S = 0.5
"""No more of a file stands in the socket than goes out in so long: an alert comes after it."""

LEAST_QUEUED_BYTES = 16_384
MOST_QUEUED_BYTES = 2**21


class Pace:
    """Used by one thread. `limit_bits_per_s` may be changed at any time; 0: as fast as the link."""

    def __init__(self, limit_bits_per_s: int = 0) -> None:
        self.limit_bits_per_s = limit_bits_per_s
        self._sent_s = -inf
        self._sent_bytes = 0
        self._oldest: int | None = None
        self._oldest_since_s = -inf

    def pause_s(self, at_s: float, oldest_record: int | None) -> float:
        """Seconds until the next piece may go; `oldest_record` is the sequence of the first that has no receipt."""
        if oldest_record != self._oldest:
            self._oldest, self._oldest_since_s = oldest_record, at_s
        rate = self.limit_bits_per_s / 8 or inf
        if oldest_record is not None and at_s - self._oldest_since_s < PATIENCE_S:
            rate = min(rate, TRICKLE_BYTES_PER_S)
        return max(0.0, self._sent_s + self._sent_bytes / rate - at_s)

    def sent(self, size_bytes: int, at_s: float) -> None:
        """A piece was handed over."""
        self._sent_s, self._sent_bytes = at_s, size_bytes


def queue_bytes(sent_bytes: int, took_s: float) -> int:
    """How much may stand in the socket of a link that carried so much in that time."""
    return int(min(MOST_QUEUED_BYTES, max(LEAST_QUEUED_BYTES, QUEUED_S * sent_bytes / max(took_s, 1e-3))))
