"""`open_source`: the one way to get frames from a camera, whatever it is."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from streams.addresses import is_live
from streams.clock import Clock, SystemClock
from streams.conversion import BgrConverter
from streams.files import FileReel
from streams.frames import Camera, Frame, Pace
from streams.live import TIMEOUT_S, LiveReel
from streams.mailbox import Closed, Mailbox
from streams.reel import Reel, Shot


def open_source(
    camera: Camera,
    *,
    on_state: Callable[[str, str], None] = lambda _state, _reason: None,
    patient: bool = False,
    clock: Clock | None = None,
) -> "Source":
    """Open a camera's file or RTSP stream.

    Raises SourceError (`SourceMissing`, `NotAVideo`, `SourceUnreachable`, `AccessDenied`), one line without secrets.
    `patient` is for a box that boots before its camera: an RTSP source then opens without an answer and keeps trying;
    a file is checked all the same. `on_state` hears every change of `live.State` and why it is so (one line without
    secrets, or nothing), mostly in another thread; it must not block.
    """
    clock = clock or SystemClock()
    if is_live(camera.url):
        return Source(camera, LiveReel(camera, clock, on_state, patient=patient), newest_only=True)
    return Source(camera, FileReel(camera, clock), newest_only=camera.pace is not Pace.FAST)


class Source:
    """Frames of one camera: a context manager, and an iterator for one consuming thread.

    Each step waits for the newest frame. Iteration ends at the clean end of a file and after `stop`; SourceError is
    raised where a file cannot be read any further. Playing begins with the first step or on entering the context.
    """

    def __init__(self, camera: Camera, reel: Reel, *, newest_only: bool) -> None:
        """`newest_only` plays in a thread of its own and drops what nobody fetched; else every frame is delivered."""
        self.camera = camera
        self._reel = reel
        self._converter = BgrConverter()
        self._stopped = threading.Event()
        self._mailbox: Mailbox[Shot] = Mailbox()
        self._shots = reel.play(self._stopped)
        self._player = (
            threading.Thread(target=self._play, name=f"camera {camera.id}", daemon=True) if newest_only else None
        )

    @property
    def dropped(self) -> int:
        """How many frames were decoded and replaced by a newer one before anybody fetched them."""
        return self._mailbox.dropped

    def stop(self) -> None:
        """End the iteration, from any thread. Returns at once; a waiting step ends without a frame."""
        self._stopped.set()
        self._mailbox.close(discard=True)

    def close(self) -> None:
        """Stop, and wait until file or connection is given back (for a silent camera up to its time-out)."""
        self.stop()
        if self._player is None:
            self._shots.close()
        elif self._player.ident is not None:
            self._player.join(TIMEOUT_S + 1)
        self._reel.close()

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        self._start()
        shot = self._next_shot()
        return Frame(
            picture=self._converter.picture(shot.content),
            camera=self.camera.id,
            index=shot.index,
            stream_s=shot.stream_s,
            monotonic_s=shot.monotonic_s,
            utc=shot.utc,
        )

    def _start(self) -> None:
        if self._player is not None and self._player.ident is None and not self._stopped.is_set():
            self._player.start()

    def _next_shot(self) -> Shot:
        """Raises StopIteration at the end."""
        if self._player is None:
            return next(self._shots)
        try:
            return self._mailbox.take()
        except Closed:
            raise StopIteration from None

    def _play(self) -> None:
        failure: Exception | None = None
        try:
            for shot in self._shots:
                self._mailbox.put(shot)
        except Exception as error:  # noqa: BLE001 - carried to the consumer, who would wait for ever otherwise
            failure = error
        finally:
            self._shots.close()
        self._mailbox.close(failure)
