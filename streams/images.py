"""A decoded picture still in the decoder's own pixel format, and the two things anybody makes of it."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from streams.conversion import BgrConverter
from streams.frames import Frame
from streams.packets import Packet

# Formats whose first plane is brightness, one byte a pixel.
_PLANAR = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray")


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """What became of `packet`. Nothing is converted before somebody asks."""

    content: VideoFrame
    packet: Packet
    converter: BgrConverter = field(default_factory=BgrConverter, repr=False)

    @property
    def quarters(self) -> int:
        """Quarter turns to the left that make it upright: as the container says, else as the picture itself says."""
        return self.packet.coding.quarters or round(self.content.rotation / 90) % 4

    def luma(self, width: int, height: int) -> NDArray[np.uint8]:
        """Brightness alone, upright, scaled to (height, width)."""
        quarters = self.quarters
        size = (height, width) if quarters % 2 else (width, height)
        small = _shrunk(self._brightness(), *size)
        return np.ascontiguousarray(np.rot90(small, quarters)) if quarters else small

    def frame(self) -> Frame:
        """The blue-green-red picture, upright, with the packet's stamps."""
        return Frame(
            picture=self.converter.picture(self.content, self.quarters),
            camera=self.packet.camera,
            index=self.packet.index,
            stream_s=self.packet.stream_s,
            monotonic_s=self.packet.monotonic_s,
            utc=self.packet.utc,
        )

    def _brightness(self) -> NDArray[np.uint8]:
        content = self.content
        if content.format.name not in _PLANAR:
            content = self.converter.grey(content)
        plane = content.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8, plane.line_size * plane.height).reshape(
            plane.height, plane.line_size
        )
        brightness: NDArray[np.uint8] = rows[:, : plane.width]
        return brightness


def _shrunk(plane: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scaled down without leaving pixels out: halved while possible, since means of four are quick, then fitted."""
    shrunk: cv2.typing.MatLike = plane
    while shrunk.shape[1] >= 2 * width and shrunk.shape[0] >= 2 * height:
        half = (shrunk.shape[1] // 2, shrunk.shape[0] // 2)
        shrunk = cv2.resize(shrunk[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
