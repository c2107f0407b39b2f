"""A camera's RTSP stream, played for as long as somebody watches: what breaks is connected again."""

import random
import threading
from collections.abc import Callable, Generator
from enum import StrEnum

from streams.addresses import redacted
from streams.clock import Clock
from streams.container import Container
from streams.errors import AccessDenied, SourceError
from streams.frames import Camera
from streams.reel import Shot
from streams.timeline import Timeline

TIMEOUT_S = 5.0
"""How long the camera may stay silent, at opening and between packets, before it counts as gone."""

LONGEST_PAUSE_S = 4.0
_FIRST_PAUSE_S = 0.5

PLAUSIBLE_LEAD_S = 2.0
"""A step of presentation times may exceed the time that really passed by this much (buffers); more is a jump."""

# TCP: a lost UDP packet smears the picture, and a smear is a detection. Only the pictures: sound is not ours to hear.
# The SDP says what the stream is; half a second of looking is enough to find its rate.
_OPTIONS = {"rtsp_transport": "tcp", "allowed_media_types": "video", "analyzeduration": "500000"}


class State(StrEnum):
    """What a live source is doing; given to `on_state` at every change."""

    CONNECTING = "connecting"
    PLAYING = "playing"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


class LiveReel:
    """Plays one RTSP address and connects again after a break, with a growing, jittered pause of at most 4 s.

    Stream time goes on over a break by the time that really passed, so standing times stay true. `on_state` hears every
    change of `State`, in the thread that plays, and why: one line without secrets where something is wrong, else empty.
    """

    def __init__(
        self,
        camera: Camera,
        clock: Clock,
        on_state: Callable[[str, str], None],
        *,
        patient: bool,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Connect for the first time and raise SourceError if that fails; `patient` leaves even that to `play`."""
        self._timeout_s = timeout_s
        self._camera = camera
        self._clock = clock
        self._on_state = on_state
        self._state: State | None = None
        self._timeline = Timeline()
        self._last_s: float | None = None
        self._index = 0
        self._waiting = None if patient else self._connect()

    def play(self, stopped: threading.Event) -> Generator[Shot, None, None]:
        """Shots until `stopped` is set, over as many connections as it takes."""
        pause_s = _FIRST_PAUSE_S
        while not stopped.is_set():
            try:
                container, self._waiting = self._waiting or self._connect(), None
                for shot in self._shots(container, stopped):
                    pause_s = _FIRST_PAUSE_S
                    yield shot
                if stopped.is_set():
                    return
                where = f"camera {self._camera.id}: {redacted(self._camera.url)}"
                self._tell(State.UNREACHABLE, f"{where} ended the stream; it is connected again")
            except AccessDenied as error:
                self._tell(State.REFUSED, str(error))
            except SourceError as error:
                self._tell(State.UNREACHABLE, str(error))
            if self._clock.wait(stopped, pause_s * random.uniform(0.75, 1.0)):  # noqa: S311 - spreads load, no secret
                return
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)

    def close(self) -> None:
        """Give back a connection that was opened and never played."""
        if self._waiting:
            self._waiting.close()
            self._waiting = None

    def _connect(self) -> Container:
        self._tell(State.CONNECTING)
        return Container(self._camera, self._camera.url, _OPTIONS, self._timeout_s)

    def _shots(self, container: Container, stopped: threading.Event) -> Generator[Shot, None, None]:
        self._timeline.splice()
        try:
            for image in container.images():
                if stopped.is_set():
                    return
                self._tell(State.PLAYING)
                now_s = self._clock.monotonic_s()
                passed_s = 0.0 if self._last_s is None else now_s - self._last_s
                self._last_s = now_s
                stream_s = self._timeline.advance(
                    image.pts_s, otherwise_s=passed_s, at_most_s=passed_s + PLAUSIBLE_LEAD_S
                )
                yield Shot(image.content, self._index, stream_s, now_s, self._clock.utc())
                self._index += 1
        finally:
            container.close()

    def _tell(self, state: State, reason: str = "") -> None:
        if state is not self._state:
            self._state = state
            self._on_state(state, reason)
