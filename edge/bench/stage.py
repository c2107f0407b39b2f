"""The still parts of real footage as an endless quiet scene: what moved is taken out, the small unrest stays in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""A picture in I420: (height * 3 / 2, width), luma above, both chroma planes below."""

Crop = tuple[float, float, float, float]
"""Left, top, right and bottom as shares of the clip's picture."""

WHOLE: Crop = (0.0, 0.0, 1.0, 1.0)

MOMENTS = 40
_SAMPLES = 48
_SMALL = (160, 90)
_CALM_LEVELS = 0.35
_STRANGE_LEVELS = 14
"""A pixel further than this from the still picture shows something that moves."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """`still` is the scene with nothing in it, `moments` (n, height * 3 / 2, width) successive real pictures of it."""

    still: Picture
    moments: NDArray[np.uint8]
    rate: float

    def at(self, time_s: float) -> Picture:
        """The quiet picture at a time: the moments forwards and backwards without end, blended to any rate.

        Their differences from the still picture are blended at equal power, for the mean of two pictures is less
        restless than either, and a film would breathe in the rhythm of the clip's own rate.
        """
        last = len(self.moments) - 1
        if last == 0:
            return np.array(self.moments[0], np.uint8)
        place = (time_s * self.rate) % (2 * last)
        place = min(place, 2 * last - place)
        before = min(int(place), last - 1)
        share = place - before
        one, other = (1 - share) ** 0.5, share**0.5
        restless = cv2.addWeighted(self.moments[before], one, self.moments[before + 1], other, 0, dtype=cv2.CV_16S)
        steady = cv2.addWeighted(self.still, 1 - one - other, restless, 1, 0, dtype=cv2.CV_8U)
        return np.asarray(steady, np.uint8)


@dataclass(frozen=True, slots=True)
class Calm:
    """The calmest stretch of a clip, the pictures its still one is made from (both as numbers), and the clip's rate."""

    stretch: frozenset[int]
    samples: frozenset[int]
    rate: float


def find_calm(clip: Path) -> Calm:
    """Where in a clip the least moves.

    Where that is truly calm the stretch's own median is the still picture; else (a busy street) the whole clip's.
    """
    activity, rate = _activity(clip)
    length = min(MOMENTS, len(activity))
    means = np.convolve(activity, np.full(length, 1 / length), "valid")
    first = int(np.argmin(means))
    stretch = frozenset(range(first, first + length))
    spread = np.linspace(0, len(activity) - 1, min(_SAMPLES, len(activity))).astype(int)
    return Calm(stretch, stretch if means[first] <= _CALM_LEVELS else frozenset(spread.tolist()), rate)


def open_stage(clip: Path, size_px: tuple[int, int], crop: Crop = WHOLE) -> Stage:
    """Take the calmest stretch of a clip, and out of it what is not still."""
    calm = find_calm(clip)
    pictures = {
        number: _fitted(content, crop, size_px)
        for number, content in enumerate(pictures_of(clip))
        if number in calm.stretch | calm.samples
    }
    still = median([pictures[number] for number in sorted(calm.samples)])
    height = size_px[1]
    moments = np.stack([_stilled(pictures[number], still, height) for number in sorted(calm.stretch)])
    return Stage(still, moments, calm.rate)


def pictures_of(clip: Path) -> Iterator[Picture]:
    """Every picture of a clip, in BGR."""
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def median(pictures: Sequence[Picture]) -> Picture:
    """The middle value of every sample over some pictures."""
    middle = len(pictures) // 2
    return np.asarray(np.partition(np.stack(pictures), middle, axis=0)[middle], np.uint8)


def _activity(clip: Path) -> tuple[NDArray[np.float64], float]:
    """Mean change of luma from each picture to the one before, and the clip's pictures per second."""
    changes, before = [], None
    with av.open(str(clip)) as container:
        rate = container.streams.video[0].average_rate
        for frame in container.decode(video=0):
            small = frame.reformat(*_SMALL, format="gray").to_ndarray().astype(np.int16)
            changes.append(0.0 if before is None else float(np.abs(small - before).mean()))
            before = small
    if not changes:
        raise ValueError(f"{clip}: no pictures")
    changes[0] = changes[min(1, len(changes) - 1)]
    return np.asarray(changes), float(rate or 25)


def _fitted(content: Picture, crop: Crop, size_px: tuple[int, int]) -> Picture:
    rows, columns = content.shape[:2]
    left, top, right, bottom = crop
    part = content[int(top * rows) : int(bottom * rows), int(left * columns) : int(right * columns)]
    resized = cv2.resize(part, size_px, interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.cvtColor(resized, cv2.COLOR_BGR2YUV_I420), np.uint8)


def _stilled(picture: Picture, still: Picture, height: int) -> Picture:
    """The picture, with the still one wherever something strange stands, and a soft seam around."""
    far = cv2.absdiff(picture[:height], still[:height])
    strange = cv2.dilate((cv2.blur(far, (9, 9)) > _STRANGE_LEVELS / 2).astype(np.uint8), np.ones((25, 25), np.uint8))
    seam = cv2.blur(strange * 255, (15, 15)).astype(np.float32) / 255
    chroma = cv2.resize(seam, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).reshape(-1, seam.shape[1])
    share = np.vstack([seam, chroma, chroma])
    return np.asarray(picture + (still.astype(np.float32) - picture) * share, np.uint8)
