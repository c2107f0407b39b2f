"""A decoded picture still in the decoder's own pixel format, and the two things anybody makes of it."""

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from streams.conversion import BgrConverter
from streams.ffmpeg import decoder_name
from streams.frames import Frame, Picture
from streams.packets import Packet
from streams.shrinking import BRIGHTNESS_FIRST, plane_of, shrunk


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
        """The picture, upright, with the packet's stamps."""
        return DecodedFrame(self)

    def _brightness(self) -> NDArray[np.uint8]:
        content = self.content
        if content.format.name not in BRIGHTNESS_FIRST:
            content = self.converter.grey(content)
        return plane_of(content, 0)


class DecodedFrame(Frame):
    """A frame whose blue-green-red picture is made when somebody asks for it: most are only looked at small."""

    def __init__(self, image: Image) -> None:
        """Not as a dataclass is made, for one field is not there yet."""
        packet = image.packet
        self.__dict__["_image"] = image
        for name in ("camera", "index", "stream_s", "monotonic_s", "utc", "take"):
            object.__setattr__(self, name, getattr(packet, name))
        object.__setattr__(self, "codec", packet.coding.codec)
        object.__setattr__(self, "encoder", packet.coding.encoder)
        object.__setattr__(self, "decoder", decoder_name(packet.coding.codec))

    @cached_property
    def picture(self) -> Picture:
        """The whole picture, upright."""
        image: Image = self.__dict__["_image"]
        return image.converter.picture(image.content, image.quarters)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height, upright."""
        image: Image = self.__dict__["_image"]
        width, height = image.content.width, image.content.height
        return (height, width) if image.quarters % 2 else (width, height)

    def shrunk(self, width_px: int, height_px: int) -> Picture:
        """As every frame does, without the whole picture where the decoder's format allows it."""
        image: Image = self.__dict__["_image"]
        size = (height_px, width_px) if image.quarters % 2 else (width_px, height_px)
        small = None if "picture" in self.__dict__ else shrunk(image.content, *size)
        if small is None:
            return super().shrunk(width_px, height_px)
        return np.ascontiguousarray(np.rot90(small, image.quarters)) if image.quarters else small


def _shrunk(plane: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scaled down without leaving pixels out: halved while possible, since means of four are quick, then fitted."""
    shrunk: cv2.typing.MatLike = plane
    while shrunk.shape[1] >= 2 * width and shrunk.shape[0] >= 2 * height:
        half = (shrunk.shape[1] // 2, shrunk.shape[0] // 2)
        shrunk = cv2.resize(shrunk[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
