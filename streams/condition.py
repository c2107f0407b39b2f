"""Whether what a camera sends is good enough, told from the packets alone."""

from streams.packets import Packet

WINDOW_S = 5.0
DAMAGED_SHARE = 0.05
FEWEST_DAMAGED = 3
LONGEST_WITHOUT_KEY_S = 60.0
FASTEST_PER_S = 120.0


class Condition:
    """Watches one camera's packets by their stream time; `reason` says what is wrong, in one clause, or nothing.

    What was damaged or too fast stays said for at least one window of `WINDOW_S`, so that it does not flicker.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._bad_window = ""
        self._begin_s: float | None = None
        self._key_s = 0.0
        self._packets = 0
        self._damaged_before = 0

    def begin_take(self, stream_s: float) -> None:
        """A new take owes a key frame from now on."""
        self._key_s = stream_s

    def packet(self, packet: Packet, damaged: int) -> None:
        """One more packet; `damaged` is how many were so far."""
        now_s = packet.stream_s
        if packet.is_key:
            self._key_s = now_s
        if self._begin_s is None:
            self._begin_s, self._damaged_before = now_s, damaged
        self._packets += 1
        if now_s - self._begin_s >= WINDOW_S:
            self._bad_window = self._judged(now_s - self._begin_s, damaged - self._damaged_before)
            self._begin_s, self._damaged_before, self._packets = now_s, damaged, 0
        keyless_s = now_s - self._key_s
        if keyless_s >= LONGEST_WITHOUT_KEY_S:
            self.reason = (
                f"no key frame for {LONGEST_WITHOUT_KEY_S:g} s: pictures after a loss stay broken, and a clip cannot "
                "begin; set the camera's key-frame (I-frame) interval to 2 s"
            )
        else:
            self.reason = self._bad_window

    def _judged(self, length_s: float, damaged: int) -> str:
        if damaged >= FEWEST_DAMAGED and damaged >= DAMAGED_SHARE * self._packets:
            share = min(1.0, damaged / self._packets)
            return f"{share:.0%} of its packets are damaged; check cable, network and power of the camera"
        if self._packets > FASTEST_PER_S * length_s:
            return (
                f"it sends {self._packets / length_s:.0f} pictures a second, which costs this box and shows no more; "
                "set the camera to 25 or fewer"
            )
        return ""
