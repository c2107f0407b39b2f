"""What has arrived at the centre and is not dealt with yet: what is pressing goes first, acknowledgements keep order.

Boxes send live alerts before their backlog, but the backlogs of many boxes meet at the centre, where a live alert would
wait behind all of them. So each batch begins with what is pressing. While a few pressing messages come among many
others, batches are short, for whatever comes while one is dealt with waits for its end.
"""

import queue
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from alerts.connection import Arrival

BATCH = 1000
BATCH_BYTES = 8 * 2**20
SHORT_BATCH = 44
CALM_S = 5.0
"""Batches stay short for so long after a few pressing messages and others waited together."""

QUIET_S = 0.002
GATHER_S = 0.05
"""A batch ends when nothing more has come for `QUIET_S`, after `GATHER_S`, or when it is full."""


@dataclass(slots=True, eq=False)
class Item:
    """An arrival, and whether it is dealt with."""

    arrival: Arrival
    is_settled: bool = False


class Inbox:
    """`put` and `close` are for any thread, the rest for the one that deals with the messages."""

    def __init__(self, is_pressing: Callable[[Arrival], bool]) -> None:
        self._is_pressing = is_pressing
        self._arrivals: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()
        self._is_closed = False
        self._pressing: deque[Item] = deque()
        self._others: deque[Item] = deque()
        self._unsettled: deque[Item] = deque()
        self._short_until_s = 0.0

    def put(self, arrival: Arrival) -> None:
        """Returns at once."""
        self._arrivals.put(arrival)

    def close(self) -> None:
        """Wake up whoever waits in `take`."""
        self._arrivals.put(None)

    def take(self) -> list[Item]:
        """The next batch, as soon as there is one; empty once the inbox is closed, whatever is left."""
        self._gather()
        if self._is_closed:
            return []
        now_s = time.monotonic()
        if self._others and 0 < len(self._pressing) < SHORT_BATCH:
            self._short_until_s = now_s + CALM_S
        batch = _pick(self._pressing, BATCH, BATCH_BYTES)
        most = SHORT_BATCH if now_s < self._short_until_s else BATCH
        return batch + _pick(self._others, most - len(batch), BATCH_BYTES - _size_bytes(batch))

    def settle(self, batch: Iterable[Item]) -> None:
        """These are dealt with. The broker is told in the order of arrival, because rumqttd counts."""
        for item in batch:
            item.is_settled = True
        while self._unsettled and (self._unsettled[0].is_settled or not self._unsettled[0].arrival.is_current()):
            item = self._unsettled.popleft()
            if item.is_settled:
                item.arrival.ack()

    def _gather(self) -> None:
        """Let in what is there; where nothing was left, wait for something and what comes close behind it."""
        if self._pressing or self._others:
            self._let_in_all()
            return
        self._let_in(None)
        end_s = time.monotonic() + GATHER_S
        while len(self._pressing) + len(self._others) < BATCH and not self._is_closed:
            if not self._let_in(max(0.0, min(QUIET_S, end_s - time.monotonic()))):
                return
        self._let_in_all()

    def _let_in_all(self) -> None:
        while not self._is_closed and self._let_in(0.0):
            pass

    def _let_in(self, wait_s: float | None) -> bool:
        """One more, if it comes in time."""
        try:
            arrival = self._arrivals.get(timeout=wait_s)
        except queue.Empty:
            return False
        if arrival is None:
            self._is_closed = True
            return False
        item = Item(arrival)
        self._unsettled.append(item)
        (self._pressing if self._is_pressing(arrival) else self._others).append(item)
        return True


def _pick(waiting: deque[Item], most: int, most_bytes: int) -> list[Item]:
    """The first ones, so many and so long together; one alone may be longer."""
    picked: list[Item] = []
    size_bytes = 0
    while waiting and len(picked) < most and size_bytes < most_bytes:
        picked.append(waiting.popleft())
        size_bytes += len(picked[-1].arrival.payload)
    return picked


def _size_bytes(items: Iterable[Item]) -> int:
    return sum(len(item.arrival.payload) for item in items)
