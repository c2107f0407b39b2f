"""Packets to pictures, independent of the connection they came over."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from streams.conversion import BgrConverter
from streams.ffmpeg import decoding_context
from streams.frames import MAX_PIXELS
from streams.images import Image
from streams.packets import Coding, Packet

if TYPE_CHECKING:
    from av.stream import Stream
    from av.video.codeccontext import VideoCodecContext


class Decoder:
    """Decodes one camera's packets in the calling thread; not thread-safe.

    It begins with a key frame, and again with one wherever a take or a coding begins. Packets that cannot be decoded
    are stepped over and counted; what was built on them may show it until the next key frame.
    """

    def __init__(self, max_pixels: int = MAX_PIXELS) -> None:
        """Pictures of more than `max_pixels` count as damaged: no memory is taken for them."""
        self._max_pixels = max_pixels
        self._damaged = 0
        self._context: VideoCodecContext | None = None
        self._coding: Coding | None = None
        self._take = -1
        self._has_key = False
        self._converter = BgrConverter()

    @property
    def damaged(self) -> int:
        """How many packets could not be decoded, or only to a picture marked as broken."""
        return self._damaged

    def decode(self, packet: Packet) -> list[Image]:
        """The pictures that this packet completes, in the order of presentation; each keeps its own packet."""
        images: list[Image] = []
        if packet.take != self._take or packet.coding != self._coding:
            images = self.flush()
            self._begin(packet)
        if not self._has_key:
            if not packet.is_key:
                return images
            self._has_key = True
        return images + self._decoded(packet)

    def still(self, packet: Packet) -> Image | None:
        """The picture of one key packet alone; what comes next has to begin with a key frame."""
        self.reset()
        images = self.decode(packet) + self.flush()
        return images[0] if images else None

    def flush(self) -> list[Image]:
        """The pictures that were held back for the sake of order; what comes next has to begin with a key frame."""
        images = self._decoded(None) if self._has_key else []
        self.reset()
        return images

    def reset(self) -> None:
        """Forget what was decoded; what comes next has to begin with a key frame."""
        if self._context is not None and self._has_key:
            self._context.flush_buffers()
        self._has_key = False

    def _begin(self, packet: Packet) -> None:
        if packet.coding != self._coding:
            self._context = decoding_context(packet.coding, self._max_pixels)
        self._take, self._coding = packet.take, packet.coding

    def _decoded(self, packet: Packet | None) -> list[Image]:
        """What the decoder gives for a packet, or for the end."""
        if self._context is None:
            return []
        try:
            pictures = self._context.decode(_as_sent(packet) if packet else None)
        except FFmpegError:
            self._damaged += 1
            return []
        return list(self._images(pictures, packet))

    def _images(self, pictures: Iterable[VideoFrame], packet: Packet | None) -> Iterable[Image]:
        for picture in pictures:
            origin = picture.opaque or packet
            if picture.is_corrupt or not isinstance(origin, Packet):
                self._damaged += 1
            else:
                yield Image(picture, origin, self._converter)


def _as_sent(packet: Packet) -> "av.Packet[Stream]":
    sent = av.Packet(packet.data)
    sent.pts, sent.dts, sent.time_base = packet.pts, packet.dts, packet.coding.time_base
    sent.opaque = packet
    return sent
