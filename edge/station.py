"""A camera on duty: the player that brings its packets, opened anew when it fails, and the eye that sees them."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.announcements import Tell
from edge.clock_round import Face
from edge.coverage import Sight, sight_of
from edge.eye import Eye
from edge.incidents import Incident
from edge.mishaps import Mishaps
from edge.plan import Plan, rate
from edge.snapshot import CameraSnapshot
from edge.watch import CameraWatch, Post
from streams.player import Player, State
from streams.ring import PacketRing

MEBIBYTE = 2**20
SEEN_EVERY_S = 1.0
JOIN_S = 6.0
"""A camera that does not come to an end is waited for so long, and then taken for given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One camera as the configuration wants it watched."""

    plan: Plan
    posts: tuple[Post, ...]
    class_names: tuple[str, ...]
    family_of: Callable[[str], str]

    @property
    def camera_id(self) -> str:
        """Which camera it is."""
        return self.plan.camera.id

    def make_watch(self, open_incidents: Sequence[Incident]) -> CameraWatch:
        """Tracker and rules at their beginning; `open_incidents` are recognised again."""
        return CameraWatch(
            self.posts, class_names=self.class_names, family_of=self.family_of, open_incidents=open_incidents
        )


class Station:
    """Between `start` and `stop`; `tend` is called now and then by one thread."""

    def __init__(
        self, duty: Duty, watch: CameraWatch, *, prod: Callable[[], None], others_wait: Callable[[], bool], tell: Tell
    ) -> None:
        self.duty = duty
        self.eye = Eye(duty.plan, watch, prod=prod, others_wait=others_wait)
        self.state = "starting"
        self.reason = ""
        self.main_state = "" if duty.plan.main is None else "starting"
        self.main_reason = ""
        self.mishaps = Mishaps(f"camera {duty.camera_id}", tell)
        self._tell = tell
        plan = duty.plan
        self._player = Player(
            plan.camera,
            on_packet=self.eye.take,
            on_state=self._change_state,
            persistent=plan.is_live or not plan.until_end,
        )
        self.main_ring: PacketRing | None = None
        self._main_player: Player | None = None
        if plan.main is not None:
            self.main_ring = PacketRing(seconds=plan.ring_s, max_bytes=plan.ring_bytes)
            self._main_player = Player(plan.main, on_packet=self.main_ring.append, on_state=self._change_main_state)
        self._has_begun = False
        self._predecessor: Station | None = None
        self._begin_by_s = math.inf
        self._is_ring_short = False
        self._said_looks = 0
        self._said_s = 0.0

    @property
    def has_ended(self) -> bool:
        """Whether no further frame will come, ever."""
        return self._player.has_ended and self.eye.has_ended

    @property
    def failure(self) -> str:
        """Why the camera cannot be played, one line without secrets; empty while it can."""
        return str(self._player.failure or "")

    def start(self, after: "Station | None" = None) -> None:
        """Begin opening the camera; returns at once.

        If another station still holds it, `tend` begins when that has given it back: many cameras serve one visitor.
        """
        if after is None or after.has_given_back:
            self._begin()
        else:
            self._begin_by_s = time.monotonic() + JOIN_S
            self._predecessor = after

    def _begin(self) -> None:
        self._has_begun, self._predecessor = True, None
        for player in self._players:
            player.start()

    @property
    def has_given_back(self) -> bool:
        """Whether nothing of it holds the camera any more, or does yet."""
        if self._predecessor is not None:
            return self._predecessor.has_given_back
        return not self._has_begun or all(player.has_ended for player in self._players)

    def stop(self) -> None:
        """End playing; returns at once."""
        self.eye.stop()
        for player in self._players:
            player.stop()

    def join(self) -> None:
        """Wait until the camera is given back."""
        for player in self._players:
            player.join(JOIN_S)

    @property
    def _players(self) -> tuple[Player, ...]:
        return (self._player,) if self._main_player is None else (self._player, self._main_player)

    @property
    def face(self) -> Face | None:
        """How to ask the camera for its clock; None while it does not play, and of a file."""
        if not self.duty.plan.is_live or self.state not in (State.PLAYING, State.DEGRADED):
            return None
        return Face(self.eye.camera_id, self.duty.plan.camera.url, self._player.reconnects, self.eye.health)

    def sight(self, now_s: float) -> Sight:
        """Whether the camera is watched now; `now_s` on the monotonic clock."""
        newest = self.eye.ring.newest
        due_s = self.eye.due_s
        return sight_of(
            state=self.state,
            monotonic_s=now_s,
            packet_s=newest.monotonic_s if newest else None,
            due_s=due_s if due_s < now_s else None,
            gate_error=self.mishaps.reason != "",
            troubles=self.eye.health.troubles,
        )

    def tend(self, now_s: float) -> None:
        """Have what is left looked at once the stream has ended, and say what is seen."""
        if self._predecessor is not None and (self._predecessor.has_given_back or now_s >= self._begin_by_s):
            self._begin()
        self.mishaps.tend(now_s)
        self._player.note_damage(self.eye.damaged)
        if self._player.has_ended:
            self.eye.end()
        self._say_whether_ring_reaches()
        self._say_seen(now_s)

    def snapshot(self, now_s: float) -> CameraSnapshot:
        """As it stands; `now_s` on the monotonic clock."""
        eye, counts = self.eye, self.eye.counts
        return CameraSnapshot(
            camera=eye.camera_id,
            state=self.state,
            reason=self.reason,
            main_state=self.main_state,
            main_reason=self.main_reason,
            depth="always" if self.duty.plan.gate.is_off else eye.gate.depth.value,
            packets=counts.packets,
            bytes=counts.bytes,
            decoded=counts.decoded,
            looks=counts.looks,
            dropped=counts.dropped,
            due=counts.due,
            late=counts.late,
            damaged=eye.damaged + self._player.damaged,
            reconnects=self._player.reconnects,
            wakes=dict(eye.gate.wakes),
            packets_per_s=rate(counts.packet_times_s.values, now_s),
            looks_per_s=rate(counts.look_times_s.values, now_s),
            open_incidents=eye.open_incidents,
            ring_s=eye.ring.seconds,
            ring_bytes=eye.ring.size_bytes,
            sees=dict(counts.sees),
            health=tuple(each.value for each in eye.health.troubles),
        )

    def _change_state(self, state: str, reason: str = "") -> None:
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason = str(state), reason
            self._tell("camera_state", camera=self.eye.camera_id, state=self.state, reason=reason)

    def _change_main_state(self, state: str, reason: str = "") -> None:
        what, before = f"main stream of camera {self.eye.camera_id}", self.main_reason
        self.main_state, self.main_reason = str(state), reason
        if reason and reason != before:
            self._tell("trouble", what=what, reason=reason)
        elif before and not reason:
            self._tell("trouble_over", what=what)

    def _say_whether_ring_reaches(self) -> None:
        """That clips cannot begin as early as was asked, for the ring they are cut from is too small; or can again."""
        ring, plan = self.main_ring or self.eye.ring, self.duty.plan
        is_short, holds_s, what = ring.is_short, ring.seconds, f"clips of camera {self.eye.camera_id}"
        if is_short and not self._is_ring_short and holds_s < plan.roll.before_s:
            self._is_ring_short = True
            needed_mib = math.ceil(plan.ring_bytes / MEBIBYTE * plan.ring_s / max(1.0, holds_s))
            reason = (
                f"clips begin less than {plan.roll.before_s:g} s before the event: its ring holds only {holds_s:.1f} s"
                f" of the stream; set clip: ring_mb to {needed_mib}, or a lower bit rate in the camera"
            )
            self._tell("trouble", what=what, reason=reason)
        elif self._is_ring_short and not is_short:
            self._is_ring_short = False
            self._tell("trouble_over", what=what)

    def _say_seen(self, now_s: float) -> None:
        counts = self.eye.counts
        if counts.looks == self._said_looks or (now_s < self._said_s + SEEN_EVERY_S and not self.eye.has_ended):
            return
        self._said_looks, self._said_s = counts.looks, now_s
        self._tell(
            "seen",
            camera=self.eye.camera_id,
            counts=dict(counts.sees),
            rate_per_s=round(rate(counts.look_times_s.values, now_s), 1),
            frames=counts.looks,
            open_incidents=self.eye.open_incidents,
        )
