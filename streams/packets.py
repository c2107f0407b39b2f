"""The values before decoding: a compressed packet as the camera sent it, and what is needed to decode or file it.

Packets are the original: pictures, clips and hashes are made from them. They are plain bytes, so that a ring may hold
them longer than the connection they came over.
"""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Coding:
    """What a decoder or a container must know about a run of packets.

    `codec` is FFmpeg's name (`h264`, `hevc`, `mjpeg`, …), `extradata` what stands outside of the packets (SPS and PPS),
    `time_base` the unit of `pts` and `dts` in seconds. `rate` is frames per second as the stream states it, None if it
    does not. `quarters` are the quarter turns to the left that make the picture upright. `pixels` is FFmpeg's name of
    the pixel format, where the packets alone do not say it (raw video). `encoder` is what made the packets of a
    camera's raw pictures, FFmpeg's name with its version; empty where the camera sent them so.
    """

    codec: str
    width: int
    height: int
    time_base: Fraction
    extradata: bytes = field(default=b"", repr=False)
    rate: Fraction | None = None
    quarters: int = 0
    pixels: str = ""
    encoder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packet:
    """One compressed frame.

    `index` counts the packets of one camera from 0. `take` counts its connections (or repetitions of a file): packets
    of different takes do not continue each other, and each take is decoded from its first key frame on. `pts`, `dts`
    and `duration` are the camera's own, in `coding.time_base`, None or 0 where it gave none. `stream_s` is the time of
    the picture in the stream, in seconds since the camera's first packet; in decoding order it runs backwards by no
    more than B-frames are reordered. `monotonic_s` and `utc` are this machine's clocks on arrival. `camera` is
    the camera's id.
    """

    data: bytes = field(repr=False)
    is_key: bool
    index: int
    take: int
    coding: Coding
    pts: int | None
    dts: int | None
    duration: int
    stream_s: float
    monotonic_s: float
    utc: datetime
    camera: str = ""

    @property
    def size_bytes(self) -> int:
        """Length of the compressed data."""
        return len(self.data)
