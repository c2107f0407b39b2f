"""Whole pictures out of pieces.

Where a sender repeats its parameters before every slice of a key frame, FFmpeg takes each slice for a picture of its
own, and not one key frame could be decoded. GStreamer's `rtph264pay config-interval=-1` behind an encoder that cuts
pictures into slices sends such streams.
"""

import re
from collections.abc import Iterator

from streams.ffmpeg import Sent, packet_of
from streams.packets import Coding

_START = re.compile(rb"\x00\x00\x01(?=[\s\S]{3})")
_LOOK_AT_BYTES = 2048


class Joiner:
    """Joins the pieces of key frames of one connection. A key frame waits for its successor only in such streams."""

    def __init__(self, coding: Coding) -> None:
        self._codec = coding.codec
        # Files with a configuration record (its version is 1) put lengths instead, which may look like start codes.
        self._is_cut = coding.codec in {"h264", "hevc"} and coding.extradata[:1] != b"\x01"
        self._held: Sent | None = None
        self._is_first = True
        self._has_pieces = False

    def join(self, packet: Sent) -> Iterator[Sent]:
        """Packets that are whole now that this one has come."""
        if not self._is_cut:
            yield packet
            return
        if packet.is_keyframe and is_continuation(bytes(memoryview(packet)[:_LOOK_AT_BYTES]), self._codec):
            packet.is_keyframe = False
            self._has_pieces = True
            if self._held is not None:
                self._held = _joined(self._held, packet)
                return
        yield from self.rest()
        if packet.is_keyframe and (self._is_first or self._has_pieces):
            self._is_first, self._held = False, packet
        else:
            yield packet

    def rest(self) -> Iterator[Sent]:
        """What still waits."""
        if self._held is not None:
            whole, self._held = self._held, None
            yield whole


def is_continuation(data: bytes, codec: str) -> bool:
    """Whether the first slice in a packet is not the first of its picture.

    `first_mb_in_slice` (H.264, 7.3.3) is not 0, or `first_slice_segment_in_pic_flag` (H.265, 7.3.6.1) is not set: both
    are the slice header's first bit.
    """
    for start in _START.finditer(data):
        at = start.end()
        if codec == "h264":
            if data[at] & 0x1F in {1, 2, 5}:
                return not data[at + 1] & 0x80
        elif (data[at] >> 1) & 0x3F < 32:  # noqa: PLR2004 - H.265, table 7-1: slices are the types below
            return not data[at + 2] & 0x80
    return False


def _joined(first: Sent, second: Sent) -> Sent:
    whole: Sent = packet_of(bytes(first) + bytes(second))  # type: ignore[assignment]
    whole.pts = first.pts if first.pts is not None else second.pts
    whole.dts = first.dts if first.dts is not None else second.dts
    whole.duration, whole.time_base = first.duration, first.time_base
    whole.is_keyframe = True
    whole.is_corrupt = first.is_corrupt or second.is_corrupt
    return whole
