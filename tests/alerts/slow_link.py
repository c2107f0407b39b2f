"""A link of so many bits a second that everything of a box shares, with one queue before it, as a modem has one."""

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


@dataclass
class Way:
    """One place the box reaches over the link: where it listens, where it leads, how many bytes have passed."""

    target: tuple[str, int]
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    passed_bytes: int = 0

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port


class SlowLink:
    """Bytes towards the centre wait their turn in one short queue; what comes back is small and passes at once."""

    def __init__(self, bits_per_s: int) -> None:
        self._bytes_per_s = bits_per_s / 8
        self._queue: queue.Queue[tuple[Way, socket.socket, bytes]] = queue.Queue(QUEUE_PIECES)
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._passed = threading.Condition()
        self._is_open = True
        self._begin(self._carry)

    def way_to(self, host: str, port: int) -> Way:
        """A new place at this end of the link."""
        way = Way((host, port))
        way.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._sockets.append(way.listener)
        self._begin(self._accept, way)
        return way

    def wait(self, condition: Callable[[], bool], timeout_s: float = 20) -> None:
        """Until something holds of the bytes that have passed."""
        with self._passed:
            assert self._passed.wait_for(condition, timeout_s), "it did not come about in time"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_open = False
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
            self._begin(self._send, way, near, far)
            self._begin(self._answer, far, near)

    def _send(self, way: Way, near: socket.socket, far: socket.socket) -> None:
        while piece := _receive(near, PIECE_BYTES):
            self._queue.put((way, far, piece))
        self._queue.put((way, far, piece))

    def _answer(self, far: socket.socket, near: socket.socket) -> None:
        while piece := _receive(far, BUFFER_BYTES):
            _send_all(near, piece)
        _end(near)

    def _carry(self) -> None:
        while self._is_open:
            try:
                way, far, piece = self._queue.get(timeout=0.1)
            except queue.Empty:
                continue
            time.sleep(len(piece) / self._bytes_per_s)
            with self._passed:
                way.passed_bytes += len(piece)
                self._passed.notify_all()
            if piece:
                _send_all(far, piece)
            else:
                _end(far)


def _receive(line: socket.socket, size_bytes: int) -> bytes:
    try:
        return line.recv(size_bytes)
    except OSError:
        return b""


def _send_all(line: socket.socket, piece: bytes) -> None:
    try:
        line.sendall(piece)
    except OSError:
        _end(line)


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
