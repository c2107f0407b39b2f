"""What packets say of themselves in parameter sets, where the stream's own description is out of date or silent."""

import io
import re
from collections.abc import Iterator
from fractions import Fraction

import av
from av.bitstream import BitStreamFilterContext
from av.error import FFmpegError
from av.video.stream import VideoStream

from streams.decoder import Decoder
from streams.ffmpeg import packet_of
from streams.packets import Coding, Packet

_BARE = {"h264", "hevc"}
"""Codecs that FFmpeg reads from a file of units without a container."""

_CARRYING = {"h264", "hevc", "av1"}
_START = re.compile(rb"\x00\x00\x01")
_SPS = {"h264": (0x1F, 7), "hevc": (0x7E, 33 << 1)}
"""Mask and value of a unit's first byte: sequence parameter set, ITU-T H.264 7.3.1 and H.265 7.3.1.2."""

_SETS = {"h264": {7, 8}, "hevc": {32, 33, 34}}
"""Types of the units without which nothing can be decoded, tables 7-1 of both."""

_IDR = 5
_TYPE = 0x1F
"""Of an H.264 unit: an instantaneous decoding refresh, ITU-T H.264 table 7-1."""

_LENGTH_PREFIXED = b"\x01"
"""How a configuration record begins (ISO/IEC 14496-15): the sets stand in it, packets carry lengths."""


class ParameterReader:
    """Finds the parameter sets that the packets of one coding bring along."""

    def __init__(self, coding: Coding) -> None:
        self._filter: BitStreamFilterContext | None = None
        if coding.codec in _CARRYING and not coding.extradata.startswith(_LENGTH_PREFIXED):
            self._filter = BitStreamFilterContext("extract_extradata", in_stream=template(coding.codec))

    def read(self, packet: Packet) -> bytes:
        """The sets in this packet, with start codes; empty where it has none."""
        if self._filter is None:
            return b""
        try:
            through = self._filter.filter(packet_of(packet.data))
        except FFmpegError:
            self._filter.flush()
            return b""
        return b"".join(bytes(each.get_sidedata("new_extradata")) for each in through)


def are_alike(codec: str, one: bytes, other: bytes) -> bool:
    """Whether two runs of parameter sets describe the same sequence: picture sets may change within one."""
    return _sequence_sets(codec, one) == _sequence_sets(codec, other)


def are_whole(codec: str, sets: bytes) -> bool:
    """Whether all kinds of sets that a decoder needs are there: over UDP one of them may be lost."""
    if codec not in _SETS:
        return bool(sets)
    found = {unit[0] & _TYPE if codec == "h264" else unit[0] >> 1 & 0x3F for unit in _START.split(sets) if unit}
    return found >= _SETS[codec]


def picture_size(key: Packet, sets: bytes) -> tuple[int, int]:
    """Width and height of a key packet's picture; it is decoded only where the stream's description is not its own."""
    coding = key.coding
    if not sets or sets == coding.extradata or (coding.extradata and are_alike(coding.codec, sets, coding.extradata)):
        return coding.width, coding.height
    image = Decoder().still(key)
    return (image.content.width, image.content.height) if image else (coding.width, coding.height)


def is_refresh(key: Packet) -> bool:
    """Whether a player may begin at this key frame wherever it comes from.

    In H.264 with open groups of pictures a key frame may be one where decoding only recovers little by little; browsers
    that are sent there give up.
    """
    if key.coding.codec != "h264":
        return True
    return any(unit[0] & _TYPE == _IDR for unit in _units(key) if unit)


def begins_anew(codec: str, data: bytes) -> bool:
    """Whether decoding can begin at this packet, of a sender that gives start codes and does not say."""
    return codec != "h264" or any(unit[0] & _TYPE == _IDR for unit in _START.split(data) if unit)


def template(codec: str) -> VideoStream:
    """An empty stream of a codec, for what PyAV makes from another stream only. Raises FFmpegError, ValueError."""
    if codec in _BARE:
        return av.open(io.BytesIO(), format=codec).streams.video[0]
    empty = io.BytesIO()
    with av.open(empty, "w", format="avi") as container:
        container.add_mux_stream(codec, rate=25, width=16, height=16, time_base=Fraction(1, 25))
        container.start_encoding()
    return av.open(io.BytesIO(empty.getvalue())).streams.video[0]


def _units(packet: Packet) -> Iterator[bytes]:
    record, data = packet.coding.extradata, packet.data
    if not record.startswith(_LENGTH_PREFIXED):
        yield from _START.split(data)
        return
    width = (record[4] & 3) + 1 if len(record) > 4 else 4  # noqa: PLR2004 - lengthSizeMinusOne, 5.3.3.1.2
    while len(data) > width:
        end = width + int.from_bytes(data[:width], "big")
        yield data[width:end]
        data = data[end:]


def _sequence_sets(codec: str, sets: bytes) -> frozenset[bytes]:
    if codec not in _SPS:
        return frozenset([sets])
    mask, value = _SPS[codec]
    units = (unit.rstrip(b"\0") for unit in _START.split(sets))
    return frozenset(unit for unit in units if unit and unit[0] & mask == value)
