"""The values `streams` gives away: a camera to open, and a frame that came out of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
"""Shape (height, width, 3), channels blue, green, red."""


class Pace(StrEnum):
    """How a file is played; a live stream has its own pace and ignores this."""

    REALTIME = "realtime"
    FAST = "fast"
    LOOP = "loop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Where pictures come from.

    `url` is a path of a file or an `rtsp://` address. `realtime` plays a file to its own clock and drops what nobody
    fetched in time; `fast` delivers every frame as quickly as it is consumed; `loop` is `realtime` without an end,
    its stream time growing across repetitions. The address may carry a password, so it stays out of `repr`; show
    `addresses.redacted(url)` instead.
    """

    id: str
    url: str = field(repr=False)
    pace: Pace = Pace.REALTIME


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One decoded picture and when it was taken.

    `index` counts decoded frames of this source from 0, dropped ones included. `stream_s` is the stream's own time in
    seconds since its first frame and never runs backwards. `monotonic_s` is this machine's monotonic clock when the
    frame was decoded; `utc` the wall clock at that moment.
    """

    picture: Picture
    camera: str
    index: int
    stream_s: float
    monotonic_s: float
    utc: datetime
