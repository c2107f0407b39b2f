"""The last seconds of one camera as it sent them: what a gate wakes up on and what clips are cut from.

Packets are kept by reference and never decoded. Trimming goes by groups of pictures, since the rest of a group without
its key frame is of no use to anybody.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from itertools import takewhile

from streams.packets import Packet

PACKET_COST_BYTES = 512
"""What a packet takes in memory beside its data, rounded up: so also a flood of empty packets stays bounded."""


class _Group:
    """Packets of one take from a key frame to before the next; without a key frame where that was never seen."""

    __slots__ = ("is_headed", "packets", "size_bytes")

    def __init__(self, first: Packet) -> None:
        self.packets: deque[Packet] = deque()
        self.is_headed = first.is_key
        self.size_bytes = 0

    @property
    def first(self) -> Packet:
        return self.packets[0]

    def append(self, packet: Packet) -> int:
        """Add it; how many bytes that takes."""
        self.packets.append(packet)
        cost = _cost(packet)
        self.size_bytes += cost
        return cost

    def behead(self) -> int:
        """Let the oldest packet go, and with it the key frame; how many bytes that frees."""
        cost = _cost(self.packets.popleft())
        self.is_headed = False
        self.size_bytes -= cost
        return cost


class PacketRing:
    """A bounded memory of packets. Thread-safe: one thread appends, others read.

    It reaches back at least `seconds`, if `max_bytes` allow it, and then to the key frame before. So a group of
    pictures longer than `seconds` stays whole; one larger than `max_bytes` loses its beginning, and nothing can be
    decoded until the next key frame. Without key frames it holds `seconds` at most.
    """

    def __init__(self, *, seconds: float, max_bytes: int) -> None:
        """`seconds` >= 0 of stream time; `max_bytes` > 0, the values' own cost in memory included."""
        self._least_s = seconds
        self._max_bytes = max_bytes
        self._groups: deque[_Group] = deque()
        self._size_bytes = 0
        self._newest: Packet | None = None
        self._newest_s = 0.0
        self._was_cut = False
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Stream time between the oldest and the newest packet."""
        with self._lock:
            return self._newest_s - self._groups[0].first.stream_s if self._groups else 0.0

    @property
    def is_short(self) -> bool:
        """Whether it reaches back less than the seconds it was made for, because of its bytes."""
        with self._lock:
            return self._was_cut and self._newest_s - self._groups[0].first.stream_s < self._least_s

    @property
    def size_bytes(self) -> int:
        """Memory that its packets take."""
        with self._lock:
            return self._size_bytes

    @property
    def newest(self) -> Packet | None:
        """The packet that came last."""
        with self._lock:
            return self._newest

    def append(self, packet: Packet) -> None:
        """Add the newest packet and let go of what is too old or too much. Packets come in the order of `index`."""
        with self._lock:
            if not self._groups or packet.is_key or self._groups[-1].packets[-1].take != packet.take:
                self._groups.append(_Group(packet))
            self._size_bytes += self._groups[-1].append(packet)
            self._newest = packet
            self._newest_s = max(self._newest_s, packet.stream_s)  # B-frames step back
            self._trim()

    def since_key(self) -> tuple[Packet, ...]:
        """From the newest key frame on; empty where this take has none yet, or none any more."""
        with self._lock:
            return tuple(self._groups[-1].packets) if self._groups and self._groups[-1].is_headed else ()

    def from_key_before(self, stream_s: float) -> tuple[Packet, ...]:
        """From the newest key frame at or before `stream_s`, else the oldest there is, to the end.

        Packets of different takes do not continue each other, so all are of the newest.
        """
        with self._lock:
            groups = [each for each in self._groups if each.first.take == self._groups[-1].first.take]
            return _from_key(groups, lambda key: key.stream_s <= stream_s)

    def spanning(self, stream_s: float) -> tuple[Packet, ...]:
        """As `from_key_before`, but across takes: for a clip, which chooses the part that holds its event."""
        with self._lock:
            return _from_key(self._groups, lambda key: key.stream_s <= stream_s)

    def spanning_arrival(self, monotonic_s: float) -> tuple[Packet, ...]:
        """As `spanning`, by this machine's clock: for a moment that another stream of the camera showed."""
        with self._lock:
            return _from_key(self._groups, lambda key: key.monotonic_s <= monotonic_s)

    def after(self, index: int) -> tuple[Packet, ...]:
        """All packets that came after `index`, of whatever take, oldest first.

        If the first of them is not `index + 1`, the ring was shorter than the reader was late.
        """
        newer: list[Packet] = []
        with self._lock:
            for group in reversed(self._groups):
                newer.extend(takewhile(lambda packet: packet.index > index, reversed(group.packets)))
                if group.first.index <= index:
                    break
        return tuple(reversed(newer))

    def clear(self) -> None:
        """Forget everything: the camera was taken away or became another one."""
        with self._lock:
            self._groups.clear()
            self._size_bytes = 0
            self._newest = None
            self._newest_s = 0.0
            self._was_cut = False

    def _trim(self) -> None:
        horizon_s = self._newest_s - self._least_s
        self._was_cut |= self._size_bytes > self._max_bytes
        groups = self._groups
        while len(groups) > 1 and (
            not groups[0].is_headed or groups[1].first.stream_s <= horizon_s or self._size_bytes > self._max_bytes
        ):
            self._size_bytes -= groups.popleft().size_bytes
        only = groups[0]
        while len(only.packets) > 1 and (
            self._size_bytes > self._max_bytes or (not only.is_headed and only.first.stream_s < horizon_s)
        ):
            self._size_bytes -= only.behead()


def _from_key(groups: Iterable[_Group], is_early: Callable[[Packet], bool]) -> tuple[Packet, ...]:
    groups = list(groups)
    keys = [number for number, group in enumerate(groups) if group.is_headed]
    start = next((number for number in reversed(keys) if is_early(groups[number].first)), keys[0] if keys else None)
    return () if start is None else tuple(packet for group in groups[start:] for packet in group.packets)


def _cost(packet: Packet) -> int:
    return len(packet.data) + PACKET_COST_BYTES
