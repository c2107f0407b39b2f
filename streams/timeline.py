"""Stream time: from a camera's time stamps to seconds that start at 0 and never run backwards.

Time stamps lie: a file repeats, a camera restarts its counter, an RTCP sender report shifts it by hours, an AVI has
none. Rules measure standing time in stream time, so every such break has to become a plausible step.
"""


class Timeline:
    """Adds up plausible steps between packets of one source, across repetitions and reconnections.

    The first packet is at 0.0 s.
    """

    def __init__(self) -> None:
        self._now_s: float | None = None
        self._last_pts_s: float | None = None

    def advance(self, pts_s: float | None, *, otherwise_s: float, at_most_s: float | None = None) -> float:
        """Stream time, in seconds, of the next packet.

        `pts_s` is its time stamp in seconds, None if unknown. The step from the packet before is the difference of
        time stamps; where that is unknown, negative or above `at_most_s`, it is `otherwise_s` (>= 0).
        """
        previous, self._last_pts_s = self._last_pts_s, pts_s
        if self._now_s is None:
            self._now_s = 0.0
            return self._now_s
        step_s = otherwise_s
        if pts_s is not None and previous is not None:
            difference_s = pts_s - previous
            if difference_s >= 0 and (at_most_s is None or difference_s <= at_most_s):
                step_s = difference_s
        self._now_s += max(0.0, step_s)
        return self._now_s

    def splice(self) -> None:
        """The next packet belongs to a new run of time stamps: its step is `otherwise_s`."""
        self._last_pts_s = None
