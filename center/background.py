"""A thread that belongs to a running centre."""

import threading
from collections.abc import Callable


class Background:
    """Runs `_run` in a thread of its own between `start` and `stop`; `_run` goes on until `_stopping` is set."""

    def __init__(self, name: str) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is under way; safe where it never began."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        raise NotImplementedError


class Rounds(Background):
    """Calls `go` again and again, `first_s` after the start and then after as many seconds as it says."""

    def __init__(self, name: str, go: Callable[[], float], *, first_s: float) -> None:
        self._go = go
        self._pause_s = first_s
        super().__init__(name)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause_s):
            self._pause_s = self._go()
