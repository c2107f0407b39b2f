"""Small pictures straight from the decoder's planes: what a network wants, without the large picture being made first.

Scaling and changing colours are both linear, so their order is free: scaled first, one pixel in sixteen is left to
change. Differences to the large picture scaled are those of rounding.
"""

from functools import lru_cache

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
"""(height, width)."""

BRIGHTNESS_FIRST = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray")
"""Formats whose first plane is brightness, one byte a pixel."""

THREE_PLANES = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")
FULL_RANGE = 2
"""FFmpeg's AVCOL_RANGE_JPEG."""

# FFmpeg's AVColorSpace to the weights of red and blue in brightness: BT.709; unspecified and both BT.601; BT.2020.
_WEIGHTS = {1: (0.2126, 0.0722), **dict.fromkeys((0, 2, 5, 6), (0.299, 0.114)), 9: (0.2627, 0.0593)}


def plane_of(content: VideoFrame, number: int) -> Plane:
    """One plane, without its padding and without copying it; one byte a pixel."""
    plane = content.planes[number]
    rows = np.frombuffer(memoryview(plane), np.uint8, plane.line_size * plane.height)
    return rows.reshape(plane.height, plane.line_size)[:, : plane.width]


def shrunk(content: VideoFrame, width_px: int, height_px: int) -> NDArray[np.uint8] | None:
    """The picture (height, width, 3) of blue, green, red; None for formats that take the way over the large one."""
    colours = int(content.colorspace)
    if content.format.name not in THREE_PLANES or colours not in _WEIGHTS:
        return None
    is_full = content.format.name.startswith("yuvj") or int(content.color_range) == FULL_RANGE
    size = (width_px, height_px)
    planes = [cv2.resize(plane_of(content, at), size, interpolation=cv2.INTER_LINEAR) for at in range(3)]
    mixed = cv2.merge(planes)
    return cv2.transform(mixed, _matrix(colours, is_full=is_full), dst=mixed).astype(np.uint8, copy=False)


@lru_cache
def _matrix(colours: int, *, is_full: bool) -> NDArray[np.float32]:
    """(3, 4): brightness, blue and red difference, 1 to blue, green, red; all 0..255.

    Source: ITU-T H.273, table 4 (MatrixCoefficients) and equations for VideoFullRangeFlag.
    """
    red, blue = _WEIGHTS[colours]
    green = 1 - red - blue
    light, dark, colour = (1.0, 0.0, 1.0) if is_full else (255 / 219, 16.0, 255 / 224)
    by_blue, by_red = 2 * (1 - blue) * colour, 2 * (1 - red) * colour
    rows = np.array(
        [
            [light, by_blue, 0.0],
            [light, -by_blue * blue / green, -by_red * red / green],
            [light, 0.0, by_red],
        ]
    )
    return np.column_stack((rows, -rows @ (dark, 128.0, 128.0))).astype(np.float32)
