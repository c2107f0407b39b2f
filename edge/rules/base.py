"""What every rule is: a pure step from (state, observation) to (state, violations).

A rule does no input or output and asks no clock: all time comes in the observation. So it can be tried on recorded
detections, run a thousand times faster than the camera, and gives the same answer each time.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from alerts.messages import Clause
from edge.boxes import Box
from edge.schedule import ALWAYS, Schedule
from edge.zones import Zone

MOST_ABSENT_S = 2.0
"""A look that finds nothing proves an absence of at most so long before it.

Between two looks that are farther apart the camera was asleep, and its gate vouches that nothing moved: whatever was
there at the first look was there until just before the second.
"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One tracked object in one picture. `track` is good within one run of one camera only."""

    track: int
    class_name: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One look of one camera.

    `watched_s` counts the seconds of stream time during which the camera was really watched, be it that its gate slept
    and vouches that nothing moved; it never runs backwards. So looks may be 0.3 s apart, then 2, then 60.
    `gap_s` are the seconds before this look in which it was not (stream broken, box restarted): they are not part of
    `watched_s`. `stream_s` is the frame's own time. `utc` is None while the box's clock was never set.
    """

    stream_s: float
    watched_s: float
    gap_s: float = 0.0
    utc: datetime | None = None
    sightings: tuple[Sighting, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule is broken now, in this picture.

    `place` names what is broken where: two violations of one rule are the same thing if their places overlap; None
    means the whole zone. `objects` are those in this picture. `clauses` prove it. `lasted_s` is how long it was
    watched to last; `since_stream_s` the stream time of the first frame it rests on.

    `unseen_s` is None for what is in this picture. A number means: it was broken, is not in this picture and counts as
    going on, having been looked for in vain for so long (a time in which something hid it does not count); `objects`
    are then those last seen. Such a one opens no incident; it keeps one from closing too early.
    """

    objects: tuple[Sighting, ...]
    clauses: tuple[Clause, ...]
    place: Box | None
    lasted_s: float
    since_stream_s: float
    unseen_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a rule must know of an incident that was open when the box stopped, to recognise it again."""

    place: Box | None
    lasted_s: float
    class_name: str


class Parameters(BaseModel):
    """Base of a rule's parameters: what the configuration may say under `parameters`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    classes: tuple[str, ...] = Field(default=(), description="class names that count, checked against the model card")
    unseen_s: float = Field(default=5.0, ge=0, le=600, description="so long an object may stay unseen and still count")
    close_after_s: float = Field(
        default=15.0, gt=0, le=86_400, description="an incident closes when nothing was seen for so long while looking"
    )


P = TypeVar("P", bound=Parameters)
S = TypeVar("S")


@dataclass(frozen=True)
class Rule(ABC, Generic[P, S]):
    """A rule, made for one zone of one camera.

    Class variables: `parameters_type` is the model of its parameters; `kinds` are the kinds of violation it may report
    (keys of `alerts.catalogue.KINDS`), the first being the default.
    """

    parameters_type: ClassVar[type[Any]]
    kinds: ClassVar[tuple[str, ...]]

    zone: Zone
    parameters: P
    schedule: Schedule = ALWAYS

    @abstractmethod
    def start(self, standing: tuple[Standing, ...] = ()) -> S:
        """The state before the first observation; `standing` are incidents that were open when the box stopped."""

    @abstractmethod
    def look(self, state: S, observation: Observation) -> tuple[S, tuple[Violation, ...]]:
        """The next state, and what is broken in this picture; the schedule is not this method's business."""

    @abstractmethod
    def is_waiting(self, state: S) -> bool:
        """Whether something is pending: a candidate that grows, or something broken that may end.

        Then the camera must be looked at now and then, even where nothing moves; without it nothing can become broken
        while nothing moves.
        """

    @abstractmethod
    def is_undecided(self, state: S) -> bool:
        """Whether something pending may become broken or be over, so that the moment must not be missed by long."""

    def step(self, state: S, observation: Observation) -> tuple[S, tuple[Violation, ...]]:
        """`look` within the guarded hours; outside them nothing is broken and nothing is remembered."""
        if not self.schedule.guards(observation.utc):
            return self.start(), ()
        state, violations = self.look(state, observation)
        if self.schedule.is_always:
            return state, violations
        guarded = Clause(name="within_schedule", holds=True, measured=1, threshold=1, unit="count")
        return state, tuple(replace(each, clauses=(*each.clauses, guarded)) for each in violations)


def permille(share: float) -> int:
    """A share 0..1 as an integer for a clause."""
    return round(1000 * min(1.0, max(0.0, share)))


def milliseconds(seconds: float) -> int:
    """Seconds as an integer for a clause."""
    return max(0, round(1000 * seconds))


@dataclass(frozen=True, slots=True)
class Votes:
    """Which class an object is, by the sum of its scores: a van flickers between car and truck."""

    scores: Mapping[str, float] = field(default_factory=dict)

    def cast(self, class_name: str, score: float) -> "Votes":
        """With one more vote."""
        return Votes({**self.scores, class_name: self.scores.get(class_name, 0.0) + score})

    @property
    def winner(self) -> str:
        """The class with the most votes."""
        return max(self.scores, key=lambda name: (self.scores[name], name))
