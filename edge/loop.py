"""The loop: one detector for all cameras of the box, one picture at a time, each camera in its turn."""

import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence

from alerts.errors import AlertsError
from edge.announcements import Tell
from edge.feed import RETRY_S, Feed
from edge.recorder import Recorder
from edge.watch import CameraWatch, Look
from models.detector import Detector
from streams.frames import Frame

TICK_S = 0.5
SEEN_EVERY_S = 1.0
RATE_OVER_S = 5.0


class Tally:
    """How often and what one camera saw, for the `seen` event."""

    def __init__(self) -> None:
        self.frames = 0
        self._times_s: deque[float] = deque()
        self._due_s = 0.0

    def count(self, now_s: float) -> bool:
        """One more look; whether it is time to say what is seen."""
        self.frames += 1
        self._times_s.append(now_s)
        while now_s - self._times_s[0] > RATE_OVER_S:
            self._times_s.popleft()
        if now_s < self._due_s:
            return False
        self._due_s = now_s + SEEN_EVERY_S
        return True

    @property
    def rate_per_s(self) -> float:
        """Looks per second over the last seconds."""
        if len(self._times_s) < 2:  # noqa: PLR2004 - a rate needs two
            return 0.0
        return (len(self._times_s) - 1) / max(1e-3, self._times_s[-1] - self._times_s[0])


class Loop:
    """Runs in the caller's thread until it is stopped or every feed has ended."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        watches: Mapping[str, CameraWatch],
        detector: Detector,
        recorder: Recorder,
        *,
        ready: threading.Condition,
        tell: Tell,
        score: float | None = None,
        until_end: bool = False,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        """`watches` by camera; `ready` is the feeds' condition; `on_tick` is called about twice a second.

        With `until_end` the loop ends when every file has; else it stays, for what is still to be delivered.
        """
        self._feeds = list(feeds)
        self._watches = watches
        self._detector = detector
        self._recorder = recorder
        self._ready = ready
        self._tell = tell
        self._score = score
        self._until_end = until_end
        self._on_tick = on_tick
        self._tallies = {feed.camera_id: Tally() for feed in feeds}
        self._stopping = False
        self._trouble: dict[str, str] = {}
        self._is_blind = False

    @property
    def looks(self) -> int:
        """Frames analysed so far, of all cameras."""
        return sum(tally.frames for tally in self._tallies.values())

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each camera that cannot be played, or could not be to its end."""
        return tuple(feed.failure for feed in self._feeds if feed.failure)

    def stop(self) -> None:
        """Make `run` return soon; may be called from a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Watch. Feeds are started here and stopped at the end, whatever happens."""
        for feed in self._feeds:
            feed.start()
        try:
            tick_due_s = 0.0
            while not self._stopping and not self._may_end():
                frame = self._next_frame()
                if frame is not None:
                    self._look_at(frame)
                if time.monotonic() >= tick_due_s:
                    tick_due_s = time.monotonic() + TICK_S
                    self._say_whether_blind()
                    self._on_tick()
        finally:
            for feed in self._feeds:
                feed.stop()
            for feed in self._feeds:
                feed.join(TICK_S)

    def _next_frame(self) -> Frame | None:
        """The frame of the camera that has waited longest for its turn; None if none came within a tick."""
        with self._ready:
            self._ready.wait_for(
                lambda: self._stopping or any(feed.has_frame for feed in self._feeds) or self._may_end(), TICK_S
            )
            for feed in self._feeds:
                if frame := feed.take():
                    self._feeds.remove(feed)
                    self._feeds.append(feed)
                    return frame
        return None

    def _may_end(self) -> bool:
        return self._until_end and self._all_ended()

    def _all_ended(self) -> bool:
        return all(feed.has_ended for feed in self._feeds)

    def _look_at(self, frame: Frame) -> None:
        """Detect, apply the rules, record. What fails for one camera is said once and does not stop the others."""
        try:
            detections = self._detector.detect(frame.picture, score_threshold=self._score)
            look = self._watches[frame.camera].look(frame, detections)
            self._recorder.record(look)
        except (AlertsError, OSError, sqlite3.Error, ValueError) as error:
            self._say_trouble(frame.camera, f"{type(error).__name__}: {error}")
        else:
            self._trouble.pop(frame.camera, None)
            self._say_seen(look)

    def _say_seen(self, look: Look) -> None:
        camera = look.frame.camera
        tally = self._tallies[camera]
        if tally.count(time.monotonic()):
            self._tell(
                "seen",
                camera=camera,
                counts=dict(Counter(each.class_name for each in look.sightings)),
                rate_per_s=round(tally.rate_per_s, 1),
                frames=tally.frames,
                open_incidents=len(self._recorder.open_incidents(camera)),
            )

    def _say_whether_blind(self) -> None:
        """That no camera can be played is said once, for the box goes on trying; so is that one can again."""
        is_blind = not self._until_end and len(self.failures) == len(self._feeds)
        if is_blind and not self._is_blind:
            reason = f"nothing is watched: no camera can be played; each is tried again every {RETRY_S:.0f} s"
            self._tell("trouble", what="watching", reason=reason)
        elif self._is_blind and not is_blind:
            self._tell("trouble_over", what="watching")
        self._is_blind = is_blind

    def _say_trouble(self, camera: str, reason: str) -> None:
        if self._trouble.get(camera) != reason:
            self._trouble[camera] = reason
            self._tell("trouble", what=f"camera {camera}", reason=reason)
