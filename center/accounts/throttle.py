"""Slows down whoever guesses passwords or codes: each failure doubles the wait, per account and per address.

Waits live in memory: a restart forgives, which costs a guesser more time than it gives.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

ADDRESS = "address:"


@dataclass(slots=True)
class _Failures:
    count: int
    last: datetime


class Throttle:
    """Growing waits by key. `free` failures cost nothing, then 1 s, 2 s, 4 s … up to `longest`."""

    def __init__(
        self,
        *,
        free: int = 3,
        free_by_address: int = 20,
        longest: timedelta = timedelta(minutes=5),
        remembered: int = 10_000,
    ) -> None:
        """An address may fail more often than an account, because a whole office can share one.

        `remembered` keys at most, the oldest forgotten first.
        """
        self._free = free
        self._free_by_address = free_by_address
        self._longest = longest
        self._remembered = remembered
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, *keys: str, at: datetime) -> int:
        """Whole seconds to wait before the next try under any of these keys; 0 means now."""
        with self._lock:
            return max((self._left_s(key, at) for key in keys), default=0)

    def _left_s(self, key: str, at: datetime) -> int:
        failures = self._failures.get(key)
        free = self._free_by_address if key.startswith(ADDRESS) else self._free
        if failures is None or failures.count <= free:
            return 0
        wait = min(timedelta(seconds=2 ** min(failures.count - free - 1, 20)), self._longest)
        left = (failures.last + wait - at).total_seconds()
        return max(0, -int(-left // 1))

    def failed(self, *keys: str, at: datetime) -> None:
        """A try under these keys was wrong."""
        with self._lock:
            for key in keys:
                old = self._failures.pop(key, None)
                stale = old is None or at - old.last > self._longest
                self._failures[key] = _Failures(1 if stale or old is None else old.count + 1, at)
            while len(self._failures) > self._remembered:
                self._failures.popitem(last=False)

    def succeeded(self, *keys: str) -> None:
        """A try under these keys was right: forget the failures."""
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)
