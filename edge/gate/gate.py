"""Three depths of attention, found by measurement, for each camera.

Asleep, packets are only counted; each key frame is decoded alone and compared with those before it. A rise in the sizes
makes the camera alert, a key frame that shows motion makes it awake.
Alert, everything is decoded and small grey pictures are compared. It wakes when something moves, and falls asleep when
nothing did for `calm_s` and the sizes can be trusted.
Awake, the detector looks at the camera's rate, until nothing moved for `calm_s`, or until what moves has not been
anything that matters for `fruitless_s`: the scene then gets used to it, and motion alone wakes it no more for a while.

Whoever drives the gate decodes the past as well on waking, from the last key frame before it began, and has the
detector look now and then whatever the depth: every `check_every_s`, every `recheck_s` while a rule has something
undecided, and on a slow clock while an incident is open.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from edge.boxes import Box
from edge.gate.scene import STILL, Luma, Motion, Scene
from edge.gate.sizes import SizeWatch
from edge.gate.unrest import Unrest

PENDING_TIMES = 3
"""While a rule has something pending, motion is given so much longer to turn out to be something."""

NOTICED_S = 2.0
"""Sizes noticed something if they were alarmed at most so long before the pictures showed it."""


class Depth(StrEnum):
    """How closely a camera is watched."""

    ASLEEP = "asleep"
    ALERT = "alert"
    AWAKE = "awake"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """How easily a camera falls asleep. `is_off`: it never does (`gate: always`)."""

    is_off: bool = False
    check_every_s: float = 60.0
    recheck_s: float = 2.0
    calm_s: float = 2.0
    fruitless_s: float = 20.0


class Gate:
    """One camera's gate. Pictures and looks come from one thread; packets may come from another."""

    def __init__(self, settings: GateSettings) -> None:
        self.settings = settings
        self.depth = Depth.AWAKE if settings.is_off else Depth.ALERT
        self.sizes = SizeWatch()
        self.motion: Motion = STILL
        self.wakes: dict[str, int] = {}
        self._scene = Scene()
        self._unrest = Unrest(settings.fruitless_s)
        self._alarmed_s = float("-inf")
        self._calm_since_s: float | None = None
        self._fruitful_s = 0.0
        self._woken_s = 0.0
        self._is_proven = False
        self._roused_s: float | None = None
        self._present_s = float("-inf")

    def begin(self) -> None:
        """A new run of packets: what is usual has to be found out again. For the packets' thread; see `doubt`."""
        self.sizes.begin()

    def doubt(self) -> None:
        """The same for the pictures' thread: be alert, whatever was believed."""
        if not self.settings.is_off:
            self.depth = Depth.ALERT
            self._calm_since_s = self._roused_s = None

    def packet(self, size_bytes: int, *, is_key: bool, stream_s: float) -> bool:
        """Take one packet's size; True if the camera has to be woken for it now."""
        if not self.sizes.take(size_bytes, is_key=is_key, stream_s=stream_s):
            return False
        self._alarmed_s = stream_s
        return self.depth is Depth.ASLEEP

    def rouse(self, stream_s: float) -> None:
        """From asleep to alert, because packets say so."""
        if self.depth is Depth.ASLEEP:
            self._go(Depth.ALERT, "sizes")
            self._calm_since_s = None
            self._roused_s = stream_s

    def revisit(self, until_s: float) -> None:
        """What is seen next is the past, up to `until_s`: however calm it was, what woke the gate is still to come."""
        self._present_s = until_s

    def see(self, luma: Luma, stream_s: float) -> Depth:
        """Take a small grey picture, by time; returns the depth that follows from it."""
        self.motion = self._scene.look(luma, stream_s)
        if self.settings.is_off:
            return self.depth
        if self.motion.is_there:
            self._calm_since_s = self._roused_s = None
            if self.depth is not Depth.AWAKE and not self._unrest.is_resting(stream_s):
                self._wake(stream_s)
        else:
            self._calm_down(stream_s)
        return self.depth

    def looked(self, boxes: Iterable[Box], stream_s: float, *, matters: bool) -> None:
        """What the detector saw of the classes that the rules name; `matters`: a rule has something pending."""
        is_resting = self._unrest.is_resting(stream_s)
        if self.settings.is_off or (self.depth is not Depth.AWAKE and not is_resting):
            return
        patience_s = self.settings.fruitless_s * (PENDING_TIMES if matters else 1)
        if self._unrest.explains(boxes, self.motion, stream_s):
            if is_resting:
                self._wake(stream_s)
            self._unrest.end()
            self._fruitful_s = stream_s
            self._is_proven = True
        elif self.depth is Depth.AWAKE and stream_s - self._fruitful_s >= patience_s:
            self._scene.settle()
            self._unrest.begin_rest(stream_s)
            self._go(Depth.ALERT, "")
            self._calm_since_s = stream_s

    def is_ignoring(self, stream_s: float) -> bool:
        """Whether something moves that is not looked at for now, since it was nothing so often."""
        return self.motion.is_there and self.depth is not Depth.AWAKE and self._unrest.is_resting(stream_s)

    def _wake(self, stream_s: float) -> None:
        self._woken_s = self._fruitful_s = stream_s
        self._is_proven = False
        self._go(Depth.AWAKE, "motion")

    def _calm_down(self, stream_s: float) -> None:
        if stream_s < self._present_s:
            return
        if self._roused_s is not None and stream_s >= self._roused_s:
            self._roused_s = None
            self.sizes.was_nothing()
            self._go(Depth.ASLEEP, "")
            return
        if self._calm_since_s is None:
            self._calm_since_s = stream_s
        if stream_s - self._calm_since_s < self.settings.calm_s:
            return
        if self._is_proven:
            self._is_proven = False
            self.sizes.witness(noticed=self._alarmed_s >= self._woken_s - NOTICED_S)
        resting = Depth.ASLEEP if self.sizes.trusted and not self.sizes.alarmed else Depth.ALERT
        if self.depth is not resting:
            self._go(resting, "")

    def _go(self, depth: Depth, reason: str) -> None:
        self.depth = depth
        if reason:
            self.wakes[reason] = self.wakes.get(reason, 0) + 1
