"""What former workers of intake left behind: sessions at the broker, in which messages would pile up for ever.

Workers are named by their number and how many there are, and each has a persistent session under its name. So when
`intake.workers` changes, the sessions of all names that were in use until then are ended. Nothing is lost by it: what
was queued there has no receipt yet, and the boxes bring it again.
"""

from collections.abc import Callable
from pathlib import Path

import structlog

from alerts.errors import AlertsError
from alerts.identity import replace_private_file
from center.background import Background
from center.intake.sharing import Share

COUNT_FILE = "intake.workers"
AGAIN_S = 5.0

log = structlog.get_logger()


class FormerWorkers(Background):
    """`start()`, `stop()`: waits for a broker if there is none, then ends the sessions and remembers the new count."""

    def __init__(
        self, folder: Path, workers: int, end_session: Callable[[str], bool], *, again_s: float = AGAIN_S
    ) -> None:
        """`folder` keeps the count; `end_session` ends that of a worker's name, and says whether the broker did."""
        self._again_s = again_s
        self._path = folder / COUNT_FILE
        self._workers = workers
        self._end_session = end_session
        super().__init__("former-workers")

    def names(self) -> list[str]:
        """Workers of another count than the present one that may have left a session behind."""
        try:
            former = int(self._path.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return []
        return [] if former == self._workers else [str(Share(number, former)) for number in range(1, former + 1)]

    def run(self) -> None:
        """End them, however long the broker is away; returns when that is done, or it was stopped."""
        names = self.names()
        while names and not self._stopping.is_set():
            if not self._is_ended(names[0]):
                self._stopping.wait(self._again_s)
                continue
            log.info("worker_session_ended", worker=names.pop(0))
        if not names:
            replace_private_file(self._path, str(self._workers).encode("ascii"))

    def _is_ended(self, name: str) -> bool:
        try:
            return self._end_session(name)
        except (OSError, AlertsError) as error:
            log.warning("session_not_ended", worker=name, reason=str(error))
            return False

    def _run(self) -> None:
        self.run()
