"""The values `streams` gives away: a camera to open, and a frame that came out of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
"""Shape (height, width, 3), channels blue, green, red."""

MAX_PIXELS = 4096 * 2304
"""Largest picture accepted unless a camera says otherwise: one of 8K costs 50 MB, and a decoder holds several."""

SILENCE_S = 5.0
"""How long a live source may send no packet before it counts as gone, unless a camera says otherwise."""


class Pace(StrEnum):
    """How files are played; a live stream has its own pace and ignores this."""

    REALTIME = "realtime"
    FAST = "fast"
    LOOP = "loop"


class Transport(StrEnum):
    """What carries the pictures of an RTSP camera."""

    TCP = "tcp"
    UDP = "udp"


class Encoding(StrEnum):
    """How a USB camera sends its pictures, the most welcome first."""

    H264 = "h264"
    MJPEG = "mjpeg"
    RAW = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of a USB camera, which can do several things; what is left out is chosen.

    `size_px` is width and height and has to be one that the camera offers; of its rates the nearest is taken.
    """

    encoding: Encoding | None = None
    size_px: tuple[int, int] | None = None
    rate_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Where pictures come from.

    `url` is a path of a file, of a folder of files (played in the order of their names) or of a video device
    (`/dev/video0`, or its lasting name under `/dev/v4l`), or an address with `rtsp`, `rtsps`, `http`, `https` or
    `v4l2` in front. Or `url` is empty and `pipeline` is a GStreamer pipeline whose last element gives encoded or raw
    video; such text comes only from this box's own configuration, for it can read and write whatever the box can.

    `realtime` plays files to their own clock; `fast` as quickly as packets are taken; `loop` is `realtime` without an
    end, stream time growing across repetitions. `transport` is for RTSP. `silence_s` is how long a live source may send
    nothing before it is connected again; a camera of one picture in ten seconds needs more than ten. Pictures of more
    than `max_pixels` are refused. `wish` is for video devices, `certificate` for `rtsps`: the path of a PEM file with
    the camera's certificate or that of who signed it, by which the camera has to prove itself; without it every
    certificate is taken, since cameras sign their own. Address and pipeline may carry a password, so they stay out of
    `repr`; show `addresses.redacted(url)` instead.
    """

    id: str
    url: str = field(default="", repr=False)
    pace: Pace = Pace.REALTIME
    pipeline: str = field(default="", repr=False)
    transport: Transport = Transport.TCP
    silence_s: float = SILENCE_S
    max_pixels: int = MAX_PIXELS
    certificate: str = ""
    wish: Wish = Wish()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One decoded picture and when it was taken.

    `index` is the number of its packet, counted by camera from 0. `stream_s` is the stream's own time in seconds since
    its first picture and never runs backwards. `monotonic_s` is this machine's monotonic clock when the packet arrived;
    `utc` the wall clock at that moment. `take` counts the camera's connections; `codec` is FFmpeg's name of what was
    sent and `decoder` what made the picture of it, empty where that is not known; `encoder` what made packets of a
    camera's raw pictures, empty where the camera did.
    """

    picture: Picture
    camera: str
    index: int
    stream_s: float
    monotonic_s: float
    utc: datetime
    take: int = 0
    codec: str = ""
    decoder: str = ""
    encoder: str = ""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.picture.shape[:2]
        return width, height

    def shrunk(self, width_px: int, height_px: int) -> Picture:
        """The picture in another size, between pixels by the nearest four."""
        scaled = cv2.resize(self.picture, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
        return scaled.astype(np.uint8, copy=False)
