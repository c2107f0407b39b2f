"""How regularly a stream's packets come, told from their sizes and times alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from streams.packets import Packet

JUMP_S = 1.0
"""A step of time stamps that differs by more from the time that really passed is a jump."""

REORDERED_S = 0.5
"""Where only the time of showing is known, B-frames let it run back so far."""

MOST_REORDERED = 16
"""So many pictures may be kept back for the sake of order (H.264, A.3.1): whoever joins among B-frames misses some."""

REGULAR_SHARE = 0.25
USUALLY_REGULAR = 0.8
"""Pictures are missing between two stamps only where so many other steps are within that share of the usual one."""

BURST_S = 1.0
LEAST_PACE_S = 4.0
"""A server may send what it kept at once: pace is taken after that, and over no less than so much."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One packet without its data. Times in seconds.

    `stream_s` is the stream's time as the player understands it, `stamp_s` by the camera's own stamps, in decoding
    order where it `is_ordered`, and `arrived_s` by this machine's clock.
    """

    size_bytes: int
    is_key: bool
    take: int
    stream_s: float
    stamp_s: float | None
    is_ordered: bool
    arrived_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """What the beats say; None is not known.

    `key_distances_s` are between neighbouring key frames; `keyless_s` went by after the last of them, or in all where
    there is none: both without the pauses, for what is missing then is more than key frames. `longest_pause_s` is the
    longest time without any picture in a stream that is regular otherwise, 0 where there was none; the rate leaves it
    out, too. `gaps` are pictures that the time stamps leave out, `unstamped` packets without a stamp, `backwards` and
    `jumps` steps of the stamps that are no steps. `pace` is the stamps' speed against real time, 1.0 where right, none
    where they jump, and `pace_error` how far it may be out because packets come in heaps, as the segments of a list do.
    Where the sender gives no stamps at all the stream `is_unstamped`, and times are those of arrival.
    """

    packets: int = 0
    keys: int = 0
    seconds: float = 0.0
    rate_per_s: float | None = None
    bits_per_s: float | None = None
    key_distances_s: tuple[float, ...] = ()
    keyless_s: float = 0.0
    longest_pause_s: float = 0.0
    gaps: int = 0
    unstamped: int = 0
    backwards: int = 0
    jumps: int = 0
    pace: float | None = None
    pace_error: float = 0.0
    is_unstamped: bool = False


def beat_of(packet: Packet) -> Beat:
    """The packet without its data."""
    unit_s = float(packet.coding.time_base)
    stamp = packet.dts if packet.dts is not None else packet.pts
    return Beat(
        size_bytes=packet.size_bytes,
        is_key=packet.is_key,
        take=packet.take,
        stream_s=packet.stream_s,
        stamp_s=None if stamp is None else stamp * unit_s,
        is_ordered=packet.dts is not None,
        arrived_s=packet.monotonic_s,
    )


def rhythm(beats: Sequence[Beat], *, is_live: bool, is_unstamped: bool = False) -> Rhythm:
    """Everything that the beats say, in the order of arrival; whatever their stamps, where the stream has none."""
    if not beats:
        return Rhythm()
    if is_unstamped:
        beats = [replace(beat, stream_s=beat.arrived_s, stamp_s=None) for beat in beats]
    times_s = [beat.stream_s for beat in beats]
    seconds = max(times_s) - min(times_s)
    pauses = _pauses(times_s)
    played_s = [time_s - sum(pause.length_s for pause in pauses if pause.end_s <= time_s) for time_s in times_s]
    played = max(played_s) - min(played_s)
    keys_s = [at_s for at_s, beat in zip(played_s, beats, strict=True) if beat.is_key]
    stamped = _steps(beats)
    is_broken = any(step.is_jump(is_live=is_live) for step in stamped)
    pace, pace_error = _pace(beats) if is_live and not is_broken else (None, 0.0)
    return Rhythm(
        packets=len(beats),
        keys=len(keys_s),
        seconds=seconds,
        rate_per_s=(len(beats) - 1) / played if played else None,
        bits_per_s=8 * sum(beat.size_bytes for beat in beats[:-1]) / seconds if seconds else None,
        key_distances_s=tuple(after - before for before, after in pairwise(keys_s)),
        keyless_s=max(played_s) - (keys_s[-1] if keys_s else min(played_s)),
        longest_pause_s=max((pause.length_s for pause in pauses), default=0.0),
        gaps=_gaps([step.stamp_s for step in _steps(beats[MOST_REORDERED:]) if not step.is_jump(is_live=is_live)]),
        unstamped=0 if is_unstamped else sum(beat.stamp_s is None for beat in beats),
        backwards=sum(step.is_backwards for step in stamped),
        jumps=sum(step.is_jump(is_live=is_live) and not step.is_backwards for step in stamped),
        pace=pace,
        pace_error=pace_error,
        is_unstamped=is_unstamped,
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """From one stamp to the next, and what really passed meanwhile."""

    stamp_s: float
    passed_s: float
    slack_s: float

    @classmethod
    def between(cls, before: Beat, after: Beat) -> "_Step | None":
        """None where one has no stamp, or they do not continue each other."""
        if before.stamp_s is None or after.stamp_s is None or before.take != after.take:
            return None
        slack_s = 0.0 if after.is_ordered else REORDERED_S
        return cls(after.stamp_s - before.stamp_s, after.arrived_s - before.arrived_s, slack_s)

    @property
    def is_backwards(self) -> bool:
        return self.stamp_s < -self.slack_s

    def is_jump(self, *, is_live: bool) -> bool:
        """Files come as fast as they are read: only a long step is one there."""
        return self.is_backwards or self.stamp_s > JUMP_S + (max(0.0, self.passed_s) if is_live else 0.0)


def _steps(beats: Sequence[Beat]) -> list[_Step]:
    """From stamp to stamp, of decoding where there are such.

    With B-frames some senders give the first packets only the time of showing, which no time of decoding continues.
    """
    pairs = list(pairwise(beats))
    ordered = [(before, after) for before, after in pairs if before.is_ordered and after.is_ordered]
    return [step for pair in ordered or pairs if (step := _Step.between(*pair))]


@dataclass(frozen=True, slots=True)
class _Pause:
    """A time without pictures: how much longer than usual it is, and when in the stream it was over."""

    end_s: float
    length_s: float


def _pauses(times_s: Sequence[float]) -> list[_Pause]:
    """Steps of more than `JUMP_S` beyond the usual one; none where the rate changes of itself."""
    ordered_s = sorted(times_s)
    steps_s = [after - before for before, after in pairwise(ordered_s)]
    usual_s = _usual(steps_s)
    if usual_s is None:
        return []
    steps = zip(ordered_s[1:], steps_s, strict=True)
    return [_Pause(end_s, step_s - usual_s) for end_s, step_s in steps if step_s - usual_s > JUMP_S]


def _usual(steps_s: Sequence[float]) -> float | None:
    """The step that most are like, None where they are not alike."""
    forward_s = [step_s for step_s in steps_s if step_s > 0]
    if not forward_s:
        return None
    usual_s = median(forward_s)
    regular = sum(abs(step_s - usual_s) <= REGULAR_SHARE * usual_s for step_s in forward_s)
    return usual_s if regular >= USUALLY_REGULAR * len(forward_s) else None


def _gaps(steps_s: Sequence[float]) -> int:
    """Pictures that are missing; none where the camera's rate changes of itself."""
    usual_s = _usual(steps_s)
    if usual_s is None or min(steps_s) <= 0:
        return 0
    return sum(max(0, round(step_s / usual_s) - 1) for step_s in steps_s)


def _pace(beats: Sequence[Beat]) -> tuple[float | None, float]:
    """The pace and its error: both the first packet and the last may lie at either end of the longest pause."""
    counted = [beat for beat in beats if beat.arrived_s - beats[0].arrived_s >= BURST_S]
    if not counted:
        return None, 0.0
    first, last = counted[0], counted[-1]
    passed_s = last.arrived_s - first.arrived_s
    if first.stamp_s is None or last.stamp_s is None or first.take != last.take or passed_s < LEAST_PACE_S:
        return None, 0.0
    steps = [step for pair in pairwise(counted) if (step := _Step.between(*pair))]
    pause_s = max(0.0, *(step.passed_s - max(0.0, step.stamp_s) for step in steps))
    return (last.stamp_s - first.stamp_s) / passed_s, 2 * pause_s / passed_s
