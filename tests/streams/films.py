"""Footage made on the spot, whose every picture tells its own number."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


class FilmMaker:
    """Writes lossless films of 64x48 pictures into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        times_s: Sequence[float],
        name: str = "film.mkv",
        rotation: int = 0,
        codec: str = "ffv1",
        options: Mapping[str, str] | None = None,
    ) -> Path:
        """Picture k is of luma 16 + 8k, its upper rows black, and is shown at `times_s[k]`."""
        path = self.folder / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=10)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            stream.options = dict(options or {})
            if rotation:
                stream.set_display_rotation(rotation)
            for number, time_s in enumerate(times_s):
                frame = _picture(number)
                frame.pts, frame.time_base = round(time_s * 1000), Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path


def brightness(number: int) -> int:
    """How bright picture `number` comes out: its luma in the 219 steps of ITU-R BT.601, stretched to 255."""
    return round(8 * number * 255 / 219)


def _picture(number: int) -> av.VideoFrame:
    frame = av.VideoFrame(64, 48, "yuv420p")
    luma, *chroma = frame.planes
    rows = np.full((48, luma.line_size), 16 + 8 * number, np.uint8)
    rows[:8] = 16
    luma.update(rows.tobytes())
    for plane in chroma:
        plane.update(bytes([128]) * plane.buffer_size)
    return frame
