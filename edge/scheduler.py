"""The scheduler: a few sessions of one thread each serve all cameras, always the one that most needs it.

Whose turn it is: whoever has been due longest, a camera with an open incident as if for some time longer. So incidents
come first also when all are late, and nobody starves. A camera is served by one session at a time, so its pictures stay
in order.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

AHEAD_S = 1.0
"""So much earlier than it was, a camera with an open incident counts as due; who has waited longer goes before it."""

LONGEST_REST_S = 0.5
WINDOW_S = 10.0
MARK_EVERY_S = 1.0


class Turn(Protocol):
    """What the scheduler must know of a camera."""

    @property
    def due_s(self) -> float:
        """When it wants to be served, on the monotonic clock; infinity: not before it says so."""
        ...

    @property
    def open_incidents(self) -> int:
        """How many incidents are open there."""
        ...


T = TypeVar("T", bound=Turn)
S = TypeVar("S")


class Scheduler(Generic[T, S]):
    """Runs `serve(eye, session)` in one thread for each session, between `start` and `stop`."""

    def __init__(self, sessions: Iterable[S], serve: Callable[[T, S], None]) -> None:
        """`serve` must not raise."""
        self._serve = serve
        self._eyes: list[T] = []
        self._busy: dict[int, float] = {}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._freed = threading.Condition(self._lock)
        self._is_stopping = False
        self.worked_s = 0.0
        """How long the sessions have worked so far, all together."""
        self._marks = deque([(time.monotonic(), 0.0)])
        self._threads = [
            threading.Thread(target=self._run, args=(session,), name=f"session {number}", daemon=True)
            for number, session in enumerate(sessions)
        ]

    def start(self) -> None:
        """Begin serving."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Serve nobody any more, and wait until the last turns have ended."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def add(self, eye: T) -> None:
        """Serve one more camera from now on."""
        with self._changed:
            self._eyes.append(eye)
            self._changed.notify()

    def remove(self, eye: T) -> None:
        """Serve it no more; returns when its last turn has ended."""
        with self._changed:
            self._eyes.remove(eye)
            self._freed.wait_for(lambda: id(eye) not in self._busy)

    def prod(self) -> None:
        """Some camera has become due earlier than it said. Cheap; from any thread."""
        with self._changed:
            self._changed.notify()

    @property
    def sessions(self) -> int:
        """How many cameras can be served at once."""
        return len(self._threads)

    @property
    def queue(self) -> int:
        """How many cameras are due now and wait."""
        now_s = time.monotonic()
        with self._changed:
            return sum(eye.due_s <= now_s and id(eye) not in self._busy for eye in self._eyes)

    def is_anyone_waiting(self) -> bool:
        """Whether a camera is due now and waits."""
        return self.queue > 0

    def turn_s(self) -> float:
        """For how long the longest turn has lasted of those that are being served now."""
        now_s = time.monotonic()
        with self._changed:
            return max((now_s - began_s for began_s in self._busy.values()), default=0.0)

    def busy_share(self) -> float:
        """The share of the sessions' time that was work in the last seconds, whoever else asks, and however often.

        The last `WINDOW_S`; more where nobody asked for longer.
        """
        now_s = time.monotonic()
        with self._changed:
            marks = self._marks
            while len(marks) > 1 and now_s - marks[1][0] >= WINDOW_S:
                marks.popleft()
            since_s, worked_before_s = marks[0]
            share = (self.worked_s - worked_before_s) / max(1e-3, (now_s - since_s) * self.sessions)
            if now_s - marks[-1][0] >= MARK_EVERY_S:
                marks.append((now_s, self.worked_s))
        return min(1.0, share)

    def _run(self, session: S) -> None:
        while (eye := self._next()) is not None:
            began_s = time.monotonic()
            try:
                self._serve(eye, session)
            finally:
                with self._changed:
                    del self._busy[id(eye)]
                    self.worked_s += time.monotonic() - began_s
                    self._changed.notify_all()
                    self._freed.notify_all()

    def _next(self) -> T | None:
        """Wait for a turn to take; None at the end."""
        with self._changed:
            while not self._is_stopping:
                now_s = time.monotonic()
                eye, due_s = self._choose(now_s)
                if eye is not None:
                    self._busy[id(eye)] = now_s
                    return eye
                self._changed.wait(min(LONGEST_REST_S, max(0.001, due_s - now_s)))
        return None

    def _choose(self, now_s: float) -> tuple[T | None, float]:
        """Who is to be served now; else nobody, and when the next one will be due."""
        best: T | None = None
        best_rank_s = math.inf
        next_s = now_s + LONGEST_REST_S
        for eye in self._eyes:
            if id(eye) in self._busy:
                continue
            due_s = eye.due_s
            if due_s > now_s:
                next_s = min(next_s, due_s)
                continue
            rank_s = due_s - (AHEAD_S if eye.open_incidents else 0.0)
            if rank_s < best_rank_s:
                best, best_rank_s = eye, rank_s
        return best, next_s
