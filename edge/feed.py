"""One camera's thread: opens the source, takes frames at the camera's rate, offers them one at a time to the loop."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge.announcements import Tell
from streams.errors import SourceError
from streams.frames import Camera, Frame, Pace
from streams.source import Source, open_source

RETRY_S = 5.0
"""Pause before a camera that failed is opened anew."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a feed takes: which camera, how many looks a second, and whether the end of a file ends it."""

    camera: Camera
    looks_per_s: float
    is_live: bool
    until_end: bool


class Feed:
    """Runs between `start` and `stop`. While an offered frame is not taken, no further one is fetched.

    So a slow detector makes every camera look less often, and what it sees is never older than one round.
    """

    def __init__(self, plan: Plan, *, tell: Tell, ready: threading.Condition) -> None:
        """`ready` is notified when a frame is offered and when the feed has ended.

        `failure` is why the camera cannot be played, since the last attempt; empty while it can.
        """
        self.plan = plan
        self.state = "starting"
        self.failure = ""
        self._tell = tell
        self._ready = ready
        self._offered: Frame | None = None
        self._stopping = threading.Event()
        self._has_ended = False
        self._source: Source | None = None
        self._thread = threading.Thread(target=self._run, name=f"feed {plan.camera.id}", daemon=True)

    @property
    def camera_id(self) -> str:
        """Which camera it is."""
        return self.plan.camera.id

    @property
    def has_frame(self) -> bool:
        """Whether `take` would give a frame."""
        return self._offered is not None

    @property
    def has_ended(self) -> bool:
        """Whether no further frame will come, ever."""
        return self._has_ended and self._offered is None

    def start(self) -> None:
        """Begin opening the camera; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the feed; returns at once."""
        self._stopping.set()
        if source := self._source:
            source.stop()
        with self._ready:
            self._offered = None
            self._ready.notify_all()

    def join(self, timeout_s: float) -> None:
        """Wait until the thread has ended."""
        self._thread.join(timeout_s)

    def take(self) -> Frame | None:
        """The offered frame, if there is one; the feed then fetches the next. Call it with `ready` held."""
        frame, self._offered = self._offered, None
        self._ready.notify_all()
        return frame

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._play():
                    break
                self._stopping.wait(RETRY_S)
        finally:
            with self._ready:
                self._has_ended = True
                self._ready.notify_all()

    def _play(self) -> bool:
        """Play the camera once; whether that was all there is to play."""
        try:
            with open_source(self.plan.camera, on_state=self._change_state, patient=True) as source:
                self._source = source
                self.failure = ""
                if not self.plan.is_live:
                    self._change_state("playing")
                self._follow(source)
        except SourceError as error:
            self.failure = str(error)
            self._change_state("failed", self.failure)
            return self.plan.until_end and not self.plan.is_live
        except Exception as error:  # noqa: BLE001 - whatever one camera does, the others go on
            self._change_state("failed", f"{type(error).__name__}: {error}")
            return False
        finally:
            self._source = None
        if not self._stopping.is_set():
            self._change_state("ended")
        return True

    def _follow(self, source: Source) -> None:
        """Offer frames until the source ends."""
        wait = self._by_stream_time() if self.plan.camera.pace is Pace.FAST else self._by_clock()
        for frame in source:
            if self._stopping.is_set():
                return
            if wait(frame):
                self._offer(frame)

    def _by_stream_time(self) -> Callable[[Frame], bool]:
        """For files played as fast as possible: every n-th frame by its own time."""
        due_s = 0.0

        def is_due(frame: Frame) -> bool:
            nonlocal due_s
            if frame.stream_s + 1e-6 < due_s:
                return False
            due_s = max(due_s + 1 / self.plan.looks_per_s, frame.stream_s)
            return True

        return is_due

    def _by_clock(self) -> Callable[[Frame], bool]:
        """For everything that has its own pace: wait, then the newest frame is fetched and is due."""
        due_s = time.monotonic()

        def offer_and_rest(frame: Frame) -> bool:
            nonlocal due_s
            self._offer(frame)
            due_s = max(due_s + 1 / self.plan.looks_per_s, time.monotonic())
            self._stopping.wait(due_s - time.monotonic())
            return False

        return offer_and_rest

    def _offer(self, frame: Frame) -> None:
        """Offer a frame and wait until it is taken."""
        with self._ready:
            self._offered = frame
            self._ready.notify_all()
            self._ready.wait_for(lambda: self._offered is not frame or self._stopping.is_set())

    def _change_state(self, state: str, reason: str = "") -> None:
        if (state, reason) != (self.state, ""):
            self.state = state
            self._tell("camera_state", camera=self.camera_id, state=state, reason=reason)
