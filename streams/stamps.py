"""From a packet as FFmpeg reads it to one with number, take and times."""

from streams.clock import Clock
from streams.ffmpeg import Sent
from streams.frames import Camera
from streams.packets import Coding, Packet
from streams.timeline import Timeline

DEFAULT_INTERVAL_S = 1 / 25
"""Assumed between the packets of a file when neither time stamps nor a frame rate say more."""

PLAUSIBLE_LEAD_S = 2.0
"""A live stream's time may run ahead of the time that really passed by this much (buffers); more is a jump."""

PLAUSIBLE_LIST_LEAD_S = 60.0
"""The same where whole segments come at once."""

LONGEST_FILE_GAP_S = 60.0
"""A longer step between two packets of a file is a jump of its time stamps."""

_LONGEST_REORDER_S = 2.0
_MOST_REORDERED = 16


class Stamper:
    """Numbers and times the packets of one camera, over all its takes: `advance`, then `stamp`, for each."""

    def __init__(self, camera: Camera, clock: Clock, *, is_live: bool) -> None:
        self._camera = camera
        self._clock = clock
        self._is_live = is_live
        self._timeline = Timeline()
        self._index = 0
        self._take = -1
        self._plausible_lead_s = PLAUSIBLE_LEAD_S
        self._is_timed = True
        self._now_s = 0.0
        self._coding: Coding | None = None
        self._unit_s = 0.0
        self._interval_s = DEFAULT_INTERVAL_S
        self._arrived_s: float | None = None
        self._order_s: float | None = None
        self._first_delay_s: float | None = None
        self._begin()

    @property
    def takes(self) -> int:
        """How many takes have begun."""
        return self._take + 1

    def begin_take(self, plausible_lead_s: float = PLAUSIBLE_LEAD_S, *, is_timed: bool = True) -> None:
        """What comes next does not continue what came before; without `is_timed` its time stamps are made up."""
        self._plausible_lead_s = plausible_lead_s
        self._is_timed = is_timed
        self._take += 1
        self._timeline.splice()
        self._begin()

    def advance(self, sent: Sent, coding: Coding) -> float:
        """Stream time by the order of decoding, in seconds; it never runs backwards."""
        if coding is not self._coding:
            self._coding = coding
            self._unit_s = float(coding.time_base)
            self._interval_s = float(1 / coding.rate) if coding.rate else DEFAULT_INTERVAL_S
        self._order_s = self._order(sent)
        if self._is_live:
            self._advance_live(self._order_s)
        else:
            self._now_s = self._timeline.advance(
                self._order_s, otherwise_s=self._interval_s, at_most_s=LONGEST_FILE_GAP_S
            )
        return self._now_s

    def stamp(self, sent: Sent, coding: Coding) -> Packet:
        """The packet as everybody else takes it, with the clocks of this moment."""
        data = bytes(sent)
        packet = Packet(
            data=data,
            is_key=_is_key(sent, coding, data),
            index=self._index,
            take=self._take,
            coding=coding,
            pts=sent.pts,
            dts=sent.dts,
            duration=sent.duration or 0,
            stream_s=max(0.0, self._now_s + self._reorder_s(sent)),
            monotonic_s=self._clock.monotonic_s(),
            utc=self._clock.utc(),
            camera=self._camera.id,
        )
        self._index += 1
        return packet

    def _begin(self) -> None:
        self._lead_s = 0.0
        self._order_s = None
        self._unordered = 0
        self._first_delay_s = None

    def _order(self, sent: Sent) -> float | None:
        """The packet's place in the order of decoding, in seconds of the stream's own clock, None if it has none.

        Some senders keep silent about it for as many packets as they reorder: until then it stands still.
        """
        if not self._is_timed:
            return None
        if sent.dts is not None:
            return sent.dts * self._unit_s
        if sent.pts is None:
            return None
        shown_s = sent.pts * self._unit_s
        self._unordered += 1
        if self._order_s is None or self._unordered > _MOST_REORDERED:
            return shown_s
        return self._order_s if 0 <= shown_s - self._order_s <= _LONGEST_REORDER_S else shown_s

    def _advance_live(self, order_s: float | None) -> None:
        arrived_s = self._clock.monotonic_s()
        passed_s = 0.0 if self._arrived_s is None else arrived_s - self._arrived_s
        self._arrived_s = arrived_s
        before_s = self._now_s
        # A camera's slow clock may fall behind by what a network can hold back, and no further.
        falls_behind = passed_s - self._lead_s > self._camera.silence_s + self._plausible_lead_s
        at_most_s = passed_s + self._plausible_lead_s - self._lead_s
        self._now_s = self._timeline.advance(
            None if falls_behind else order_s, otherwise_s=passed_s, at_most_s=at_most_s
        )
        self._lead_s += self._now_s - before_s - passed_s

    def _reorder_s(self, sent: Sent) -> float:
        """How much later than in the order of decoding the picture is shown, beside the take's first."""
        delay_s = 0.0
        if sent.pts is not None and self._order_s is not None:
            delay_s = sent.pts * self._unit_s - self._order_s
        is_plausible = 0 <= delay_s <= _LONGEST_REORDER_S
        if self._first_delay_s is None:
            self._first_delay_s = delay_s if is_plausible else 0.0
        return delay_s - self._first_delay_s if is_plausible else 0.0


def _is_key(sent: Sent, coding: Coding, data: bytes) -> bool:
    """Whether decoding can begin here. AVI may flag every packet of Microsoft's MPEG-4, whose first bits tell."""
    if coding.codec.startswith("msmpeg4"):
        return data[0] >> 6 == 0
    return bool(sent.is_keyframe)
