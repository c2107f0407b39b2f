"""What signed-in pages hear live: server-sent events, told after the commit that made them true.

A row that changed is announced on its session with `announce(session, "lead", lead_id)`; only when that session
commits does the hub hear of it. Pages get names and ids, never contents: they fetch what they may see.
"""

import asyncio
import itertools
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from sqlalchemy.orm import Session

Topic = Literal["lead", "task", "evidence", "device", "quarantine"]
RING_SIZE = 256
QUEUE_SIZE = 64
_PENDING = "teawatch_feed"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something changed: of which sort, and which row. `number` grows while the process lives."""

    number: int
    topic: Topic
    id: str

    @property
    def data(self) -> str:
        """The event's payload as JSON."""
        return json.dumps({"id": self.id})


class Hub:
    """Spreads notices to every open page. A page that does not read is told to fetch everything anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._ring: deque[Notice] = deque(maxlen=RING_SIZE)
        self._listeners: set[_Listener] = set()
        self._closed = False

    def tell(self, topic: Topic, row_id: str) -> None:
        """Spread a notice; callable from any thread."""
        self.tell_all(((topic, row_id),))

    def tell_all(self, rows: Iterable[tuple[Topic, str]]) -> None:
        """Spread notices of many rows at once, in their order."""
        with self._lock:
            notices = tuple(Notice(next(self._numbers), topic, row_id) for topic, row_id in rows)
            self._ring.extend(notices)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.offer(notices)

    async def listen(
        self, last_number: int | None = None, *, for_s: float | None = None
    ) -> AsyncIterator[Notice | None]:
        """Notices as they come, first those after `last_number` that are still remembered.

        Yields None once when something was missed and the page should fetch everything anew. Ends when the hub closes,
        or after `for_s` seconds.
        """
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            if self._closed:
                return
            missed = self._since(last_number)
            self._listeners.add(listener)
        try:
            for notice in missed:
                yield notice
            async for notice in listener.notices(for_s):
                yield notice
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _since(self, last_number: int | None) -> list[Notice | None]:
        if last_number is None:
            return []
        newest = self._ring[-1].number if self._ring else 0
        oldest = self._ring[0].number if self._ring else 1
        if not oldest - 1 <= last_number <= newest:
            return [None]
        return [notice for notice in self._ring if notice.number > last_number]

    def close(self) -> None:
        """End every open page's stream."""
        with self._lock:
            self._closed = True
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.end()

    @property
    def listeners(self) -> int:
        """How many pages are open."""
        with self._lock:
            return len(self._listeners)


class _Listener:
    """One open page: a bounded queue on that page's event loop. What does not fit is not queued but remembered."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Notice | None] = asyncio.Queue(QUEUE_SIZE + 1)
        self._overflowed = False
        self._ended = False

    def offer(self, notices: Sequence[Notice | None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, notices)

    def end(self) -> None:
        self.offer((None,))

    def _put(self, notices: Sequence[Notice | None]) -> None:
        for notice in notices:
            if notice is None:
                self._ended = True
            elif self._queue.qsize() >= QUEUE_SIZE:
                self._overflowed = True
                continue
            if not self._queue.full():
                self._queue.put_nowait(notice)

    async def notices(self, for_s: float | None) -> AsyncIterator[Notice | None]:
        end_s = self._loop.time() + for_s if for_s is not None else None
        while not self._ended:
            left_s = end_s - self._loop.time() if end_s is not None else None
            try:
                notice = await asyncio.wait_for(self._queue.get(), left_s)
            except TimeoutError:
                return
            if notice is None:
                return
            yield notice
            if self._overflowed and self._queue.empty():
                self._overflowed = False
                yield None


def announce(session: Session, topic: Topic, row_id: str) -> None:
    """Tell pages about this row once `session` has committed."""
    pending: dict[tuple[Topic, str], None] = session.info.setdefault(_PENDING, {})
    pending[topic, row_id] = None


class Audience(Protocol):
    """Whoever is told of what was committed."""

    def tell_all(self, rows: Iterable[tuple[Topic, str]]) -> None:
        """Spread notices of these rows."""


def spread(session: Session, hub: Audience) -> None:
    """Tell `hub` what was announced on `session`, which has just committed."""
    pending: dict[tuple[Topic, str], None] = session.info.pop(_PENDING, {})
    if pending:
        hub.tell_all(pending)
