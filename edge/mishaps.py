"""What fails at one camera while it is watched: each reason is said once, and that it is over when it is."""

import threading

from edge.announcements import Tell

WELL_AFTER_S = 10.0
"""What fails again sooner than this is the same trouble, though looks succeed in between."""

MOST_REASONS = 8
"""Said in one trouble: some name a number that is never the same."""


class Mishaps:
    """Noted by the sessions, tended by the main thread."""

    def __init__(self, what: str, tell: Tell) -> None:
        """`what` it is that fails, in the words of the event `trouble`."""
        self.reason = ""
        """Why it fails; empty while all is well."""
        self._what = what
        self._tell = tell
        self._told: set[str] = set()
        self._failed_s = 0.0
        self._well_s = 0.0
        self._lock = threading.Lock()

    def fail(self, reason: str, now_s: float) -> None:
        """Something failed; `now_s` on the monotonic clock."""
        with self._lock:
            self.reason, self._failed_s = reason, now_s
            is_news = reason not in self._told and len(self._told) < MOST_REASONS
            if is_news:
                self._told.add(reason)
        if is_news:
            self._tell("trouble", what=self._what, reason=reason)

    def succeed(self, now_s: float) -> None:
        """A look was taken to its end."""
        self._well_s = now_s

    def tend(self, now_s: float) -> None:
        """Call it now and then."""
        if not self.reason:
            return
        with self._lock:
            is_over = self._well_s > self._failed_s and now_s - self._failed_s >= WELL_AFTER_S
            if is_over:
                self.reason = ""
                self._told.clear()
        if is_over:
            self._tell("trouble_over", what=self._what)
