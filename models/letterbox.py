"""Fitting a picture of any shape into a network's square input, and bringing boxes back."""

from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
"""(height, width, 3) of blue, green, red."""


class Shrinkable(Protocol):
    """A picture that knows a shorter way to a small one than over its whole."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        ...

    def shrunk(self, width_px: int, height_px: int) -> Pixels:
        """It in that size."""
        ...


def size_of(picture: Pixels | Shrinkable) -> tuple[int, int]:
    """Width and height in pixels."""
    if isinstance(picture, np.ndarray):
        return picture.shape[1], picture.shape[0]
    return picture.size_px


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in the square: scaled by `scale`, moved by `left_px` and `top_px` of the input."""

    scale: float
    left_px: int
    top_px: int
    width_px: int
    height_px: int

    def to_picture(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes (N, 4) of the input, in pixels of the original picture; not clipped to it."""
        return (boxes - self._offset()) / np.float32(self.scale)

    def _offset(self) -> NDArray[np.float32]:
        return np.array([self.left_px, self.top_px, self.left_px, self.top_px], np.float32)


def place(width_px: int, height_px: int, input_px: int, *, centred: bool) -> Placement:
    """How a picture of this size lies in a square of `input_px`: as large as fits, centred or at the upper left."""
    scale = min(input_px / width_px, input_px / height_px)
    width, height = max(1, round(width_px * scale)), max(1, round(height_px * scale))
    left, top = ((input_px - width) // 2, (input_px - height) // 2) if centred else (0, 0)
    return Placement(scale, left, top, width, height)


class Canvas:
    """The square input of a network, kept from picture to picture: only what a new picture changes is written.

    Belongs to one thread.
    """

    def __init__(
        self, input_px: int, *, channels: Literal["rgb", "bgr"], scale: float, pad: int, centred: bool
    ) -> None:
        """Values are multiplied by `scale`; the grey around a picture is `pad`, 0..255 before that."""
        self.tensor: Floats = np.empty((1, 3, input_px, input_px), np.float32)
        """(1, 3, input_px, input_px), as `fit` left it."""
        self._input_px = input_px
        self._is_reversed = channels == "rgb"
        self._scale = np.float32(scale)
        self._pad = np.uint8(pad)
        self._centred = centred
        self._prepare(input_px, input_px)

    def fit(self, picture: Pixels | Shrinkable) -> Placement:
        """Write the picture into the tensor; where it lies."""
        size_px = size_of(picture)
        if size_px != self._fits_px:
            self._prepare(*size_px)
        if isinstance(picture, np.ndarray):
            small = cv2.resize(picture, self._size_px, dst=self._small, interpolation=cv2.INTER_LINEAR)
        else:
            small = picture.shrunk(*self._size_px)
        cv2.split(small, self._planes[::-1] if self._is_reversed else self._planes)
        # In two steps, each of one type: three times as quick as in one.
        self._inside[...] = self._stack
        np.multiply(self._inside, self._scale, out=self._inside)
        return self._placement

    def _prepare(self, width_px: int, height_px: int) -> None:
        """Make ready for pictures of another size: new grey, new buffers."""
        placement = place(width_px, height_px, self._input_px, centred=self._centred)
        self._fits_px = (width_px, height_px)
        self._placement = placement
        self._size_px = (placement.width_px, placement.height_px)
        self._small = np.empty((placement.height_px, placement.width_px, 3), np.uint8)
        self._stack = np.empty((3, placement.height_px, placement.width_px), np.uint8)
        self._planes = list(self._stack)
        rows = slice(placement.top_px, placement.top_px + placement.height_px)
        columns = slice(placement.left_px, placement.left_px + placement.width_px)
        self.tensor[...] = self._pad * self._scale
        self._inside = self.tensor[0, :, rows, columns]
