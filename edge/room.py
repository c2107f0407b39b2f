"""Whether the disk has room: said once when somebody finds none, and once when everybody finds some again."""

import threading

from alerts.outbox import Outbox
from edge.announcements import Tell

RETRY_S = 5.0


class Room:
    """Shared by those who write, each by a name of its own. Any thread may use it."""

    def __init__(self, outbox: Outbox, tell: Tell) -> None:
        """The trouble is also left with the outbox, for the centre to hear of."""
        self._outbox = outbox
        self._tell = tell
        self._retry_at_s: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_resting(self, who: str, now_s: float) -> bool:
        """Whether it found none a moment ago, `now_s` being the time by its own clock."""
        return now_s < self._retry_at_s.get(who, now_s)

    def lacks(self, who: str, error: Exception, now_s: float) -> None:
        """It found none, and rests for a while."""
        with self._lock:
            is_news = not self._retry_at_s
            self._retry_at_s[who] = now_s + RETRY_S
            self._outbox.trouble = str(error)[:200]
        if is_news:
            self._tell("trouble", what="disk", reason=f"{error}; still watching, trying again every {RETRY_S:.0f} s")

    def suffices(self, who: str) -> None:
        """It found some."""
        if who not in self._retry_at_s:
            return
        with self._lock:
            del self._retry_at_s[who]
            is_over = not self._retry_at_s
            if is_over:
                self._outbox.trouble = ""
        if is_over:
            self._tell("trouble_over", what="disk")
