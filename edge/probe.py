"""One camera played for a few seconds, and everything about its stream that can be measured."""

import queue
import re
import time
from dataclasses import dataclass, replace

import av.logging
from av.video.frame import PictureType

from edge.camera_clock import clock_ahead_s
from edge.rhythm import Beat, Rhythm, beat_of, rhythm
from streams.addresses import is_device, is_live, is_web
from streams.decoder import Decoder
from streams.device import offered
from streams.frames import Camera
from streams.images import Image
from streams.packets import Coding, Packet
from streams.player import Player

PATIENCE_S = 20.0
"""So long a camera may take to its first packet: to connect, to refuse, to say nothing."""

LINGER_S = 5.0
"""After the time is over, so much more for packets that are on their way."""

WAITING_PACKETS = 256
"""So many packets may wait to be decoded; on a machine too slow for the stream, the next key frame is waited for."""

_WAIT_S = 0.1
_MISSED = re.compile(r"RTP: missed (\d+) packets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was found; None is not known.

    `coding` is the last there was, `sizes` are width and height of the pictures, one after the other as they changed.
    `lost` counts network packets, where the transport numbers them; `damaged` packets that could not be decoded;
    `undecoded` those that this machine was too slow for. `picture_after_s` is from the start, connecting included.
    `offers` is what a video device could send instead.
    `failure` is why nothing more came, in one line without secrets.
    """

    rhythm: Rhythm
    coding: Coding | None = None
    sizes: tuple[tuple[int, int], ...] = ()
    profile: str = ""
    pixels: str = ""
    has_b_frames: bool | None = None
    damaged: int = 0
    lost: int = 0
    undecoded: int = 0
    picture_after_s: float | None = None
    clock_ahead_s: float | None = None
    offers: str = ""
    failure: str = ""


def measure(camera: Camera, seconds: float) -> Measured:
    """Play so many seconds (of the stream's time for a file) and say what came; nothing about a camera is raised."""
    listener = _Listener(camera, seconds)
    level = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture(local=False) as lines:
            listener.listen()
    finally:
        av.logging.set_level(level)
    lost = sum(int(found[1]) for _, _, line in lines if (found := _MISSED.search(line)))
    return listener.measured(lost)


class _Listener:
    """Takes packets in the player's thread, and decodes them in the caller's."""

    def __init__(self, camera: Camera, seconds: float) -> None:
        self._seconds = seconds
        self._is_live = is_live(camera.url)
        self._beats: list[Beat] = []
        self._waiting: queue.Queue[Packet] = queue.Queue(WAITING_PACKETS)
        self._undecoded = 0
        self._coding: Coding | None = None
        self._sizes: list[tuple[int, int]] = []
        self._decoder = Decoder(camera.max_pixels)
        self._last: Packet | None = None
        self._picture: Image | None = None
        self._picture_after_s: float | None = None
        self._has_b_frames = False
        self._player = Player(camera, on_packet=self._take, on_state=lambda *_: None, persistent=False)
        self._began_s = time.monotonic()

    def listen(self) -> None:
        """Until the time is over, the file at its end, or the camera gone."""
        self._player.start()
        try:
            while packet := self._next():
                self._look(packet)
        finally:
            self._player.stop()
            while not self._player.has_ended:
                self._get()  # the player may be waiting to hand over one more
            self._player.join(PATIENCE_S)
        self._see(self._decoder.flush())

    def measured(self, lost: int) -> Measured:
        """Everything that came."""
        camera = self._player.camera
        # JPEG pictures one behind the other have no times: FFmpeg makes some up, 25 a second.
        is_unstamped = is_web(camera.url) and self._coding is not None and self._coding.codec == "mjpeg"
        return Measured(
            rhythm=rhythm(self._beats, is_live=self._is_live, is_unstamped=is_unstamped),
            coding=replace(self._coding, rate=None) if is_unstamped and self._coding else self._coding,
            sizes=tuple(self._sizes),
            profile=self._decoder.profile,
            pixels=self._picture.content.format.name if self._picture else "",
            has_b_frames=self._has_b_frames if self._picture else None,
            damaged=self._player.damaged + self._decoder.damaged,
            lost=lost,
            undecoded=self._undecoded,
            picture_after_s=self._picture_after_s,
            clock_ahead_s=clock_ahead_s(camera.url) if self._is_live and self._beats else None,
            offers=offered(camera.url) if is_device(camera.url) else "",
            failure=str(self._player.failure or "").removeprefix(f"camera {camera.id}: "),
        )

    def _take(self, packet: Packet) -> None:
        if self._beats and self._is_over(packet):
            self._player.stop()
            return
        self._beats.append(beat_of(packet))
        self._coding = packet.coding
        size = (packet.coding.width, packet.coding.height)
        if self._sizes[-1:] != [size]:
            self._sizes.append(size)
        try:
            self._waiting.put(packet, block=not self._is_live)
        except queue.Full:
            self._undecoded += 1

    def _next(self) -> Packet | None:
        """The next packet; None when there will be none, or none in time."""
        while True:
            ended = self._player.has_ended
            if packet := self._get():
                return packet
            waited_s = time.monotonic() - (self._beats[0].arrived_s if self._beats else self._began_s)
            if ended or (self._is_live and waited_s > (self._seconds + LINGER_S if self._beats else PATIENCE_S)):
                return None

    def _get(self) -> Packet | None:
        try:
            return self._waiting.get(timeout=_WAIT_S)
        except queue.Empty:
            return None

    def _is_over(self, packet: Packet) -> bool:
        if self._is_live:
            return packet.monotonic_s - self._beats[0].arrived_s >= self._seconds
        return packet.stream_s > self._seconds

    def _look(self, packet: Packet) -> None:
        if self._last and packet.index != self._last.index + 1:
            self._decoder.reset()  # what lies between was not decoded: pictures would be built on nothing
        self._last = packet
        self._see(self._decoder.decode(packet))

    def _see(self, images: list[Image]) -> None:
        for image in images:
            if self._picture_after_s is None:
                self._picture_after_s = time.monotonic() - self._began_s
            self._picture = image
            self._has_b_frames |= image.content.pict_type == PictureType.B
