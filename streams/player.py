"""One camera's thread: opens it, hands over its packets, and connects again what breaks. Nothing is decoded here."""

import random
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from enum import StrEnum

from streams.addresses import is_live
from streams.clock import Clock, SystemClock
from streams.demuxer import Demuxer, Opening, upright
from streams.errors import AccessDenied, SourceError, SourceUnreachable
from streams.failures import not_a_video, place
from streams.frames import Camera, Pace
from streams.opening import file_openings, live_opening
from streams.packets import Packet
from streams.stamps import Stamper

LONGEST_PAUSE_S = 4.0
LONGEST_REFUSED_PAUSE_S = 60.0
"""Cameras lock out who knocks too often with a wrong password."""

_FIRST_PAUSE_S = 0.25


class State(StrEnum):
    """What a camera is doing; given to `on_state` at every change, with the reason where something is wrong."""

    CONNECTING = "connecting"
    PLAYING = "playing"
    DEGRADED = "degraded"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    FAILED = "failed"
    ENDED = "ended"


class Player:
    """Plays one camera between `start` and `stop`.

    Both callbacks are called in the player's thread. `on_packet` must return at once, except for files played at pace
    `fast`, where it may block: that is the only back-pressure there is. `on_state` hears every change of `State` and
    why (one line without secrets, or nothing).
    """

    def __init__(
        self,
        camera: Camera,
        *,
        on_packet: Callable[[Packet], None],
        on_state: Callable[[str, str], None],
        clock: Clock | None = None,
        persistent: bool = True,
    ) -> None:
        """A `persistent` player tries again after a failure, for ever; else the first one ends it."""
        self.camera = camera
        self.failure: SourceError | None = None
        """Why the camera cannot be played, since the last attempt; None while it can."""
        self.reconnects = 0
        self._on_packet = on_packet
        self._on_state = on_state
        self._clock = clock or SystemClock()
        self._persistent = persistent
        self._is_live = bool(camera.pipeline) or is_live(camera.url)
        self._stamper = Stamper(camera, self._clock, is_live=self._is_live)
        self._stopping = threading.Event()
        self._has_ended = False
        self._state: State | None = None
        self._damaged = 0
        self._started_s = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self._thread = threading.Thread(target=self._run, name=f"camera {camera.id}", daemon=True)

    @property
    def has_ended(self) -> bool:
        """Whether no further packet will come, ever."""
        return self._has_ended

    @property
    def damaged(self) -> int:
        """How many packets could not be read, or came marked as broken."""
        return self._damaged

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns at once. No callback begins after that."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        """Wait until file or connection is given back."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        self._started_s = self._clock.monotonic_s()
        try:
            while not self._stopping.is_set() and self._play_once():
                pass
        finally:
            self._has_ended = True

    def _play_once(self) -> bool:
        """Play the camera, or all its files, to the end or to a failure; whether to do it again."""
        try:
            for opening in self._openings():
                self._play(opening)
                if self._stopping.is_set():
                    return False
            if not self._is_live:
                return self._goes_round()
            raise SourceUnreachable(f"{place(self.camera)} ended the stream; it is connected again")
        except SourceError as error:
            self.failure = error
        return self._recovers(self.failure)

    def _openings(self) -> Iterable[Opening]:
        return [live_opening(self.camera)] if self._is_live else file_openings(self.camera)

    def _goes_round(self) -> bool:
        if self.camera.pace is Pace.LOOP:
            return True
        self._tell(State.ENDED)
        return False

    def _recovers(self, error: SourceError) -> bool:
        """Say what is wrong, and wait until it is time to try again; False if it never will be."""
        refused = isinstance(error, AccessDenied)
        if refused:
            self._tell(State.REFUSED, str(error))
        else:
            self._tell(State.UNREACHABLE if isinstance(error, SourceUnreachable) else State.FAILED, str(error))
        if not self._persistent:
            return False
        longest_s = LONGEST_REFUSED_PAUSE_S if refused else LONGEST_PAUSE_S
        self._pause_s = min(longest_s, max(self._pause_s, LONGEST_PAUSE_S if refused else 0.0))
        stopped = self._clock.wait(self._stopping, self._pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, no secret
        self._pause_s *= 2
        return not stopped

    def _play(self, opening: Opening) -> None:
        """One take."""
        self._tell(State.CONNECTING)
        self.reconnects = self._stamper.takes
        with closing(Demuxer(self.camera, opening)) as demuxer:
            if not self._is_live:
                demuxer.turn(upright(self.camera, opening))
            self._stamper.begin_take()
            is_empty = True
            for sent in demuxer.packets():
                due_s = self._started_s + self._stamper.advance(sent, demuxer.coding)
                if not self._is_live and self.camera.pace is not Pace.FAST:
                    self._clock.wait(self._stopping, due_s - self._clock.monotonic_s())
                if self._stopping.is_set():
                    return
                if is_empty:
                    is_empty, self.failure, self._pause_s = False, None, _FIRST_PAUSE_S
                    self._tell(State.PLAYING)
                self._on_packet(self._stamper.stamp(sent, demuxer.coding))
            if is_empty and not self._is_live:
                raise not_a_video(self.camera)

    def _tell(self, state: State, reason: str = "") -> None:
        if state is not self._state and not self._stopping.is_set():
            self._state = state
            self._on_state(state, reason)
