"""A video file played as a camera: paced to its own clock, as fast as it is consumed, or over and over."""

import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from stat import S_ISREG

from streams.addresses import scheme
from streams.clock import Clock
from streams.container import Container, Image, not_a_video
from streams.errors import SourceMissing
from streams.frames import Camera, Pace
from streams.reel import Shot
from streams.timeline import Timeline

# A file may name other files and addresses inside; nothing but local files is opened.
_OPTIONS = {"protocol_whitelist": "file"}


class FileReel:
    """Plays one file. Raises SourceMissing or NotAVideo at once, before anything is played."""

    def __init__(self, camera: Camera, clock: Clock) -> None:
        self._camera = camera
        self._clock = clock
        self._path = _existing(camera)
        with closing(self._open()) as trial:
            if next(trial.images(), None) is None:
                raise not_a_video(camera)

    def play(self, stopped: threading.Event) -> Generator[Shot, None, None]:
        """Shots until the end of the file (`loop`: without an end), or until `stopped` is set."""
        timeline = Timeline()
        started_s = self._clock.monotonic_s()
        for index, (image, interval_s) in enumerate(self._runs(timeline)):
            stream_s = timeline.advance(image.pts_s, otherwise_s=interval_s)
            if self._camera.pace is not Pace.FAST:
                due_s = started_s + stream_s
                self._clock.wait(stopped, due_s - self._clock.monotonic_s())
            if stopped.is_set():
                return
            yield Shot(image.content, index, stream_s, self._clock.monotonic_s(), self._clock.utc())

    def close(self) -> None:
        """Nothing stays open between opening and playing."""

    def _runs(self, timeline: Timeline) -> Iterator[tuple[Image, float]]:
        while True:
            with closing(self._open()) as container:
                empty = True
                for image in container.images():
                    empty = False
                    yield image, container.frame_interval_s
            if self._camera.pace is not Pace.LOOP:
                return
            if empty:
                raise not_a_video(self._camera)
            timeline.splice()

    def _open(self) -> Container:
        return Container(self._camera, f"file:{self._path}", _OPTIONS)


def _existing(camera: Camera) -> Path:
    """The camera's file, made sure of. Raises SourceMissing, or NotAVideo for a folder or device."""
    named = scheme(camera.url)
    if named is not None:
        raise SourceMissing(
            f"camera {camera.id}: {named}:// addresses cannot be played; give a path of a file or an rtsp:// address"
        )
    if not camera.url:
        raise SourceMissing(f"camera {camera.id}: no address; give a path of a file or an rtsp:// address")
    path = Path(camera.url).expanduser()
    try:
        if not S_ISREG(path.stat().st_mode):  # first, since opening a pipe would wait for its writer
            raise not_a_video(camera)
        path.open("rb").close()
    except FileNotFoundError:
        problem = "no such file; check the path"
    except OSError as error:
        problem = f"cannot be read ({(error.strerror or str(error)).lower()})"
    else:
        return path.absolute()
    raise SourceMissing(f"camera {camera.id}: {camera.url}: {problem}")
