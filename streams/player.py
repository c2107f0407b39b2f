"""One camera's thread: opens it, hands over its packets, and connects again what breaks. Nothing is decoded here."""

import math
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from enum import StrEnum

from streams.addresses import is_live
from streams.clock import Clock, SystemClock
from streams.condition import Condition
from streams.demuxer import Demuxer, Opening, opened, opened_file
from streams.device import DeviceDemuxer
from streams.errors import AccessDenied, SourceError, SourceUnreachable
from streams.failures import place, unforeseen
from streams.frames import Camera, Pace
from streams.opening import file_openings, live_opening
from streams.packets import Packet
from streams.stamps import PLAUSIBLE_LEAD_S, PLAUSIBLE_LIST_LEAD_S, Stamper

LONGEST_PAUSE_S = 4.0
LONGEST_REFUSED_PAUSE_S = 60.0
"""Cameras lock out who knocks too often with a wrong password."""

_FIRST_PAUSE_S = 0.25
_SHORTEST_PLAY_S = 1.0
"""What breaks again sooner than this after its first packet is waited for longer and longer."""


class State(StrEnum):
    """What a camera is doing; given to `on_state` at every change, with the reason where something is wrong."""

    CONNECTING = "connecting"
    PLAYING = "playing"
    DEGRADED = "degraded"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    FAILED = "failed"
    ENDED = "ended"


_FAILING = frozenset({State.UNREACHABLE, State.REFUSED, State.FAILED})


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
        self._on_packet = on_packet
        self._on_state = on_state
        self._clock = clock or SystemClock()
        self._persistent = persistent
        self._is_live = bool(camera.pipeline) or is_live(camera.url)
        self._stamper = Stamper(camera, self._clock, is_live=self._is_live)
        self._stopping = threading.Event()
        self._has_ended = False
        self._state: State | None = None
        self._reason = ""
        self._damaged = 0
        self._undecodable = 0
        self._condition = Condition()
        self._playing_take = -1
        self._started_s = 0.0
        self._take_began_s = math.inf
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

    @property
    def reconnects(self) -> int:
        """How often a live source was connected again."""
        return max(0, self._stamper.takes - 1) if self._is_live else 0

    def note_damage(self, undecodable: int) -> None:
        """How many packets a decoder could not use so far: part of what makes a camera `degraded`. From any thread."""
        self._undecodable = undecodable

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
            if self._is_live:
                self._play(live_opening(self.camera, self._stopping))
            else:
                self._play_files(file_openings(self.camera))
        except Exception as error:  # noqa: BLE001 - whatever one camera does to this box is said, and tried again
            self.failure = error if isinstance(error, SourceError) else unforeseen(self.camera, error)
            return not self._stopping.is_set() and self._recovers(self.failure)
        return not self._stopping.is_set() and self._goes_round()

    def _play_files(self, openings: Sequence[Opening]) -> None:
        """One after the other. What cannot be played is stepped over, unless nothing else is there."""
        failures: list[SourceError] = []
        for opening in openings:
            try:
                self._play(opening)
            except SourceError as error:
                failures.append(error)
                if len(failures) == len(openings):
                    raise
                self._tell(State.DEGRADED, str(error))
            if self._stopping.is_set():
                return

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
        failed_s = self._clock.monotonic_s()
        if failed_s - self._take_began_s >= _SHORTEST_PLAY_S:
            self._pause_s = _FIRST_PAUSE_S
        self._take_began_s = math.inf
        longest_s = LONGEST_REFUSED_PAUSE_S if refused else LONGEST_PAUSE_S
        self._pause_s = min(longest_s, max(self._pause_s, LONGEST_PAUSE_S if refused else 0.0))
        stopped = self._clock.wait(self._stopping, self._pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, no secret
        self._pause_s *= 2
        self._started_s += self._clock.monotonic_s() - failed_s  # what a file missed meanwhile is not hurried through
        return not stopped

    def _play(self, opening: Opening) -> None:
        """One take."""
        if self._state is None:
            self._tell(State.CONNECTING)
        try:
            with closing(opened(opening) if self._is_live else opened_file(opening)) as demuxer:
                self._deliver(demuxer)
            if self._is_live:
                raise SourceUnreachable(f"{place(self.camera)} ended the stream; it is connected again")
        except SourceError as error:
            if self._stopping.is_set():
                return
            raise opening.explain(error) from None
        finally:
            opening.close()

    def _deliver(self, demuxer: Demuxer | DeviceDemuxer) -> None:
        """Every packet of a take, when it is due."""
        lead_s = PLAUSIBLE_LIST_LEAD_S if demuxer.is_list else PLAUSIBLE_LEAD_S
        self._stamper.begin_take(lead_s, is_timed=not self._is_live or demuxer.is_timed)
        is_paced = not self._is_live and self.camera.pace is not Pace.FAST
        for sent in demuxer.packets():
            now_s = self._stamper.advance(sent, demuxer.coding)
            if is_paced:
                self._clock.wait(self._stopping, self._started_s + now_s - self._clock.monotonic_s())
            if self._stopping.is_set():
                return
            self._damaged += demuxer.damaged
            demuxer.damaged = 0
            packet = self._stamper.stamp(sent, demuxer.coding)
            self._judge(packet)
            self._on_packet(packet)

    def _judge(self, packet: Packet) -> None:
        if packet.take != self._playing_take:
            self._playing_take = packet.take
            self.failure = None
            self._take_began_s = packet.monotonic_s
            self._condition.begin_take(packet.stream_s)
        self._condition.packet(packet, self.damaged + self._undecodable)
        reason = self._condition.reason
        where = f"{place(self.camera)}: " if reason else ""
        self._tell(State.DEGRADED if reason else State.PLAYING, where + reason)

    def _tell(self, state: State, reason: str = "") -> None:
        is_news = state is not self._state or (state in _FAILING and reason != self._reason)
        if is_news and not self._stopping.is_set():
            self._state, self._reason = state, reason
            self._on_state(state, reason)
