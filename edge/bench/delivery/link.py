"""A TCP connection that can be cut, stalled, slowed and forgotten: a proxy, since netem is not in every kernel."""

import asyncio
import random
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from edge.bench.delivery.meddler import Meddler
from edge.bench.delivery.packets import Packets

CHUNK_BYTES = 16_384
CONNECT_S = 5.0
HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Weather:
    """What a link does to bytes: so many a second, each chunk so late, and now and then a chunk that is lost.

    A lost chunk comes later by `retransmit_s`, as TCP brings it; with `break_share` the connection breaks instead.
    """

    bytes_per_s: float = 0.0
    delay_s: float = 0.0
    loss_share: float = 0.0
    retransmit_s: float = 0.0
    break_share: float = 0.0


FAIR = Weather()


@dataclass(eq=False)
class _Pair:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_forgotten: bool = False
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)


class Link:
    """Listens on a port of its own; what connects there is connected on to `target`. An async context manager."""

    def __init__(self, target: int, chance: random.Random, meddler: Meddler | None = None) -> None:
        self.target = target
        self.weather = FAIR
        self.is_refusing = False
        self.on_piece: Callable[[], None] | None = None
        """Called before a piece of bytes goes on."""
        self.port = 0
        self._chance = chance
        self._meddler = meddler
        self._flows = asyncio.Event()
        self._flows.set()
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HERE, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.is_refusing = True
        self.cut()
        tasks = [task for pair in self._pairs for task in pair.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection, on both sides."""
        for pair in self._pairs:
            _reset(pair.client)
            _reset(pair.server)

    def stall(self) -> None:
        """Nothing flows any more, and nobody is told."""
        self._flows.clear()

    def flow(self) -> None:
        """It flows again."""
        self._flows.set()

    def forget(self) -> None:
        """Half-open: the far side of every connection is gone, the near side never hears of it. New ones are fair."""
        for pair in self._pairs:
            pair.is_forgotten = True
            _reset(pair.server)

    def mend(self) -> None:
        """No fault any more, but for connections whose far side was forgotten."""
        self.weather, self.is_refusing = FAIR, False
        self.flow()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_refusing:
            _reset(writer)
            return
        try:
            async with asyncio.timeout(CONNECT_S):
                far_reader, far_writer = await asyncio.open_connection(HERE, self.target)
        except OSError:
            _reset(writer)
            return
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        up, down = Packets(), Packets()
        pair.tasks += [
            asyncio.create_task(self._pump(pair, reader, lambda data: self._go_up(pair, up, data))),
            asyncio.create_task(self._pump(pair, far_reader, lambda data: self._go_down(pair, down, data))),
        ]
        try:
            await asyncio.wait(pair.tasks)
        finally:
            self._pairs.discard(pair)
            _reset(writer)
            _reset(far_writer)

    async def _pump(self, pair: _Pair, reader: asyncio.StreamReader, pass_on: Callable[[bytes], None]) -> None:
        """Until one side ends; then the other is told, unless it is the near side of what was forgotten."""
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._suffer(pair, len(data))
                if self.on_piece:
                    self.on_piece()
                if not pair.is_forgotten:
                    await _deliver(pair, pass_on, data)
        if not pair.is_forgotten:
            pair.client.close()
            pair.server.close()

    async def _suffer(self, pair: _Pair, count: int) -> None:
        weather = self.weather
        pause_s = weather.delay_s + (count / weather.bytes_per_s if weather.bytes_per_s else 0.0)
        if weather.loss_share and self._chance.random() < weather.loss_share:
            pause_s += weather.retransmit_s * self._chance.choice((1, 2, 4))
        if weather.break_share and self._chance.random() < weather.break_share:
            _reset(pair.client)
            _reset(pair.server)
        if pause_s:
            await asyncio.sleep(pause_s)
        await self._flows.wait()

    def _go_up(self, pair: _Pair, packets: Packets, data: bytes) -> None:
        if self._meddler is None:
            pair.server.write(data)
            return
        for packet in packets.feed(data):
            onwards, answers = self._meddler.upwards(packet)
            pair.server.writelines(onwards)
            pair.client.writelines(answers)

    def _go_down(self, pair: _Pair, packets: Packets, data: bytes) -> None:
        if self._meddler is None:
            pair.client.write(data)
            return
        for packet in packets.feed(data):
            pair.client.writelines(self._meddler.downwards(packet))


async def _deliver(pair: _Pair, pass_on: Callable[[bytes], None], data: bytes) -> None:
    """Raises OSError when a side is gone, unless it was forgotten meanwhile."""
    try:
        pass_on(data)
        await asyncio.gather(pair.client.drain(), pair.server.drain())
    except OSError:
        if not pair.is_forgotten:
            raise


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of a polite end."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
