"""A link of so many bits a second each way that everything of a box shares, with a short queue, as a modem has one.

What comes first goes first, whatever it is: a proxy that slowed each connection by itself would be as many links.
"""

import queue
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

PIECE_BYTES = 1400
QUEUE_PIECES = 16
BUFFER_BYTES = 16_384
HERE = "127.0.0.1"
CLOSE_S = 0.2
"""So often a thread looks whether it is to end."""


@dataclass
class Way:
    """One place the box reaches over the link: where it listens, where it leads, how many bytes have gone up it."""

    target: tuple[str, int]
    listener: socket.socket = field(default_factory=lambda: socket.create_server((HERE, 0)))
    passed_bytes: int = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.listener.getsockname()[1]
        return port


class _Lane:
    """One direction: pieces wait in one queue and pass one after the other."""

    def __init__(self, bits_per_s: int, passed: Callable[[Way, int], None]) -> None:
        self._bytes_per_s = bits_per_s / 8
        self._queue: queue.Queue[tuple[Way, socket.socket, bytes]] = queue.Queue(QUEUE_PIECES)
        self._passed = passed
        self._is_open = True

    def take(self, way: Way, line: socket.socket, onwards: socket.socket) -> None:
        """Whatever comes from `line`, its end too."""
        while piece := _receive(line):
            self._put((way, onwards, piece))
        self._put((way, onwards, b""))

    def carry(self) -> None:
        """Until it is closed."""
        free_s = 0.0
        while self._is_open:
            try:
                way, onwards, piece = self._queue.get(timeout=CLOSE_S)
            except queue.Empty:
                continue
            free_s = max(free_s, time.monotonic()) + len(piece) / self._bytes_per_s
            time.sleep(max(0.0, free_s - time.monotonic()))
            self._passed(way, len(piece))
            with suppress(OSError):
                if piece:
                    onwards.sendall(piece)
                else:
                    onwards.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """What still waits is lost."""
        self._is_open = False

    def _put(self, waiting: tuple[Way, socket.socket, bytes]) -> None:
        while self._is_open:
            with suppress(queue.Full):
                self._queue.put(waiting, timeout=CLOSE_S)
                return


class SlowLink:
    """A context manager; at its end every connection over it is closed."""

    def __init__(self, bits_per_s: int) -> None:
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._news = threading.Condition()
        self._is_open = True
        self._up = _Lane(bits_per_s, self._note_up)
        self._down = _Lane(bits_per_s, lambda _way, _count: None)
        self._begin(self._up.carry)
        self._begin(self._down.carry)

    def way_to(self, port: int) -> Way:
        """A new place at this end of the link; what it leads to listens on this port of this machine."""
        way = Way((HERE, port))
        way.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._sockets.append(way.listener)
        self._begin(self._accept, way)
        return way

    def wait(self, condition: Callable[[], bool], timeout_s: float = 20) -> bool:
        """Until something holds of the bytes that have passed; whether it did in time."""
        with self._news:
            return self._news.wait_for(condition, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_open = False
        self._up.close()
        self._down.close()
        for each in self._sockets:
            _end(each)
        for thread in self._threads:
            thread.join(5)

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, way: Way) -> None:
        while self._is_open:
            try:
                near, _ = way.listener.accept()
                far = socket.create_connection(way.target)
            except OSError:
                return
            self._sockets += [near, far]
            self._begin(self._up.take, way, near, far)
            self._begin(self._down.take, way, far, near)

    def _note_up(self, way: Way, count: int) -> None:
        with self._news:
            way.passed_bytes += count
            self._news.notify_all()


def _receive(line: socket.socket) -> bytes:
    try:
        return line.recv(PIECE_BYTES)
    except OSError:
        return b""


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
