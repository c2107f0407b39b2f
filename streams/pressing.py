"""Raw pictures made JPEG as they come, for cameras that send nothing smaller."""

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from streams.ffmpeg import decoder_name, decoding_context, packet_of
from streams.packets import Coding

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_QUALITY = "3"
"""Quantiser of FFmpeg's encoder, 2 (best) to 31: blocks are not seen, and a picture takes a tenth of its raw size."""

_PIXEL_BYTES = {"yuyv422": 2, "uyvy422": 2, "rgb24": 3, "bgr24": 3}
"""Of the first plane, by layout; one in all others."""


class JpegPress:
    """Makes pictures of one size and layout JPEG. Not thread-safe."""

    def __init__(self, width: int, height: int, pixels: str, line_bytes: int = 0) -> None:
        """`pixels` is FFmpeg's name of the layout.

        `line_bytes` lie between two lines' beginnings in the first plane (`bytesperline` of V4L2); 0: no gaps.
        """
        raw = Coding("rawvideo", width, height, Fraction(1, 1000), pixels=pixels)
        self._reader = decoding_context(raw, width * height)
        context = av.CodecContext.create("mjpeg", "w")
        if not isinstance(context, VideoCodecContext):
            raise TypeError(context)
        context.width, context.height = width, height
        context.pix_fmt = "yuvj420p" if pixels in {"nv12", "yuv420p", "gray"} else "yuvj422p"
        context.time_base = Fraction(1, 1000)
        context.thread_count = 1
        context.options = {"qmin": _QUALITY, "qmax": _QUALITY}
        self._writer = context
        self._number = 0
        self._height, self._pixels, self._line_bytes = height, pixels, line_bytes
        self._used_bytes = width * _PIXEL_BYTES.get(pixels, 1)

    @property
    def name(self) -> str:
        """What makes the pictures, as it goes beside them: `libavcodec 62.11.100 mjpeg`."""
        return decoder_name("mjpeg")

    def press(self, data: bytes) -> bytes:
        """One raw picture as JPEG. Raises FFmpegError where it is not whole."""
        pictures = self._reader.decode(packet_of(self._without_gaps(data)))
        return b"".join(bytes(packet) for picture in pictures for packet in self._writer.encode(self._framed(picture)))

    def _without_gaps(self, data: bytes) -> bytes:
        """Lines without what a driver has put behind each, so that the next one begins where its hardware wants it."""
        if self._line_bytes <= self._used_bytes:
            return data
        if self._pixels != "yuv420p":  # NV12 has two colours in a line: as many bytes as one of the luma
            return _cut(data, self._line_bytes, self._used_bytes)
        luma_bytes = self._line_bytes * self._height
        colours = _cut(data[luma_bytes:], self._line_bytes // 2, self._used_bytes // 2)
        return _cut(data[:luma_bytes], self._line_bytes, self._used_bytes) + colours

    def _framed(self, picture: "VideoFrame") -> "VideoFrame":
        framed = picture.reformat(format=self._writer.pix_fmt, dst_color_range="JPEG")
        self._number += 1
        framed.pts, framed.time_base = self._number, self._writer.time_base
        return framed


def _cut(data: bytes, line_bytes: int, used_bytes: int) -> bytes:
    lines = np.frombuffer(data, np.uint8)[: len(data) // line_bytes * line_bytes].reshape(-1, line_bytes)
    return lines[:, :used_bytes].tobytes()
