"""One camera's eye: detections of a frame in, what each rule makes of it out.

Here arrays become the values of `edge/rules`, and stream time becomes watched time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alerts.clocks import is_credible
from edge.boxes import Box
from edge.incidents import Incident, Key, Moment
from edge.rules import AnyRule
from edge.rules.base import Observation, Sighting, Standing, Violation
from edge.tracking import Finding, Tracker
from models.detections import Detections
from streams.frames import Frame

LONGEST_STEP_S = 5.0
"""Two looks farther apart than this leave a gap in which nobody watched."""


@dataclass(frozen=True, slots=True)
class Post:
    """A rule on its post: what its incidents belong to, and the rule."""

    key: Key
    rule: AnyRule


@dataclass(frozen=True, slots=True)
class Look:
    """One analysed frame: what was seen in it, and what each rule (by id) found broken."""

    frame: Frame
    moment: Moment
    sightings: tuple[Sighting, ...]
    found: Mapping[str, tuple[Violation, ...]]

    @property
    def frame_px(self) -> tuple[int, int]:
        """Width and height of the frame."""
        return self.frame.size_px


class Analyse(Protocol):
    """What looks at a frame."""

    def __call__(self, frame: Frame, *, vouched: bool) -> Look | None:
        """Detect, apply the rules, record; None where it failed.

        `vouched`: every packet since the last look was watched, so nothing can have happened meanwhile.
        """


class WatchClock:
    """Counts the seconds a camera really looked, out of stream times that may jump or start again."""

    def __init__(self) -> None:
        self.watched_s = 0.0
        self._stream_s: float | None = None
        self._monotonic_s = 0.0

    def advance(self, stream_s: float, monotonic_s: float, *, vouched: bool = False) -> float:
        """Take one more look; returns the gap in seconds before it (0 while nothing was missed).

        `vouched`: the camera was watched all the while, however long ago the last look was.
        """
        before_s, self._stream_s = self._stream_s, stream_s
        passed_s, self._monotonic_s = monotonic_s - self._monotonic_s, monotonic_s
        if before_s is None:
            return 0.0
        step_s = stream_s - before_s
        if step_s < 0:
            return max(0.0, passed_s)
        if step_s > LONGEST_STEP_S and not vouched:
            return step_s
        self.watched_s += step_s
        return 0.0


class CameraWatch:
    """Tracker and rules of one camera, with their state."""

    def __init__(
        self,
        posts: Sequence[Post],
        *,
        class_names: Sequence[str],
        family_of: Callable[[str], str],
        open_incidents: Sequence[Incident] = (),
    ) -> None:
        """`open_incidents` are those the camera had when the box stopped; the rules recognise them again."""
        self._posts = tuple(posts)
        self._class_names = tuple(class_names)
        self._tracker = Tracker(family_of)
        self._clock = WatchClock()
        self._states: list[object] = [post.rule.start(_standing(post.key, open_incidents)) for post in self._posts]

    @property
    def is_waiting(self) -> bool:
        """Whether some rule has something pending, so that the camera must not be left unlooked at for long."""
        return any(post.rule.is_waiting(state) for post, state in zip(self._posts, self._states, strict=True))

    @property
    def is_undecided(self) -> bool:
        """Whether something pending may become broken or be over."""
        return any(post.rule.is_undecided(state) for post, state in zip(self._posts, self._states, strict=True))

    def look(self, frame: Frame, detections: Detections, *, vouched: bool = False) -> Look:
        """Analyse one frame. Frames must come in the order they were taken.

        `vouched`: the gate watched since the last look, and saw nothing to look at.
        """
        gap_s = self._clock.advance(frame.stream_s, frame.monotonic_s, vouched=vouched)
        watched_s = self._clock.watched_s
        sightings = self._tracker.follow(self._findings(frame, detections), watched_s)
        observation = Observation(
            stream_s=frame.stream_s,
            watched_s=watched_s,
            gap_s=gap_s,
            utc=_trusted(frame.utc),
            sightings=sightings,
        )
        found: dict[str, tuple[Violation, ...]] = {}
        for at, post in enumerate(self._posts):
            self._states[at], found[post.key.rule] = post.rule.step(self._states[at], observation)
        return Look(frame, Moment(watched_s, gap_s, frame.utc, frame.stream_s), sightings, found)

    def _findings(self, frame: Frame, detections: Detections) -> list[Finding]:
        width, height = frame.size_px
        boxes = (detections.boxes / (width, height, width, height)).clip(0.0, 1.0).tolist()
        return [
            (self._class_names[class_number], score, Box(*box))
            for class_number, score, box in zip(
                detections.classes.tolist(), detections.scores.tolist(), boxes, strict=True
            )
        ]


def _standing(key: Key, incidents: Sequence[Incident]) -> tuple[Standing, ...]:
    return tuple(
        Standing(
            place=incident.place,
            lasted_s=incident.last.lasted_s,
            class_name=incident.last.objects[0].class_name,
        )
        for incident in incidents
        if incident.key == key
    )


def _trusted(utc: datetime) -> datetime | None:
    """None for the clock of a box that was never set: schedules must not believe it."""
    return utc if is_credible(utc) else None
