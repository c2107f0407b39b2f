"""A box for one letter: what arrives later replaces what nobody has fetched."""

import threading
from typing import Generic, TypeVar

Letter = TypeVar("Letter")


class Closed(Exception):
    """The mailbox was closed and nothing is left in it."""


class Mailbox(Generic[Letter]):
    """Hands the newest letter from one thread to another; the older unread one is dropped and counted.

    A detector slower than the camera then always sees the present, and memory stays at one frame.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._letter: Letter | None = None
        self._closed = False
        self._error: BaseException | None = None
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many letters were replaced before anybody fetched them."""
        return self._dropped

    def put(self, letter: Letter) -> None:
        """Leave a letter, replacing an unread one. After `close` it counts as dropped."""
        with self._changed:
            if self._closed or self._letter is not None:
                self._dropped += 1
            if not self._closed:
                self._letter = letter
                self._changed.notify()

    def take(self) -> Letter:
        """Wait for a letter. Raises the error given to `close`, or `Closed`, once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._letter is not None or self._closed)
            if self._letter is not None:
                letter, self._letter = self._letter, None
                return letter
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            raise Closed

    def close(self, error: BaseException | None = None, *, discard: bool = False) -> None:
        """No more letters will come. The first close decides the error; `discard` also drops an unread letter."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
            if discard and self._letter is not None:
                self._letter = None
                self._dropped += 1
            self._changed.notify_all()
