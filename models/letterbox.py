"""Fitting a picture of any shape into a network's square input, and bringing boxes back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in the square: scaled by `scale`, moved by `left_px` and `top_px` of the input."""

    scale: float
    left_px: int
    top_px: int
    width_px: int
    height_px: int

    def to_input(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes (N, 4) of the original picture, in pixels of the input."""
        return boxes * np.float32(self.scale) + self._offset()

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


def letterbox(
    picture: NDArray[np.uint8], input_px: int, pad: int, *, centred: bool
) -> tuple[NDArray[np.uint8], Placement]:
    """The picture (H, W, 3) inside a square (input_px, input_px, 3) filled with the grey `pad`, and where it lies."""
    height_px, width_px = picture.shape[:2]
    placement = place(width_px, height_px, input_px, centred=centred)
    square = np.full((input_px, input_px, 3), pad, np.uint8)
    rows = slice(placement.top_px, placement.top_px + placement.height_px)
    columns = slice(placement.left_px, placement.left_px + placement.width_px)
    size = (placement.width_px, placement.height_px)
    square[rows, columns] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    return square, placement
