"""What the centre does for itself now and then while it runs: each chore in turn, on one thread of its own."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from center.background import Background

log = structlog.get_logger()

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done at the start and again after each `every_s`.

    `do` is given `is_stopping`, which a long one asks between its pieces; it may be broken off and repeated any time.
    """

    name: str
    every_s: float
    do: Callable[[Callable[[], bool]], object]


class Housekeeping(Background):
    """Between `start` and `stop`. A chore that fails is logged, and done again at its next time or an hour later."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._chores = tuple(chores)
        self._due_s = dict.fromkeys((chore.name for chore in chores), 0.0)
        super().__init__("housekeeping")

    def do_due(self, now_s: float) -> float:
        """Do what is due; when something will be due next, both on the monotonic clock."""
        for chore in self._chores:
            if self._due_s[chore.name] <= now_s and not self._stopping.is_set():
                self._due_s[chore.name] = now_s + (chore.every_s if self._done(chore) else min(HOUR_S, chore.every_s))
        return min(self._due_s.values())

    def _run(self) -> None:
        while not self._stopping.is_set():
            next_s = self.do_due(time.monotonic())
            self._stopping.wait(max(1.0, next_s - time.monotonic()))

    def _done(self, chore: Chore) -> bool:
        try:
            chore.do(self._stopping.is_set)
        except Exception:
            log.exception("chore_failed", chore=chore.name)
            return False
        return True
