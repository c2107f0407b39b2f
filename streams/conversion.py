"""From the decoder's own pixel format to the blue-green-red picture everybody else takes."""

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from streams.frames import Picture


class BgrConverter:
    """Converts frames of one source. Keeps the scaler between frames: making it anew costs as much as using it."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def picture(self, frame: VideoFrame) -> Picture:
        """The frame as (height, width, 3) uint8, upright as its container says (telephones film lying down)."""
        picture = self._reformatter.reformat(frame, format="bgr24").to_ndarray().astype(np.uint8, copy=False)
        quarters = round(frame.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(picture, quarters)) if quarters else picture
