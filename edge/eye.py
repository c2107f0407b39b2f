"""One camera of the box: its packets, its gate, and the next thing to do about it.

Packets arrive in the player's thread and are only counted and kept. All the rest happens in `step`, called by one
session of the scheduler at a time: decoding from the ring, comparing, looking. So a slow detector never holds a camera
up, and a camera that nothing happens before costs next to nothing.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from edge.agenda import Agenda, Span
from edge.gate.gate import Depth, Gate
from edge.gate.scene import LUMA_HEIGHT, LUMA_WIDTH
from edge.health import HealthWatch
from edge.plan import Counts, Plan
from edge.watch import Analyse, CameraWatch
from streams.decoder import Decoder
from streams.images import Image
from streams.packets import Packet
from streams.ring import PacketRing

GLANCE_S = 0.2
"""An alert camera's pictures are compared this often."""

IDLE_S = 1.0
"""A camera that gives no packet is looked after this often, for its file may have ended."""

MOST_WAITING = 64
"""A file played as fast as possible waits for so many packets; with a gate for each, or sizes would be long before."""

PEEK_S = 0.5
"""A sleeping camera's key frames are compared at most this often: some send nothing but key frames."""

HEALTH_S = 2.0
"""A picture that is decoded anyway is judged this often: can the camera see?"""

HURRIED_S = 0.3
"""So late, an alert camera is not decoded whole: the box has too much to do."""

LATE_S = 0.5


class Eye:
    """Between `take` (the player's thread) and `step` (one session at a time)."""

    def __init__(
        self, plan: Plan, watch: CameraWatch, *, prod: Callable[[], None], others_wait: Callable[[], bool]
    ) -> None:
        """`prod` tells the scheduler that this camera has become due earlier than it said; it says if `others_wait`."""
        self.plan = plan
        self.watch = watch
        self.gate = Gate(plan.gate)
        self.health = HealthWatch()
        self.ring = PacketRing(seconds=plan.ring_s, max_bytes=plan.ring_bytes)
        self.counts = Counts()
        self.open_incidents = 0
        self.has_ended = False
        self._prod, self._others_wait = prod, others_wait
        self._decoder = Decoder(plan.camera.max_pixels)
        self._agenda = Agenda(plan.period_s)
        self._room = threading.Condition()
        self._awaited = math.inf
        self._wanted_s = math.inf
        self._due_s = 0.0
        self._position = -1
        self._peeked = -1
        self._peeked_s = -math.inf
        self._take = -1
        self._glance_s = -math.inf
        self._judged_s = -math.inf
        self._backlog_until_s = -math.inf
        self._is_new_take = False
        self._alarm = False
        self._alarm_s = -math.inf
        self._is_hurried = False
        self._is_stopped = False
        self._is_ending = False

    @property
    def camera_id(self) -> str:
        """Which camera it is."""
        return self.plan.camera.id

    @property
    def due_s(self) -> float:
        """When the next step is due, on the monotonic clock."""
        return min(self._wanted_s, self._due_s)

    @property
    def damaged(self) -> int:
        """Packets that could not be decoded."""
        return self._decoder.damaged

    @property
    def is_idle(self) -> bool:
        """Whether everything that came was handled."""
        newest = self.ring.newest
        return newest is None or newest.index <= self._position

    def take(self, packet: Packet) -> None:
        """One more packet, in the player's thread. Blocks for a file that is played as fast as possible, else never."""
        counts = self.counts
        counts.packets += 1
        counts.bytes += packet.size_bytes
        counts.packet_times_s.add(packet.monotonic_s)
        if packet.take != self._take:
            self._take = packet.take
            self._is_new_take = True
            self.gate.begin()
            self._want()
        self.ring.append(packet)
        if self.gate.packet(packet.size_bytes, is_key=packet.is_key, stream_s=packet.stream_s):
            if not self._alarm:
                self._alarm_s = packet.stream_s
            self._alarm = True
            self._want()
        elif self.plan.is_fast or (packet.is_key and self.gate.depth is Depth.ASLEEP):
            self._want()
        if self.plan.is_fast:
            self._wait_for_room(packet)

    def stop(self) -> None:
        """Let a blocked player go."""
        with self._room:
            self._is_stopped = True
            self._room.notify_all()

    def end(self) -> None:
        """No packet will follow: the steps that are left look at what is still there, then `has_ended` is True."""
        if not self._is_ending:
            self._is_ending = True
            self._want()

    def step(self, analyse: Analyse) -> None:
        """Do what is due."""
        now_s = time.monotonic()
        self._count_lateness(now_s)
        self._wanted_s = self._due_s = math.inf
        try:
            if self._is_new_take:
                self._is_new_take = False
                self.gate.doubt()
            if self._alarm:
                self._alarm = False
                self._rouse()
            if self.gate.depth is Depth.ASLEEP:
                self._doze(analyse)
            if self.gate.depth is not Depth.ASLEEP:
                self._follow(analyse)
            if self._is_ending and self.is_idle:
                self._finish(analyse)
        finally:
            self._due_s = self._next_due_s(now_s)
            if self._position >= self._awaited:
                with self._room:
                    self._room.notify_all()

    def _finish(self, analyse: Analyse) -> None:
        """Look at what the decoder still holds."""
        if self.gate.depth is not Depth.ASLEEP and not self.has_ended:
            for image in self._decoder.flush():
                self._attend(image, analyse)
        self.has_ended = True

    def _want(self) -> None:
        if self._wanted_s == math.inf:
            self._wanted_s = time.monotonic()
            self._prod()

    def _wait_for_room(self, packet: Packet) -> None:
        most = MOST_WAITING if self.plan.gate.is_off else 1
        if packet.index - self._position < most:
            return
        with self._room:
            self._awaited = packet.index - most // 2
            self._room.wait_for(lambda: self._is_stopped or self._position >= self._awaited)
            self._awaited = math.inf

    def _count_lateness(self, now_s: float) -> None:
        due_s = self.due_s
        if self.plan.is_fast or self.is_idle or not 0 < due_s <= now_s:
            self._is_hurried = False
            return
        self._is_hurried = now_s - due_s > HURRIED_S
        self.counts.due += 1
        late_s = now_s - due_s
        if late_s > (LATE_S if self.gate.depth is Depth.ASLEEP else min(LATE_S, self.plan.period_s)):
            self.counts.late += 1
        if self.gate.depth is Depth.AWAKE:
            self.counts.dropped += int(late_s / self.plan.period_s)

    def _rouse(self) -> None:
        """Packets said that something moves: go back to the last key frame and see."""
        if self.gate.depth is Depth.ASLEEP and (packets := self.ring.from_key_before(self._alarm_s)):
            self.gate.rouse(packets[-1].stream_s)
            self._go_back(packets)

    def _go_back(self, packets: tuple[Packet, ...]) -> None:
        """Decode these once more, from their key frame on, and leave none out that is due."""
        self._decoder.reset()
        self._position = packets[0].index - 1
        self._glance_s = -math.inf
        self._backlog_until_s = packets[-1].stream_s
        self.gate.revisit(self._backlog_until_s)

    def _doze(self, analyse: Analyse) -> None:
        """Asleep: look at the newest key frame, if it is a new one."""
        packets = self.ring.since_key()
        if not packets:
            self._position = newest.index if (newest := self.ring.newest) else self._position
            return
        key, newest = packets[0], packets[-1]
        if key.index > self._peeked and abs(key.stream_s - self._peeked_s) >= PEEK_S:
            self._peek(key, analyse)
        elif newest.stream_s >= self._agenda.check_by_s(self._span):
            self._look_at_newest(packets, analyse)
        if self.gate.depth is Depth.ASLEEP:
            self._position = newest.index

    def _peek(self, key: Packet, analyse: Analyse) -> None:
        self._agenda.expect_key(after_s=key.stream_s - self._peeked_s)
        self._peeked, self._peeked_s = key.index, key.stream_s
        image = self._decoder.glimpse(key)
        if image is None:
            return
        self.counts.decoded += 1
        if self._see(image) is Depth.AWAKE:
            past = self.ring.from_key_before(key.stream_s - GLANCE_S)
            self._go_back(past or self.ring.since_key())
            self._agenda.hurry()
            return
        is_due = self.gate.motion.is_whole or self._agenda.is_check_due(key.stream_s, self._span, self._others_wait)
        if is_due and key.stream_s > self._agenda.looked_s and (whole := self._decoder.still(key)) is not None:
            self._look(whole, analyse)

    def _look_at_newest(self, packets: Iterable[Packet], analyse: Analyse) -> None:
        """Key frames are too rare for what is due: decode all since the last one."""
        last: Image | None = None
        self._decoder.reset()
        for image in self._images(packets):
            last = image
        if last is not None:
            self._look(last, analyse)
        self._decoder.reset()

    def _follow(self, analyse: Analyse) -> None:
        """Alert or awake: compare and look at what has come."""
        packets = self.ring.after(self._position)
        if not packets:
            return
        if self._is_hurried and self.gate.depth is Depth.ALERT and packets[0].stream_s > self._backlog_until_s:
            self._skim(packets)
        else:
            self._catch_up(packets, analyse)
        if self.gate.depth is Depth.ASLEEP:
            self._decoder.reset()

    def _catch_up(self, packets: tuple[Packet, ...], analyse: Analyse) -> None:
        """Decode what has come, compare, and look at what is due.

        The past that was gone back to is looked at one due picture a step, so that other cameras have their turn; in
        the present only the newest picture counts.
        """
        if packets[0].index > self._position + 1:  # the ring was shorter than this step was late
            self._decoder.reset()
            self._agenda.miss()
        if not self.plan.is_fast and packets[-1].stream_s > self._backlog_until_s:
            packets = self._newest_run(packets)
        newest: Image | None = None
        for image in self._images(packets):
            if self.plan.is_fast or image.packet.stream_s < self._backlog_until_s:
                if self._attend(image, analyse):
                    return
            else:
                newest = image
                if self.gate.depth is Depth.ALERT:
                    self._glance(image)
        if newest is not None:
            self._attend(newest, analyse)

    def _skim(self, packets: tuple[Packet, ...]) -> None:
        """Alert, with too much to do elsewhere: compare key frames only, as if asleep."""
        self._agenda.miss()
        self._position = packets[-1].index
        key = next((packet for packet in reversed(packets) if packet.is_key), None)
        image = self._decoder.glimpse(key) if key else None
        if image is not None:
            self.counts.decoded += 1
            self._glance(image)
        self._decoder.reset()

    def _newest_run(self, packets: tuple[Packet, ...]) -> tuple[Packet, ...]:
        """What is left to decode when the box is behind: from the newest key frame on, if that saves a look's time."""
        keys = [at for at, packet in enumerate(packets) if packet.is_key]
        is_behind = packets[-1].stream_s - packets[0].stream_s > max(1.0, 2 * self.plan.period_s)
        if not keys or keys[-1] == 0 or not (is_behind or len(keys) == len(packets)):
            return packets
        if is_behind:
            self._agenda.miss()
        return packets[keys[-1] :]

    def _images(self, packets: Iterable[Packet]) -> Iterator[Image]:
        """Decode, and remember how far."""
        for packet in packets:
            self._position = packet.index
            for image in self._decoder.decode(packet):
                self.counts.decoded += 1
                yield image

    def _see(self, image: Image) -> Depth:
        """Have gate and health judge a picture."""
        luma, packet = image.luma(LUMA_WIDTH, LUMA_HEIGHT), image.packet
        if self._is_judging_due(image):
            self._judged_s = packet.monotonic_s
            self.health.look(
                luma,
                at_s=packet.monotonic_s,
                utc=packet.utc,
                stream_s=packet.stream_s if self.plan.is_live else None,
                is_key=packet.is_key,
            )
        if self.plan.gate.is_off:
            return self.gate.depth
        depth = self.gate.see(luma, packet.stream_s)
        if self.gate.is_ignoring(packet.stream_s):
            self._agenda.miss()
        return depth

    def _is_judging_due(self, image: Image) -> bool:
        return image.packet.monotonic_s - self._judged_s >= HEALTH_S

    def _glance(self, image: Image) -> None:
        at_s = image.packet.stream_s
        if at_s - self._glance_s >= GLANCE_S or at_s < self._glance_s:
            self._glance_s = at_s
            self._see(image)

    def _attend(self, image: Image, analyse: Analyse) -> bool:
        """Compare and look at one picture if that is due; whether the detector looked."""
        at_s = image.packet.stream_s
        is_due, was_awake = self._agenda.is_due(at_s), self.gate.depth is Depth.AWAKE
        if was_awake:
            if is_due and (not self.plan.gate.is_off or self._is_judging_due(image)):
                self._see(image)
        elif self.gate.depth is Depth.ALERT:
            self._glance(image)
        if not was_awake and self.gate.depth is not Depth.AWAKE:
            is_new = self.gate.motion.is_whole or image.packet.take != self._agenda.looked_take
            is_due = (is_due and is_new) or self._agenda.is_check_due(at_s, self._span, self._others_wait)
        if is_due:
            self._look(image, analyse)
        return is_due

    @property
    def _span(self) -> Span:
        """After how long a camera that is not awake is looked at."""
        is_undecided = self.watch.is_undecided or self.gate.is_ignoring(self._glance_s)
        has_pending = self.open_incidents > 0 or self.watch.is_waiting
        return self._agenda.span(self.plan.gate, is_undecided=is_undecided, has_pending=has_pending)

    def _look(self, image: Image, analyse: Analyse) -> None:
        frame = image.frame()
        look = analyse(frame, vouched=self._agenda.look(frame.stream_s, image.packet.take))
        if look is None:
            return
        counts = self.counts
        counts.looks += 1
        counts.look_times_s.add(time.monotonic())
        sees: dict[str, int] = {}
        for each in look.sightings:
            sees[each.class_name] = sees.get(each.class_name, 0) + 1
        counts.sees = sees
        boxes = [each.box for each in look.sightings if each.class_name in self.plan.classes]
        self.gate.looked(boxes, frame.stream_s, matters=self.watch.is_waiting)

    def _next_due_s(self, now_s: float) -> float:
        newest = self.ring.newest
        if self.has_ended:
            return math.inf
        if newest is None:
            return now_s + IDLE_S
        if self.gate.depth is Depth.ASLEEP:
            return now_s + max(0.05, self._agenda.check_by_s(self._span) - newest.stream_s)
        if not self.is_idle:
            return now_s
        if self.plan.is_fast:
            return now_s + IDLE_S
        return now_s + (GLANCE_S if self.gate.depth is Depth.ALERT else self._agenda.until_next_s(newest.stream_s))
