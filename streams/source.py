"""Frames of one camera for tools that look at a few: a player and a decoder behind an iterator."""

import queue
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from streams.clock import Clock
from streams.decoder import Decoder
from streams.frames import Camera, Frame
from streams.packets import Packet
from streams.player import Player

if TYPE_CHECKING:
    from streams.images import Image

_WAITING_PACKETS = 8
_SLICE_S = 0.2


class Source:
    """Every frame of a camera, in order: a context manager, and an iterator for one consuming thread.

    Playing begins on entering the context. Iteration ends at the end of a file and after `stop`; SourceError is raised
    where the source cannot be played (any further). While nobody takes frames, the camera waits.
    """

    def __init__(self, camera: Camera, clock: Clock | None = None) -> None:
        self._stopped = threading.Event()
        self._packets: queue.Queue[Packet] = queue.Queue(_WAITING_PACKETS)
        self._images: list[Image] = []
        self._decoder = Decoder(camera.max_pixels)
        self._player = Player(
            camera, on_packet=self._put, on_state=lambda _state, _reason: None, clock=clock, persistent=False
        )

    def stop(self) -> None:
        """End the iteration, from any thread. Returns at once; a waiting step ends without a frame."""
        self._stopped.set()
        self._player.stop()

    def __enter__(self) -> Self:
        self._player.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._player.join(1.0)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        while not self._images:
            packet = self._next_packet()
            self._images = self._decoder.decode(packet) if packet else self._decoder.flush()
            if packet is None and not self._images:
                self._raise_failure()
                raise StopIteration
        return self._images.pop(0).frame()

    def _put(self, packet: Packet) -> None:
        while not self._stopped.is_set():
            try:
                return self._packets.put(packet, timeout=_SLICE_S)
            except queue.Full:
                continue
        return None

    def _next_packet(self) -> Packet | None:
        """None at the end."""
        while not self._stopped.is_set():
            has_ended = self._player.has_ended
            try:
                return self._packets.get(timeout=0 if has_ended else _SLICE_S)
            except queue.Empty:
                if has_ended:
                    return None
        return None

    def _raise_failure(self) -> None:
        if self._player.failure and not self._stopped.is_set():
            raise self._player.failure


def open_source(camera: Camera, *, clock: Clock | None = None) -> Source:
    """The frames of a camera's file, folder, stream or pipeline; use it as a context manager."""
    return Source(camera, clock)
