"""The clips that are measured on: the street from the demo's cache, and a 720p version of it as a camera sends it."""

import hashlib
import os
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np

from edge.errors import EdgeError

STREET = "vtest.avi"
PLACES = (
    Path(__file__).parents[3] / "shared" / "footage" / STREET,
    Path("/usr/share/doc/opencv-doc/examples/data") / STREET,
)
WIDTH_PX, HEIGHT_PX = 1280, 720
KEY_EVERY_S = 2
EDITION = "2"
"""Part of every cached clip's name: clips of an older edition are made anew."""


class NothingToMeasure(EdgeError):
    """What a measurement needs is not to be had; the message says what and what to do."""


def cache_folder() -> Path:
    """Where the product keeps what can be made again (`XDG_CACHE_HOME`, or `~/.cache`); the demo's clip as well."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "teawatch"


def street_clip() -> Path:
    """`vtest.avi`, wherever it is on this machine. Raises NothingToMeasure."""
    places = (cache_folder() / STREET, *PLACES)
    for place in places:
        if place.is_file():
            return place
    raise NothingToMeasure(
        f"{STREET} is not on this machine: name a clip, or start `teawatch demo` once, which fetches it"
    )


def fingerprint(file: Path) -> str:
    """Twelve digits of the file's SHA-256."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:12]


def busy_clip(source: Path, frames: int) -> Path:
    """The first so many frames of a clip as 1280x720 H.264 without B-frames, a key frame every 2 s; made once.

    Raises NothingToMeasure where the source is no video.
    """
    target = cache_folder() / "bench" / f"busy-{EDITION}-{fingerprint(source)}-{frames}.mp4"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.with_suffix(f".{os.getpid()}.mp4")
        try:
            _encode(source, scratch, frames)
            scratch.replace(target)
        except (av.FFmpegError, IndexError) as error:
            raise NothingToMeasure(f"{source}: cannot be made into a clip to measure on ({error})") from None
        finally:
            scratch.unlink(missing_ok=True)
    return target


def _encode(source: Path, target: Path, frames: int) -> None:
    with av.open(str(source)) as video, av.open(str(target), "w") as clip:
        rate = Fraction(video.streams.video[0].average_rate or 10)
        stream = clip.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "26", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.codec_context.gop_size = round(rate * KEY_EVERY_S)
        for frame in islice(video.decode(video=0), frames):
            picture = cv2.resize(frame.to_ndarray(format="bgr24"), (WIDTH_PX, HEIGHT_PX))
            scaled = av.VideoFrame.from_ndarray(picture.astype(np.uint8, copy=False), format="bgr24")
            clip.mux(stream.encode(scaled))
        clip.mux(stream.encode(None))
