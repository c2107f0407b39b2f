"""Whether a stream repeats one picture while it runs: the camera, its encoder or something on the way is stuck.

Two kinds. The same picture again and again, exactly: no sensor does that for long, though an encoder may while nothing
moves, so a camera gets three times the longest rest it was ever seen to end. And one picture encoded anew: then only
key frames can be compared, for between them an encoder skips what does not move. Measured with H.264 on four scenes at
160 x 90, the mean difference of two key frames in grey levels: a scene at rest under a sensor's noise 0.46 and more; a
stuck picture 0 with constant quality, mostly under 0.15 with a rate control that settles. One that does not
settle hides a stuck picture (0.2 to 0.6).
"""

from collections import deque
from statistics import median

import cv2
import numpy as np

from edge.views import Luma

FROZEN_AFTER_S = 30.0
STILL_FOR_EVER_S = 600.0
"""So long no scene is the same picture."""
STILL_LEVELS = 0.02
"""Pictures whose mean difference, in grey levels, is smaller are the same picture."""

STUCK_LEVELS = 0.15
"""Key frames that differ by less, most of the time, are of one picture."""
LIVELY_LEVELS = 0.4
"""... if the calmest key frames of this camera used to differ by more; a camera with less noise is given the time."""
STUCK_LOOKS = 10
KEPT_LOOKS = 200
LIVELY_EVERY_S = 30.0
KNOWN_LOOKS = 10


class Stillness:
    """Takes in pictures at 160 x 90; `noise` and `is_frozen` say what follows."""

    def __init__(self) -> None:
        self._last: Luma | None = None
        self._before: Luma | None = None
        self._calmest_s = 0.0
        self._has_lived = False
        self._keys = _KeyFrames()
        self._still_s = 0.0

    def look(self, small: Luma, at_s: float, *, is_key: bool) -> None:
        """Take in the next picture."""
        if is_key:
            self._keys.look(small, at_s)
        self._before, self._last = self._last, small
        if self._before is None:
            self._still_s = at_s
        elif _difference(small, self._before) > STILL_LEVELS:
            if self._has_lived:
                self._calmest_s = max(self._calmest_s, min(at_s - self._still_s, STILL_FOR_EVER_S / 3))
            self._has_lived = True
            self._still_s = at_s

    def is_frozen(self, at_s: float) -> bool:
        """By what was learned of this camera."""
        patience_s = max(FROZEN_AFTER_S, 3 * self._calmest_s) if self._has_lived else STILL_FOR_EVER_S
        return at_s - self._still_s >= patience_s or self._keys.are_stuck(at_s)

    def since_s(self, at_s: float) -> float:
        """Since when, if it is frozen."""
        return min(self._still_s, self._keys.since_s) if self._keys.are_stuck(at_s) else self._still_s

    @property
    def noise(self) -> float | None:
        """The mean difference between the last two pictures, in grey levels, where least changed; None before that."""
        if self._last is None or self._before is None:
            return None
        difference = cv2.absdiff(self._last, self._before).astype(np.float32)
        return float(np.quantile(cv2.resize(difference, (16, 9), interpolation=cv2.INTER_AREA), 0.25))


class _KeyFrames:
    """Key frames of one picture that is encoded anew: far more alike than this camera's ever were."""

    def __init__(self) -> None:
        self._last: Luma | None = None
        self._recent: deque[tuple[float, float]] = deque(maxlen=STUCK_LOOKS)
        self._usual: deque[float] = deque(maxlen=KEPT_LOOKS)
        self._note_s = 0.0

    def look(self, small: Luma, at_s: float) -> None:
        """Take in the next key frame."""
        if self._last is not None:
            levels = _difference(small, self._last)
            self._recent.append((at_s, levels))
            if at_s >= self._note_s and levels > STUCK_LEVELS:
                self._usual.append(levels)
                self._note_s = at_s + LIVELY_EVERY_S
        self._last = small

    @property
    def since_s(self) -> float:
        """When the first of the recent ones came."""
        return self._recent[0][0] if self._recent else 0.0

    def are_stuck(self, at_s: float) -> bool:
        """Whether most of them are one picture, and were not used to be."""
        if len(self._recent) < STUCK_LOOKS or len(self._usual) < KNOWN_LOOKS or at_s - self.since_s < FROZEN_AFTER_S:
            return False
        alike = median(levels for _, levels in self._recent) < STUCK_LEVELS
        return alike and float(np.quantile(self._usual, 0.1)) > LIVELY_LEVELS


def _difference(one: Luma, other: Luma) -> float:
    """The mean difference in grey levels."""
    return cv2.norm(one, other, cv2.NORM_L1) / one.size
