"""What a codec says in its parameter sets, where the stream's own description may be out of date or silent."""

import io
import re
from fractions import Fraction

import av
from av.bitstream import BitStreamFilterContext
from av.error import FFmpegError
from av.video.stream import VideoStream

from streams.decoder import Decoder
from streams.packets import Packet

_RAW = {"h264", "hevc"}
"""Codecs that FFmpeg reads from a bare file of units."""

_CARRYING = {"h264", "hevc", "av1"}
_START = re.compile(rb"\x00\x00\x01")
_LENGTH_PREFIXED = 1
"""The first byte of a configuration record (ISO/IEC 14496-15): sets stand in it alone, packets have no start codes."""


def template(codec: str) -> VideoStream:
    """An empty stream of a codec, for what PyAV makes from another stream only. Raises FFmpegError, ValueError.

    Neither file nor connection hangs on it.
    """
    if codec in _RAW:
        return av.open(io.BytesIO(), format=codec).streams.video[0]
    empty = io.BytesIO()
    with av.open(empty, "w", format="avi") as container:
        container.add_mux_stream(codec, rate=25, width=16, height=16, time_base=Fraction(1, 25))
        container.start_encoding()
    return av.open(io.BytesIO(empty.getvalue())).streams.video[0]
