"""FFmpeg's packet and FFmpeg's decoder, as the rest of this package uses them."""

from typing import TYPE_CHECKING, TypeAlias

import av
from av.video.codeccontext import VideoCodecContext

from streams.packets import Coding

if TYPE_CHECKING:
    from av.stream import Stream
    from av.video.stream import VideoStream

Sent: TypeAlias = "av.Packet[VideoStream]"
"""A compressed picture as FFmpeg read it."""

# Where FFmpeg's decoder of a codec is not called like the codec.
_DECODERS = {"av1": "libdav1d"}

# Half a JPEG would be completed with what is left in memory of an earlier picture, and nothing said.
_STRICT = {"mjpeg": {"err_detect": "explode"}}


def decoder_name(codec: str) -> str:
    """The decoder of a codec with its version, as it goes beside a picture: `libavcodec 62.11.100 h264`."""
    version = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return f"libavcodec {version} {_DECODERS.get(codec, codec)}"


def packet_of(data: bytes) -> "av.Packet[Stream]":
    """A packet with a copy of the data and, behind it, the zeros that FFmpeg's parsers read beyond every end.

    One made from bytes alone borrows them, and what stands behind them is read as part of the picture.
    """
    packet: av.Packet[Stream] = av.Packet(len(data))
    packet.update(data)
    return packet


def decoding_context(coding: Coding, max_pixels: int, **options: str) -> VideoCodecContext:
    """A decoder in one thread, for the box has more cameras than cores; it refuses pictures above `max_pixels`.

    `options` are FFmpeg's own.
    """
    context = av.CodecContext.create(_DECODERS.get(coding.codec, coding.codec), "r")
    if not isinstance(context, VideoCodecContext):
        raise TypeError(coding.codec)
    context.thread_count = 1
    context.copy_opaque = True
    context.options = {"max_pixels": str(max_pixels), **_STRICT.get(coding.codec, {}), **options}
    context.width, context.height = coding.width, coding.height
    if coding.extradata:
        context.extradata = coding.extradata
    if coding.pixels:
        context.pix_fmt = coding.pixels
    return context
