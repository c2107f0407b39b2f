"""How many files may be brought at once, so that uploads that never end hold up neither the pages nor other boxes."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from center.errors import TooManyUploads


class Gate:
    """Places for uploads, each with a thread of its own beside those of the pages. Usable from any thread."""

    def __init__(self, *, at_once: int, per_box: int) -> None:
        self._at_once = at_once
        self._per_box = per_box
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self.threads = anyio.CapacityLimiter(at_once)

    @contextmanager
    def place_for(self, device: str) -> Iterator[None]:
        """A place while the block lasts; raises TooManyUploads."""
        with self._lock:
            if self._busy[device] >= self._per_box:
                raise TooManyUploads(f"this box brings {self._per_box} files already; come again soon")
            if self._busy.total() >= self._at_once:
                raise TooManyUploads(f"the centre takes {self._at_once} files at once; come again soon")
            self._busy[device] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= Counter({device: 1})
