"""Packets to pictures, independent of the connection they came over."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from av.error import FFmpegError
from av.video.frame import VideoFrame

from streams.conversion import BgrConverter
from streams.ffmpeg import decoding_context, packet_of
from streams.frames import MAX_PIXELS
from streams.images import Image
from streams.packets import Coding, Packet

if TYPE_CHECKING:
    import av
    from av.stream import Stream
    from av.video.codeccontext import VideoCodecContext


_MOST_HELD_BACK = 16
"""Pictures that a decoder may keep for the sake of order (H.264, A.3.1: at most 16)."""


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
        self._hasty: VideoCodecContext | None = None
        self._coding: Coding | None = None
        self._take = -1
        self._has_key = False
        self._key_s = 0.0
        self._owed = 0
        self._converter = BgrConverter()

    @property
    def damaged(self) -> int:
        """How many packets could not be decoded, gave no picture, or only one marked as broken."""
        return self._damaged

    @property
    def profile(self) -> str:
        """The profile of what was decoded last, in FFmpeg's words (`High`, `Main 10`); else nothing."""
        return (self._context.profile if self._context else None) or ""

    def decode(self, packet: Packet) -> list[Image]:
        """The pictures that this packet completes, in the order of presentation; each keeps its own packet."""
        images: list[Image] = []
        if packet.take != self._take or packet.coding != self._coding:
            images = self.flush()
            self._begin(packet)
        if not self._has_key:
            if not packet.is_key:
                return images
            self._has_key, self._key_s = True, packet.stream_s
        return images + self._decoded(packet)

    def still(self, packet: Packet) -> Image | None:
        """The picture of one key packet alone; what comes next has to begin with a key frame."""
        self.reset()
        images = self.decode(packet) + self.flush()
        return images[0] if images else None

    def glimpse(self, packet: Packet) -> Image | None:
        """As `still`, a quarter cheaper and with the edges of blocks left in: to be compared, not to be shown.

        Nobody builds on a key frame alone, so the filter that the next picture would need can be left out.
        """
        self.reset()
        if packet.take != self._take or packet.coding != self._coding:
            self._begin(packet)
        if self._hasty is None:
            self._hasty = decoding_context(packet.coding, self._max_pixels, skip_loop_filter="all")
        try:
            pictures = self._hasty.decode(_as_sent(packet)) + self._hasty.decode(None)
        except FFmpegError:
            pictures = []
        self._hasty.flush_buffers()
        if not pictures or pictures[0].is_corrupt:
            self._damaged += 1
            return None
        return Image(pictures[0], packet, self._converter)

    def flush(self) -> list[Image]:
        """The pictures that were held back for the sake of order; what comes next has to begin with a key frame."""
        images = self._decoded(None) if self._has_key else []
        self._damaged += self._owed
        self.reset()
        return images

    def reset(self) -> None:
        """Forget what was decoded; what comes next has to begin with a key frame."""
        if self._context is not None and self._has_key:
            self._context.flush_buffers()
        self._has_key = False
        self._owed = 0

    def _begin(self, packet: Packet) -> None:
        if packet.coding != self._coding:
            self._context = decoding_context(packet.coding, self._max_pixels)
            self._hasty = None
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
        # Pictures shown before the first key frame need what came before it: nobody owes them.
        if packet and packet.stream_s >= self._key_s:
            self._owed += 1
        images = list(self._images(pictures, packet))
        if self._owed > _MOST_HELD_BACK:
            self._owed -= 1
            self._damaged += 1
        return images

    def _images(self, pictures: Iterable[VideoFrame], packet: Packet | None) -> Iterable[Image]:
        for picture in pictures:
            self._owed = max(0, self._owed - (2 if picture.interlaced_frame else 1))
            origin = picture.opaque or packet
            if picture.is_corrupt or not isinstance(origin, Packet):
                self._damaged += 1
            else:
                yield Image(picture, origin, self._converter)


def _as_sent(packet: Packet) -> "av.Packet[Stream]":
    sent = packet_of(packet.data)
    sent.pts, sent.dts, sent.time_base = packet.pts, packet.dts, packet.coding.time_base
    sent.opaque = packet
    return sent
