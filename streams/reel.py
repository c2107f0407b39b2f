"""What a player hands to a source: shots, not yet converted to a picture anybody may never look at."""

import threading
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from av.video.frame import VideoFrame


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A decoded frame in the decoder's own pixel format, with the stamps of `frames.Frame`."""

    content: VideoFrame
    index: int
    stream_s: float
    monotonic_s: float
    utc: datetime


class Reel(Protocol):
    """Something that can be played once."""

    def play(self, stopped: threading.Event) -> Generator[Shot, None, None]:
        """Shots, each when its time has come, until the end or until `stopped` is set. Raises SourceError."""
        ...

    def close(self) -> None:
        """Give back what was opened before playing began. Called when nothing plays any more."""
        ...
