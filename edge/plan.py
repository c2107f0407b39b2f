"""What is taken from one camera, and what was done for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.clips import Roll
from edge.gate.gate import GateSettings
from edge.recent import Recent
from streams.frames import Camera

MOST_CLIP_BYTES = 64 * 1024 * 1024
RATE_OVER_S = 5.0
MOST_TIMES = 1000
"""200 a second, over that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is taken from a camera.

    `until_end`: the end of a file ends the eye; `ring_s` and `ring_bytes` bound what is kept of its packets; `classes`
    are those that its rules name. `main` is the stream that clips are cut from, if it is another one, `roll` how much.
    """

    camera: Camera
    looks_per_s: float
    is_live: bool
    until_end: bool
    is_fast: bool = False
    gate: GateSettings = field(default_factory=GateSettings)
    ring_s: float = 20.0
    ring_bytes: int = 32 * 1024 * 1024
    classes: frozenset[str] = frozenset()
    main: Camera | None = None
    roll: Roll = field(default_factory=lambda: Roll(before_s=5.0, after_s=10.0, max_bytes=MOST_CLIP_BYTES))

    @property
    def period_s(self) -> float:
        """Seconds between looks."""
        return 1 / self.looks_per_s


@dataclass(slots=True)
class Counts:
    """What was done for one camera since the start."""

    packets: int = 0
    bytes: int = 0
    decoded: int = 0
    looks: int = 0
    dropped: int = 0
    late: int = 0
    due: int = 0
    sees: dict[str, int] = field(default_factory=dict)
    packet_times_s: Recent = field(default_factory=lambda: Recent(MOST_TIMES))
    look_times_s: Recent = field(default_factory=lambda: Recent(MOST_TIMES))


def rate(times_s: Sequence[float], now_s: float) -> float:
    """Events per second over the last seconds, or since the first; heaps of packets make it no higher."""
    recent = [at for at in times_s if now_s - at < RATE_OVER_S]
    if len(recent) < len(times_s):
        return len(recent) / RATE_OVER_S
    return (len(recent) - 1) / max(1e-3, now_s - recent[0]) if len(recent) > 1 else 0.0
