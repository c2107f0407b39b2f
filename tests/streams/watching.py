"""Somebody who watches a player: keeps what it hands over, and waits for what it is about to do."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from streams.clock import Clock
from streams.decoder import Decoder
from streams.frames import Camera
from streams.images import Image
from streams.packets import Packet
from streams.player import Player

PATIENCE_S = 30.0


class Watcher:
    """A player that runs between entering and leaving, and all it said: `packets`, `states`, latest `reasons`."""

    def __init__(self, camera: Camera, clock: Clock | None = None, *, persistent: bool = True) -> None:
        self.packets: list[Packet] = []
        self.states: list[str] = []
        self.reasons: dict[str, str] = {}
        self._news = threading.Condition()
        self.player = Player(camera, on_packet=self._take, on_state=self._hear, clock=clock, persistent=persistent)

    def wait_until(self, claim: Callable[[], object]) -> None:
        """Wait for something that a packet or a state brings about."""
        with self._news:
            assert self._news.wait_for(claim, PATIENCE_S), (self.states, self.reasons, len(self.packets))

    def wait_for(self, state: str, times: int = 1) -> None:
        self.wait_until(lambda: self.states.count(state) >= times)

    def wait_for_packets(self, count: int) -> None:
        self.wait_until(lambda: len(self.packets) >= count)

    def finish(self) -> Self:
        """Wait for the end."""
        self.player.join(PATIENCE_S)
        assert self.player.has_ended
        return self

    def __enter__(self) -> Self:
        self.player.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.player.stop()
        self.player.join(PATIENCE_S)

    def _take(self, packet: Packet) -> None:
        with self._news:
            self.packets.append(packet)
            self._news.notify_all()

    def _hear(self, state: str, reason: str) -> None:
        with self._news:
            self.states.append(state)
            self.reasons[state] = reason
            self._news.notify_all()


def watch_to_the_end(camera: Camera, clock: Clock | None = None) -> Watcher:
    """Play files to their end, or to what is wrong with them."""
    with Watcher(camera, clock, persistent=False) as watcher:
        return watcher.finish()


def decode(packets: list[Packet], decoder: Decoder | None = None) -> list[Image]:
    """Every picture in some packets."""
    decoder = decoder or Decoder()
    return [image for packet in packets for image in decoder.decode(packet)] + decoder.flush()
