"""Raw pictures made JPEG as they come, for cameras that send nothing smaller."""

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.codeccontext import VideoCodecContext

from streams.ffmpeg import decoder_name, decoding_context, packet_of
from streams.packets import Coding

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_QUALITY = "3"
"""Quantiser of FFmpeg's encoder, 2 (best) to 31: blocks are not seen, and a picture takes a tenth of its raw size."""


class JpegPress:
    """Makes pictures of one size and layout JPEG. Not thread-safe."""

    def __init__(self, width: int, height: int, pixels: str) -> None:
        """`pixels` is FFmpeg's name of the layout; lines follow each other without gaps."""
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

    @property
    def name(self) -> str:
        """What makes the pictures, as it goes beside them: `libavcodec 62.11.100 mjpeg`."""
        return decoder_name("mjpeg")

    def press(self, data: bytes) -> bytes:
        """One raw picture as JPEG. Raises FFmpegError where it is not whole."""
        pictures = self._reader.decode(packet_of(data))
        return b"".join(bytes(packet) for picture in pictures for packet in self._writer.encode(self._framed(picture)))

    def _framed(self, picture: "VideoFrame") -> "VideoFrame":
        framed = picture.reformat(format=self._writer.pix_fmt, dst_color_range="JPEG")
        self._number += 1
        framed.pts, framed.time_base = self._number, self._writer.time_base
        return framed
