"""Whether a camera's picture can be looked at: frozen, dark, over-exposed, blurred, covered, turned away, clock off.

Each trouble gathers evidence while it shows and loses it while it does not, so that neither a lorry that passes nor a
flash changes anything: it is told when it has shown for `ENTER_S`, and is over when it has not for about `LEAVE_S`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from types import MappingProxyType

import cv2
import numpy as np

from alerts.clocks import is_credible
from alerts.messages import Hindrance
from edge.views import Comparison, Field, Luma, Peak, Reference, Sample, peak_of, sample

ENTER_S: Mapping[Hindrance, float] = MappingProxyType(
    {
        Hindrance.FROZEN: 30.0,
        Hindrance.COVERED: 60.0,
        Hindrance.DARK: 20.0,
        Hindrance.OVEREXPOSED: 20.0,
        Hindrance.TURNED: 60.0,
        Hindrance.BLURRED: 60.0,
        Hindrance.CLOCK_OFF: 60.0,
    }
)
LEAVE_S: Mapping[Hindrance, float] = MappingProxyType(
    {hindrance: 2.0 if hindrance is Hindrance.FROZEN else 15.0 for hindrance in ENTER_S}
)
LONGEST_STEP_S = 10.0
"""Between two looks a trouble gathers at most so much evidence, however far apart they are."""

STILL_LEVELS = 0.02
"""Pictures whose mean difference is smaller are the same picture."""
STILL_FOR_EVER_S = 600.0
"""So long no scene is the same picture, not even one whose encoder repeats itself while nothing moves."""
SAME_BYTES = 0.02
"""An encoder that is fed one picture makes key frames of one size; a sensor's noise makes them differ by more."""

DARK_LEVEL, BRIGHT_LEVEL = 35, 250
BLURRED_BELOW = 0.2
COVERED_ABOVE = 0.45
TURNED_BELOW = 4.5
TURNED_SHARE = 0.3
MOVED_ABOVE = 6.0
STEADY_ABOVE = 6.0
NOISY_LEVELS = 3.0
KEEP_SHARE = 0.8

REFERENCE_S = 120.0
REFERENCE_LOOKS = 12
CLOCK_WINDOW_S = 120.0
CLOCK_SPEED_OFF = 0.05
CAMERA_CLOCK_OFF_S = 60.0


@dataclass(slots=True)
class _Latch:
    """One trouble's evidence in seconds: full at `enter_s`, gone at 0."""

    enter_s: float
    leave_s: float
    gathered_s: float = 0.0
    since_s: float = 0.0
    is_on: bool = False

    def step(self, *, shows: bool | None, at_s: float, passed_s: float) -> None:
        """`None`: it cannot be told now; what was believed stays."""
        if shows is None:
            return
        if shows:
            if self.gathered_s <= 0:
                self.since_s = at_s
            self.gathered_s = min(self.enter_s, self.gathered_s + passed_s)
        else:
            self.gathered_s = max(0.0, self.gathered_s - passed_s * self.enter_s / self.leave_s)
        self.is_on = self.gathered_s >= self.enter_s or (self.is_on and self.gathered_s > 0)


class HealthWatch:
    """One camera's health. Feed it small grey pictures, one to ten seconds apart, whenever one is decoded anyway."""

    def __init__(self, reference: Reference | None = None) -> None:
        """Without a reference it makes one from the first good minutes; then `reference` is to be stored."""
        self._latches = {each: _Latch(ENTER_S[each], LEAVE_S[each]) for each in ENTER_S}
        self._stillness = _Stillness()
        self._clock = _ClockWatch()
        self._last_s: float | None = None
        self._recent: Field | None = None
        self.renew(reference)

    def renew(self, reference: Reference | None = None) -> None:
        """Take this reference, or make a new one from now on."""
        self._comparison = Comparison(reference) if reference else None
        self._maker = _ReferenceMaker()
        for each in (Hindrance.COVERED, Hindrance.TURNED, Hindrance.BLURRED):
            self._latches[each] = _Latch(ENTER_S[each], LEAVE_S[each])

    @property
    def reference(self) -> Reference | None:
        """What the view is compared with; None until it is known."""
        return self._comparison.reference if self._comparison else None

    @property
    def troubles(self) -> Mapping[Hindrance, float]:
        """What the picture suffers from now and since when, in seconds of `at_s`."""
        return {each: latch.since_s for each, latch in self._latches.items() if latch.is_on}

    def look(
        self,
        luma: Luma,
        *,
        at_s: float,
        utc: datetime,
        stream_s: float | None = None,
        key_bytes: int | None = None,
        camera_ahead_s: float | None = None,
    ) -> tuple[Hindrance, ...]:
        """Take in one picture, (height, width) uint8, and say what it suffers from.

        `at_s` is this machine's monotonic clock, `stream_s` the stream's own time of the picture, `key_bytes` the
        size of the packet if it is a key frame, `camera_ahead_s` how far the camera's clock is ahead of the box's,
        where that is known (an RTCP sender report). Always from the same size of picture.
        """
        passed_s = 0.0 if self._last_s is None else min(LONGEST_STEP_S, max(0.0, at_s - self._last_s))
        self._last_s = at_s
        given = sample(luma)
        noise = self._stillness.look(given.small, at_s, key_bytes)
        shows = self._judge(given, noise)
        shows[Hindrance.FROZEN] = self._stillness.is_frozen(at_s)
        shows[Hindrance.CLOCK_OFF] = self._clock.look(at_s, utc, stream_s, camera_ahead_s)
        for each, latch in self._latches.items():
            step_s = latch.enter_s if each is Hindrance.FROZEN else passed_s
            latch.step(shows=shows[each], at_s=at_s, passed_s=step_s)
        if self._latches[Hindrance.FROZEN].is_on:
            self._latches[Hindrance.FROZEN].since_s = self._stillness.since_s
        if self._comparison is None and not any(shows.values()):
            made = self._maker.look(given, noise, at_s, utc)
            self._comparison = Comparison(made) if made else None
        return tuple(self.troubles)

    def _judge(self, given: Sample, noise: float | None) -> dict[Hindrance, bool | None]:
        is_dark = given.share_below(DARK_LEVEL) > 0.95 and given.textured < 0.15  # noqa: PLR2004 - shares, measured
        is_bright = given.share_below(BRIGHT_LEVEL) < 0.5  # noqa: PLR2004 - half of the picture
        shows: dict[Hindrance, bool | None] = {Hindrance.DARK: is_dark, Hindrance.OVEREXPOSED: is_bright}
        shows |= dict.fromkeys((Hindrance.COVERED, Hindrance.TURNED, Hindrance.BLURRED))
        if self._comparison is None or is_dark or is_bright:
            self._recent = None
            return shows
        shows[Hindrance.COVERED] = self._comparison.lost(given) > COVERED_ABOVE
        turned = self._is_turned(given.field)
        if not shows[Hindrance.COVERED]:
            shows[Hindrance.TURNED] = turned
            shows[Hindrance.BLURRED] = None if turned else self._is_blurred(given, noise)
        return shows

    def _is_turned(self, field: Field) -> bool | None:
        """None where the picture is too noisy to agree with itself: then it can agree with no reference."""
        assert self._comparison is not None  # noqa: S101 - asked by `_judge`
        own = self._comparison.reference.own_peak
        if self._recent is None:
            self._recent = field
            return None
        before = self._recent
        self._recent = (KEEP_SHARE * before + (1 - KEEP_SHARE) * field).astype(np.complex64)
        peak = self._comparison.peak(self._recent)
        if not _is_elsewhere(peak, own):
            return False
        return True if peak_of(before, field).near > STEADY_ABOVE else None

    def _is_blurred(self, given: Sample, noise: float | None) -> bool | None:
        """None where the reference was noisy and this picture is not: noise looks like sharpness."""
        assert self._comparison is not None  # noqa: S101 - asked by `_judge`
        reference = self._comparison.reference
        if noise is None or (reference.noise > NOISY_LEVELS and noise < reference.noise / 2):
            return None
        return given.sharpness < BLURRED_BELOW * reference.sharpness


def _is_elsewhere(peak: Peak, own: float) -> bool:
    moved = peak.elsewhere > MOVED_ABOVE and peak.elsewhere > 1.5 * peak.near
    return moved or peak.near < max(TURNED_BELOW, TURNED_SHARE * own)


class _Stillness:
    """Whether the stream repeats one picture: longer than this camera ever did before something moved again."""

    def __init__(self) -> None:
        self._last: Luma | None = None
        self._last_bytes: int | None = None
        self._calmest_s = 0.0
        self._has_lived = False
        self.since_s = 0.0

    def look(self, small: Luma, at_s: float, key_bytes: int | None) -> float | None:
        """The noise: the mean difference to the picture before, where least changed; None for the first."""
        last, self._last = self._last, small
        if last is None:
            self.since_s = at_s
            return None
        difference = cv2.absdiff(small, last)
        other_size = (
            key_bytes is not None
            and self._last_bytes is not None
            and abs(key_bytes - self._last_bytes) > SAME_BYTES * self._last_bytes
        )
        if key_bytes is not None:
            self._last_bytes = key_bytes
        if float(difference.mean()) > STILL_LEVELS or other_size:
            if self._has_lived:
                self._calmest_s = max(self._calmest_s, min(at_s - self.since_s, STILL_FOR_EVER_S / 3))
            self._has_lived = True
            self.since_s = at_s
        cells = cv2.resize(difference.astype(np.float32), (16, 9), interpolation=cv2.INTER_AREA)
        return float(np.quantile(cells, 0.25))

    def is_frozen(self, at_s: float) -> bool:
        """By what was learned of this camera."""
        patience_s = max(ENTER_S[Hindrance.FROZEN], 3 * self._calmest_s) if self._has_lived else STILL_FOR_EVER_S
        return at_s - self.since_s >= patience_s


class _ClockWatch:
    """Whether the times of this camera can be right."""

    def __init__(self) -> None:
        self._anchor: tuple[float, float] | None = None
        self._speed_is_off = False

    def look(self, at_s: float, utc: datetime, stream_s: float | None, camera_ahead_s: float | None) -> bool:
        """The box's clock was never set, the camera's is far from it, or the stream runs at another speed than time."""
        ahead = camera_ahead_s is not None and abs(camera_ahead_s) > CAMERA_CLOCK_OFF_S
        return not is_credible(utc) or ahead or (stream_s is not None and self._runs_off(at_s, stream_s))

    def _runs_off(self, at_s: float, stream_s: float) -> bool:
        if self._anchor is None or stream_s < self._anchor[1]:
            self._anchor = (at_s, stream_s)
        passed_s = at_s - self._anchor[0]
        if passed_s >= CLOCK_WINDOW_S:
            self._speed_is_off = abs((stream_s - self._anchor[1]) / passed_s - 1) > CLOCK_SPEED_OFF
            self._anchor = (at_s, stream_s)
        return self._speed_is_off


class _ReferenceMaker:
    """Gathers a reference from healthy pictures; one whose halves are different views is begun again."""

    def __init__(self) -> None:
        self._samples: list[Sample] = []
        self._noises: list[float] = []
        self._first_s = 0.0
        self._next_s = 0.0

    def look(self, given: Sample, noise: float | None, at_s: float, utc: datetime) -> Reference | None:
        """The reference once it is complete."""
        if not self._samples:
            self._first_s = at_s
        if self._samples and at_s < self._next_s:
            return None
        self._next_s = at_s + REFERENCE_S / REFERENCE_LOOKS / 2
        self._samples.append(given)
        self._noises += [] if noise is None else [noise]
        if len(self._samples) < REFERENCE_LOOKS or at_s - self._first_s < REFERENCE_S:
            return None
        samples, noises, self._samples, self._noises = self._samples, self._noises, [], []
        half = len(samples) // 2
        first, second = (_mean(part) for part in (samples[:half], samples[half:]))
        if peak_of(first, second).near < STEADY_ABOVE:
            return None
        field = _mean(samples)
        return Reference(
            field=field,
            fine=np.mean([each.fine for each in samples], axis=0),
            coarse=np.mean([each.coarse for each in samples], axis=0),
            sharpness=median(each.sharpness for each in samples),
            own_peak=median(peak_of(field, each.field).near for each in samples),
            noise=median(noises),
            made_at=utc,
        )


def _mean(samples: list[Sample]) -> Field:
    result: Field = np.mean([each.field for each in samples], axis=0).astype(np.complex64)
    return result
