"""Every live camera's clock is looked at now and then, while the box runs, by one thread that nothing waits for."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge.background import Background
from edge.camera_clock import TIMEOUT_S, clock_ahead_s
from edge.health import HealthWatch, is_clock_off

ROUND_EVERY_S = 5.0
ASK_EVERY_S = 3600.0
ASK_AGAIN_S = 300.0
"""Of a camera whose clock was wrong: somebody may have set it meanwhile."""

RECONNECTED_S = 60.0
"""One that was connected again may have been without power and time; it is asked no oftener than this."""


@dataclass(frozen=True, slots=True)
class Face:
    """A live camera that plays: where to ask it, how often it was connected again, and who wants to know."""

    camera: str
    url: str
    reconnects: int
    health: HealthWatch


class ClockRound(Background):
    """Asks them between `with` and its end. `faces` gives the cameras that can be asked now."""

    def __init__(self, faces: Callable[[], Iterable[Face]]) -> None:
        self._faces = faces
        self._asked: dict[str, tuple[Face, float]] = {}
        super().__init__("camera clocks", patience_s=TIMEOUT_S)

    def go(self, now_s: float) -> None:
        """Ask whoever is due, one after the other; `now_s` on the monotonic clock."""
        faces = {face.camera: face for face in self._faces()}
        self._asked = {camera: asked for camera, asked in self._asked.items() if camera in faces}
        for face in faces.values():
            if self._stopping.is_set():
                return
            if self._is_due(face, now_s):
                self._asked[face.camera] = (face, now_s)
                face.health.camera_ahead_s = clock_ahead_s(face.url)

    def _is_due(self, face: Face, now_s: float) -> bool:
        before, asked_s = self._asked.get(face.camera, (None, 0.0))
        if before is None or before.health is not face.health:
            return True
        if before.reconnects != face.reconnects:
            return now_s - asked_s >= RECONNECTED_S
        return now_s - asked_s >= (ASK_AGAIN_S if is_clock_off(face.health.camera_ahead_s) else ASK_EVERY_S)

    def _run(self) -> None:
        while not self._stopping.wait(ROUND_EVERY_S):
            self.go(time.monotonic())
