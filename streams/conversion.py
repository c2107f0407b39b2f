"""From the decoder's own pixel format to the blue-green-red picture everybody else takes."""

import threading

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from streams.frames import Picture


class BgrConverter:
    """Converts frames of one source. Keeps the scaler between frames: making it anew costs as much as using it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._colours = VideoReformatter()
        self._greys = VideoReformatter()

    def picture(self, frame: VideoFrame, quarters: int = 0) -> Picture:
        """The frame as (height, width, 3) uint8, turned to the left by quarters (telephones film lying down)."""
        with self._lock:
            picture = self._colours.reformat(frame, format="bgr24").to_ndarray().astype(np.uint8, copy=False)
        return np.ascontiguousarray(np.rot90(picture, quarters)) if quarters else picture

    def grey(self, frame: VideoFrame) -> VideoFrame:
        """The frame with nothing but brightness, one byte a pixel, for formats that keep it elsewhere."""
        with self._lock:
            return self._greys.reformat(frame, format="gray")
