"""Clips of incidents in the making: packets are held from before an incident began until long enough after.

They are held by reference, in memory only: a restart loses the clips that were being taken, of incidents that opened
in the last seconds before it (the post-roll). Pictures and alerts are on the disk at once and are not concerned.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from streams.frames import Frame
from streams.packets import Packet
from streams.ring import PacketRing

STALLED_S = 10.0
"""A camera that brought nothing for so long is not waited for any longer."""


LARGEST_SHARE = 1 / 16
"""Of memory, for all clips under way together, beside the rings."""

STALE_S = 2.0
"""Another stream whose newest packet is so much older than the incident has nothing to show of it."""


class Ending(StrEnum):
    """Why a clip holds no more."""

    COMPLETE = "complete"
    CLOSED = "closed"
    STALLED = "stalled"
    CONNECTION = "connection"
    GAP = "gap"
    SIZE = "size"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Roll:
    """How much of the stream goes with an incident: seconds before it opened, seconds after, and bytes at most."""

    before_s: float
    after_s: float
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """All packets that a clip will be cut from, for the `incidents` that opened at packet number `around`."""

    incidents: tuple[str, ...]
    camera: str
    packets: tuple[Packet, ...] = field(repr=False)
    around: int
    ending: Ending

    @property
    def size_bytes(self) -> int:
        """Length of the compressed data."""
        return sum(packet.size_bytes for packet in self.packets)


@dataclass(slots=True)
class _Taking:
    """A clip under way. `time_of` is the clock that it is measured by, `until_s` its end on that clock."""

    camera: str
    ring: PacketRing
    around: int
    position: int
    until_s: float
    max_bytes: int
    grown_s: float
    time_of: Callable[[Packet], float]
    incidents: list[str]
    closed: set[str] = field(default_factory=set)
    packets: list[Packet] = field(default_factory=list)
    size_bytes: int = 0
    ending: Ending | None = None

    def add(self, packets: Iterable[Packet]) -> None:
        """Take these, up to the end."""
        for packet in packets:
            if self.ending is None:
                self._add(packet)

    def _add(self, packet: Packet) -> None:
        last = self.packets[-1] if self.packets else None
        if last and last.index >= self.around and packet.take != last.take:
            self.ending = Ending.CONNECTION
        elif last and last.index >= self.around and packet.index != last.index + 1:
            self.ending = Ending.GAP
        elif self.packets and self.size_bytes + packet.size_bytes > self.max_bytes:
            self.ending = Ending.SIZE
        else:
            self.packets.append(packet)
            self.size_bytes += packet.size_bytes
            self.position = packet.index
            if packet.index >= self.around and self.time_of(packet) >= self.until_s:
                self.ending = Ending.COMPLETE


class ClipKeeper:
    """Takes the clips of all cameras. Used by one thread at a time; it never waits and decodes nothing.

    Incidents that opened at the same packet share one clip; those that overlap share the packets.
    """

    def __init__(self, most_bytes: int) -> None:
        """Beyond `most_bytes`, of all clips that are not fetched yet, the largest ones end early."""
        self._most_bytes = most_bytes
        self._takings: list[_Taking] = []
        self._taken: list[Taken] = []

    def open(self, incident: str, frame: Frame, ring: PacketRing, roll: Roll, *, is_other_stream: bool = False) -> None:
        """Begin the clip of an incident that opened at `frame`, with what `ring` remembers from before.

        `is_other_stream`: the ring is of another stream of the same camera (main instead of sub), so only the times of
        arrival tell which packets belong together.
        """
        since_s = (frame.monotonic_s if is_other_stream else frame.stream_s) - roll.before_s
        packets = ring.spanning_arrival(since_s) if is_other_stream else ring.spanning(since_s)
        around = _last_by(packets, frame.monotonic_s) if is_other_stream else frame.index
        shared = self._twin(ring, around)
        if shared is not None:
            shared.incidents.append(incident)
            return
        newest = ring.newest
        taking = _Taking(
            camera=frame.camera,
            ring=ring,
            around=around,
            position=newest.index if newest else -1,
            until_s=since_s + roll.before_s + roll.after_s,
            max_bytes=roll.max_bytes,
            grown_s=frame.monotonic_s,
            time_of=_arrival if is_other_stream else _stream_time,
            incidents=[incident],
        )
        taking.add(packets)
        self._takings.append(taking)
        self._bound()

    def collect(self, now_s: float, camera: str | None = None) -> None:
        """Take what has come since, for one camera or all; `now_s` on the monotonic clock.

        To be called more often than rings forget.
        """
        for taking in self._takings:
            if camera in {None, taking.camera}:
                _collect(taking, now_s)
        self._bound()
        self._put_by()

    def close(self, incident: str) -> None:
        """It is over: what there is suffices."""
        for taking in self._takings:
            if incident in taking.incidents:
                taking.closed.add(incident)
                if taking.ending is None and taking.closed.issuperset(taking.incidents):
                    taking.ending = Ending.CLOSED
        self._put_by()

    def give_up(self, camera: str | None = None) -> None:
        """No packet will follow, from one camera or any: its stream has ended, it was taken away, or the box stops."""
        for taking in self._takings:
            if camera in {None, taking.camera} and taking.ending is None:
                taking.add(taking.ring.after(taking.position))
                taking.ending = taking.ending or Ending.STALLED
        self._put_by()

    def due(self, most: int) -> tuple[Taken, ...]:
        """What is finished and was not fetched yet, to be cut and sealed: the first ones of it."""
        due, self._taken = tuple(self._taken[:most]), self._taken[most:]
        return due

    def _bound(self) -> None:
        if not self._takings:
            return
        held = sum(taking.size_bytes for taking in self._takings) + sum(taken.size_bytes for taken in self._taken)
        for taking in sorted(self._takings, key=lambda each: each.size_bytes, reverse=True):
            if held <= self._most_bytes:
                return
            held -= taking.size_bytes
            taking.ending = taking.ending or Ending.MEMORY

    def _twin(self, ring: PacketRing, around: int) -> _Taking | None:
        same = (each for each in self._takings if each.ring is ring and each.around == around >= 0)
        return next(same, None)

    def _put_by(self) -> None:
        for taking in self._takings:
            if taking.ending is not None:
                self._taken.append(
                    Taken(
                        incidents=tuple(taking.incidents),
                        camera=taking.camera,
                        packets=tuple(taking.packets),
                        around=taking.around,
                        ending=taking.ending,
                    )
                )
        self._takings = [taking for taking in self._takings if taking.ending is None]


def is_current(ring: PacketRing, frame: Frame) -> bool:
    """Whether the ring of the camera's other stream was being filled when `frame` came; else take the frame's own."""
    newest = ring.newest
    return newest is not None and newest.monotonic_s >= frame.monotonic_s - STALE_S


def _collect(taking: _Taking, now_s: float) -> None:
    if taking.ending is not None:
        return
    newer = taking.ring.after(taking.position)
    if newer:
        taking.grown_s = now_s
        taking.add(newer)
    elif now_s - taking.grown_s >= STALLED_S:
        taking.ending = Ending.STALLED


def _last_by(packets: Iterable[Packet], monotonic_s: float) -> int:
    """The number of the last packet that had come by then, else of the first that came later; -1 without any."""
    packets = tuple(packets)
    early = [packet.index for packet in packets if packet.monotonic_s <= monotonic_s]
    return early[-1] if early else packets[0].index if packets else -1


def _arrival(packet: Packet) -> float:
    return packet.monotonic_s


def _stream_time(packet: Packet) -> float:
    return packet.stream_s
