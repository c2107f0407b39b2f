"""Whether a camera's picture can be looked at: frozen, dark, over-exposed, blurred, covered, turned away, clock off.

Each trouble gathers evidence while it shows and loses it while it does not, so that neither a lorry that passes nor a
flash changes anything: it is told when it has shown for `ENTER_S`, and is over when it has not for about `LEAVE_S`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import numpy as np

from alerts.clocks import is_credible
from alerts.messages import Hindrance
from edge.references import ReferenceMaker
from edge.stillness import FROZEN_AFTER_S, Stillness
from edge.views import STEADY_ABOVE, Comparison, Field, Luma, Peak, Reference, Sample, peak_of, sample, shrink, textured

ENTER_S: Mapping[Hindrance, float] = MappingProxyType(
    {
        Hindrance.FROZEN: FROZEN_AFTER_S,
        Hindrance.COVERED: 60.0,
        Hindrance.DARK: 20.0,
        Hindrance.OVEREXPOSED: 20.0,
        Hindrance.TURNED: 60.0,
        Hindrance.BLURRED: 60.0,
        Hindrance.CLOCK_OFF: 60.0,
    }
)
LEAVE_S = 15.0
LONGEST_STEP_S = 10.0
"""Between two looks a trouble gathers at most so much evidence, however far apart they are."""

VIEW_EVERY_S = 5.0
"""The view is compared no oftener: that is the dear part, and nothing about it is sudden."""

DARK_LEVEL, BRIGHT_LEVEL = 35, 250
BLURRED_BELOW = 0.25
COVERED_ABOVE = 0.45
TURNED_RATHER = 0.7
TURNED_BELOW = 4.5
TURNED_SHARE = 0.3
MOVED_ABOVE = 6.0
NOISY_LEVELS = 3.0
KEEP_SHARE = 0.7

CLOCK_WINDOW_S = 120.0
CLOCK_SPEED_OFF = 0.05
CAMERA_CLOCK_OFF_S = 60.0
ZONE_STEP_S, FARTHEST_ZONE_S = 900.0, 14 * 3600.0
"""Many cameras give the time of their zone for UTC: such a difference says nothing."""


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
        self.camera_ahead_s: float | None = None
        """How far the camera's clock is ahead of the box's, where it was asked; whoever asks it writes it here."""
        self._latches = {each: _Latch(ENTER_S[each], LEAVE_S) for each in ENTER_S}
        self._stillness = Stillness()
        self._clock = _ClockWatch()
        self._last_s: float | None = None
        self._view_s: float | None = None
        self._recent: Field | None = None
        self.renew(reference)

    def renew(self, reference: Reference | None = None) -> None:
        """Take this reference, or make a new one from now on."""
        self._comparison = Comparison(reference) if reference else None
        self._maker = ReferenceMaker()
        for each in (Hindrance.COVERED, Hindrance.TURNED, Hindrance.BLURRED):
            self._latches[each] = _Latch(ENTER_S[each], LEAVE_S)

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
        is_key: bool = False,
    ) -> tuple[Hindrance, ...]:
        """Take in one picture, (height, width) uint8, and say what it suffers from.

        `at_s` is this machine's monotonic clock, `stream_s` the stream's own time of the picture, `is_key` whether
        it is of a key frame. Always from the same size of picture.
        """
        small = shrink(luma)
        self._stillness.look(small, at_s, is_key=is_key)
        shows = self._brightness(small)
        shows[Hindrance.CLOCK_OFF] = self._clock.look(at_s, utc, stream_s, self.camera_ahead_s)
        self._step(shows, at_s, self._last_s)
        self._last_s = at_s
        self._step_stillness(at_s)
        if self._view_s is None or at_s - self._view_s >= VIEW_EVERY_S:
            if shows[Hindrance.DARK] or shows[Hindrance.OVEREXPOSED]:
                self._recent = None
            else:
                self._look_at_view(sample(luma, small), self._stillness.noise, at_s=at_s, utc=utc)
        return tuple(self.troubles)

    def _step(self, shows: Mapping[Hindrance, bool | None], at_s: float, last_s: float | None) -> None:
        passed_s = 0.0 if last_s is None else min(LONGEST_STEP_S, max(0.0, at_s - last_s))
        for each, it_shows in shows.items():
            self._latches[each].step(shows=it_shows, at_s=at_s, passed_s=passed_s)

    def _step_stillness(self, at_s: float) -> None:
        latch = self._latches[Hindrance.FROZEN]
        latch.is_on = self._stillness.is_frozen(at_s)
        latch.since_s = self._stillness.since_s(at_s)

    def _brightness(self, small: Luma) -> dict[Hindrance, bool | None]:
        counts = np.bincount(small.ravel(), minlength=256)
        is_dim = counts[:DARK_LEVEL].sum() > 0.95 * small.size
        is_bright = counts[BRIGHT_LEVEL:].sum() > 0.5 * small.size
        is_dark = bool(is_dim) and textured(small) < 0.15  # noqa: PLR2004 - infra-red light leaves more
        return {Hindrance.DARK: is_dark, Hindrance.OVEREXPOSED: bool(is_bright)}

    def _look_at_view(self, given: Sample, noise: float | None, *, at_s: float, utc: datetime) -> None:
        last_s, self._view_s = self._view_s, at_s
        comparison = self._comparison  # `renew` may take it away meanwhile, in another thread
        if comparison is None:
            made = None if self.troubles else self._maker.look(given, noise, at_s, utc)
            self._comparison = Comparison(made) if made else None
            return
        shows: dict[Hindrance, bool | None] = dict.fromkeys((Hindrance.COVERED, Hindrance.TURNED, Hindrance.BLURRED))
        turned = self._is_turned(comparison, given.field)
        lost = comparison.lost(given)
        if lost > COVERED_ABOVE and not (turned and lost < TURNED_RATHER):
            shows[Hindrance.COVERED] = True
        elif turned:
            shows[Hindrance.TURNED] = True
        else:
            shows |= {Hindrance.COVERED: False, Hindrance.TURNED: turned}
            shows[Hindrance.BLURRED] = _is_blurred(comparison.reference, given, noise)
        self._step(shows, at_s, last_s)

    def _is_turned(self, comparison: Comparison, field: Field) -> bool | None:
        """None where the picture is too noisy to agree with itself: then it can agree with no reference."""
        if self._recent is None:
            self._recent = field
            return None
        before = self._recent
        self._recent = (KEEP_SHARE * before + (1 - KEEP_SHARE) * field).astype(np.complex64)
        peak = comparison.peak(self._recent)
        if not _is_elsewhere(peak, comparison.reference.own_peak):
            return False
        return True if peak_of(before, field).near > STEADY_ABOVE else None


def _is_blurred(reference: Reference, given: Sample, noise: float | None) -> bool | None:
    """None where the reference was noisy and this picture is not: noise looks like sharpness."""
    if noise is None or (reference.noise > NOISY_LEVELS and noise < reference.noise / 2):
        return None
    return given.sharpness < BLURRED_BELOW * reference.sharpness


def is_clock_off(ahead_s: float | None) -> bool:
    """Whether a camera's clock so far ahead of the box's is wrong, whatever time zone it may mean; None: unknown."""
    if ahead_s is None:
        return False
    zone_s = round(ahead_s / ZONE_STEP_S) * ZONE_STEP_S
    return abs(ahead_s - (zone_s if abs(zone_s) <= FARTHEST_ZONE_S else 0.0)) > CAMERA_CLOCK_OFF_S


def _is_elsewhere(peak: Peak, own: float) -> bool:
    moved = peak.elsewhere > MOVED_ABOVE and peak.elsewhere > 1.5 * peak.near
    return moved or peak.near < max(TURNED_BELOW, TURNED_SHARE * own)


class _ClockWatch:
    """Whether the times of this camera can be right."""

    def __init__(self) -> None:
        self._anchor: tuple[float, float] | None = None
        self._speed_is_off = False

    def look(self, at_s: float, utc: datetime, stream_s: float | None, camera_ahead_s: float | None) -> bool:
        """The box's clock was never set, the camera's is far from it, or the stream runs at another speed than time."""
        runs_off = stream_s is not None and self._runs_off(at_s, stream_s)
        return runs_off or not is_credible(utc) or is_clock_off(camera_ahead_s)

    def _runs_off(self, at_s: float, stream_s: float) -> bool:
        if self._anchor is None or stream_s < self._anchor[1]:
            self._anchor = (at_s, stream_s)
        passed_s = at_s - self._anchor[0]
        if passed_s >= CLOCK_WINDOW_S:
            self._speed_is_off = abs((stream_s - self._anchor[1]) / passed_s - 1) > CLOCK_SPEED_OFF
            self._anchor = (at_s, stream_s)
        return self._speed_is_off
