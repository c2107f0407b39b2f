"""A thread that belongs to a running box."""

import threading
from typing import Self


class Background:
    """A context manager: meanwhile `_run` goes on in a thread of its own, which nothing waits for."""

    def __init__(self, name: str, *, patience_s: float) -> None:
        """At the end `_run` has `patience_s` for what is under way."""
        self._stopping = threading.Event()
        self._patience_s = patience_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._thread.join(self._patience_s)

    def _stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        """Go on until `_stopping` is set."""
        raise NotImplementedError
