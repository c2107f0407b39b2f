"""How large the pictures are, told from the packets: a camera may change its mind in mid-stream."""

from dataclasses import replace
from typing import TYPE_CHECKING

from av.bitstream import BitStreamFilterContext
from av.error import FFmpegError
from av.video.stream import VideoStream

from streams.failures import too_large
from streams.ffmpeg import decoding_context, packet_of
from streams.frames import Camera
from streams.packets import Coding

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av
    from av.stream import Stream

# Codecs whose packets may carry new parameters themselves; FFmpeg's filter knows where.
_IN_BAND = ("h264", "hevc", "vvc", "av1", "mpeg4", "mpeg2video")

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of ISO/IEC 10918-1 (JPEG), table B.1, that are followed by the picture's height and width."""


class SizeWatch:
    """Keeps a stream's `Coding` true. Only a new size makes a new one: decoders follow the rest themselves."""

    def __init__(self, coding: Coding, stream: VideoStream, camera: Camera) -> None:
        """`stream` is where the packets come from. Raises PictureTooLarge, as `look` does: measured, not decoded."""
        self.coding = coding
        self._camera = camera
        self._parameters = coding.extradata
        # What MP4 and Matroska keep outside of the packets begins with a version, 1; they announce changes beside them.
        is_apart = coding.extradata[:1] == b"\x01" and coding.codec in {"h264", "hevc", "vvc"}
        self._filter = (
            BitStreamFilterContext("extract_extradata", stream) if coding.codec in _IN_BAND and not is_apart else None
        )
        self._check()

    def look(self, packet: "av.Packet[VideoStream]") -> None:
        """One more packet. Raises PictureTooLarge above the camera's limit."""
        if not packet.is_keyframe:
            return
        if self.coding.codec == "mjpeg":
            self._resize(jpeg_size(bytes(packet)))
        elif parameters := self._new_parameters(packet):
            data = bytes(packet)
            apart = b"" if self._filter else parameters
            self._parameters = parameters
            size = _size(replace(self.coding, extradata=apart or self.coding.extradata), data, self._camera.max_pixels)
            if apart and size:
                self.coding = replace(self.coding, extradata=apart)
            elif size and not self.coding.extradata:
                self.coding = replace(self.coding, extradata=parameters)
            self._resize(size, extradata=parameters)
        self._check()

    def _check(self) -> None:
        if self.coding.width * self.coding.height > self._camera.max_pixels:
            raise too_large(self._camera, self.coding)

    def _new_parameters(self, packet: "av.Packet[VideoStream]") -> bytes:
        """Parameters that came with this packet, where they are not the last known ones; else nothing."""
        carriers: Sequence[av.Packet[VideoStream] | av.Packet[Stream]] = [packet]
        if self._filter:
            copy = packet_of(bytes(packet))
            try:
                carriers = self._filter.filter(copy)
            except FFmpegError:
                return b""
        for carrier in carriers:
            if carrier.has_sidedata("new_extradata"):
                parameters = bytes(carrier.get_sidedata("new_extradata"))
                return parameters if parameters != self._parameters else b""
        return b""

    def _resize(self, size: tuple[int, int] | None, extradata: bytes = b"") -> None:
        if size and size != (self.coding.width, self.coding.height):
            width, height = size
            self.coding = replace(self.coding, width=width, height=height, extradata=extradata or self.coding.extradata)


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG picture, None where its headers are damaged."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - every marker begins with it
        if data[at + 1] in _START_OF_FRAME:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _size(coding: Coding, key: bytes, max_pixels: int) -> tuple[int, int] | None:
    """Width and height of the picture in a key packet, None where it cannot be decoded."""
    context = decoding_context(coding, max_pixels)
    try:
        pictures = context.decode(packet_of(key)) + context.decode(None)
    except FFmpegError:
        pictures = []
    if pictures:
        return pictures[0].width, pictures[0].height
    return (context.width, context.height) if context.width else None
