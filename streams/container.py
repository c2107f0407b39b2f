"""One opened container: its pictures as a decoder gives them, its failures as this package's errors."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import av
from av.error import FFmpegError, HTTPForbiddenError, HTTPNotFoundError, HTTPUnauthorizedError, InvalidDataError
from av.error import PermissionError as RefusedInsideError  # a list that names files or addresses it may not open
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streams.addresses import is_live, redacted
from streams.errors import AccessDenied, NotAVideo, SourceError, SourceMissing, SourceUnreachable
from streams.frames import Camera

DEFAULT_FRAME_INTERVAL_S = 1 / 25
"""Assumed between frames when neither presentation times nor a frame rate say more."""

# Demuxers that make a "video" out of a text, a single picture or a list of other files.
_NO_VIDEO_FORMATS = ("tty", "image2", "concat", "hls", "dash")


class Image(NamedTuple):
    """A decoded picture still in the decoder's own pixel format, and its presentation time in seconds, if known."""

    content: VideoFrame
    pts_s: float | None


class Container:
    """A demuxer and the decoder of its first video stream, in one thread: the box has more cameras than cores.

    Not thread-safe: open, iterate and close in one thread.
    """

    def __init__(self, camera: Camera, url: str, options: Mapping[str, str], timeout_s: float | None = None) -> None:
        """Open `url`, with FFmpeg's `options` and a time-out for opening and for every read. Raises SourceError."""
        self._camera = camera
        failure: SourceError | None = None
        try:
            self._demuxer = av.open(url, options=dict(options), timeout=timeout_s)
        except FFmpegError as error:
            failure = translated(camera, error)
        if failure:
            raise failure  # outside of the handler, since FFmpeg's own error names the address with its password
        try:
            self._stream = self._first_video()
        except SourceError:
            self.close()
            raise

    @property
    def frame_interval_s(self) -> float:
        """Seconds between frames as the container states it, else 1/25 s."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(1 / rate) if rate else DEFAULT_FRAME_INTERVAL_S

    def images(self) -> Iterator[Image]:
        """Every picture that can be decoded, to the end; damaged packets are stepped over.

        Raises SourceUnreachable when a live stream breaks. A file that was cut off ends where it was cut.
        """
        failure: SourceError | None = None
        packets = self._demuxer.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except InvalidDataError:
                return
            except FFmpegError as error:
                failure = translated(self._camera, error)
                break
            if packet is None:
                return
            try:
                pictures = packet.decode()
            except InvalidDataError:
                continue
            for picture in pictures:
                if isinstance(picture, VideoFrame) and not picture.is_corrupt:
                    yield Image(picture, picture.time if picture.pts is not None else None)
        raise failure

    def close(self) -> None:
        """Give back the file or connection. Closing twice is allowed."""
        self._demuxer.close()

    def _first_video(self) -> VideoStream:
        videos = [stream for stream in self._demuxer.streams.video if not _is_cover(stream)]
        names = self._demuxer.format.name.split(",")
        unusable = any(name in _NO_VIDEO_FORMATS or name.endswith("_pipe") for name in names)
        if unusable or not videos:
            raise not_a_video(self._camera)
        videos[0].thread_count = 1
        return videos[0]


def _is_cover(stream: VideoStream) -> bool:
    """The picture on the cover of a piece of music is a video stream to FFmpeg."""
    return bool(stream.disposition & stream.disposition.attached_pic)


def not_a_video(camera: Camera) -> NotAVideo:
    """The error for a file or stream without moving pictures."""
    return NotAVideo(
        f"camera {camera.id}: {redacted(camera.url)} is not a video; give a video file or an rtsp:// address"
    )


def translated(camera: Camera, error: FFmpegError) -> SourceError:
    """FFmpeg's error as ours: one line, what and where and what to do, without the address's secrets."""
    where = f"camera {camera.id}: {redacted(camera.url)}"
    reason = (error.strerror or type(error).__name__).lower()
    return _of_camera(where, reason, error) if is_live(camera.url) else _of_file(camera, where, reason, error)


def _of_camera(where: str, reason: str, error: FFmpegError) -> SourceError:
    match error:
        case HTTPUnauthorizedError() | HTTPForbiddenError():
            return AccessDenied(f"{where} refused the user name or password; correct them in the camera's address")
        case HTTPNotFoundError():
            return SourceMissing(f"{where} does not exist on the camera; check the path after the address")
        case InvalidDataError():  # also what a time-out while opening ends in
            return SourceUnreachable(f"{where} does not answer as an RTSP camera; check cable, address and port")
        case _:
            return SourceUnreachable(f"{where} cannot be reached ({reason}); check cable, address and port")


def _of_file(camera: Camera, where: str, reason: str, error: FFmpegError) -> SourceError:
    if isinstance(error, RefusedInsideError) or not isinstance(error, OSError):
        return not_a_video(camera)
    return SourceMissing(f"{where} cannot be read ({reason}); check the disk and the file's rights")
