"""Somebody is where nobody should be: what `intrusion` and `presence` have in common.

One incident for the whole time that the zone is not empty, however many persons come and go meanwhile. A person counts
from the second sighting on, so that a shadow taken for a person in one picture raises no alarm and no count.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from pydantic import Field

from alerts.messages import Clause
from edge.rules.base import Observation, Parameters, Rule, Sighting, Standing, Violation, milliseconds

CERTAIN_SIGHTINGS = 2


class OccupancyParameters(Parameters):
    """How long somebody must be inside, and who counts."""

    close_after_s: float = Field(
        default=5.0, gt=0, le=86_400, description="an incident closes when the zone was empty for so long while looking"
    )
    min_s: float = Field(default=1.0, ge=0, le=3600, description="so long somebody must be inside")
    classes: tuple[str, ...] = Field(default=("person",), min_length=1, description="classes that count")


@dataclass(frozen=True, slots=True)
class Stay:
    """One tracked person's time inside, in watched seconds."""

    first_s: float
    last_s: float
    first_stream_s: float
    sightings: int = 1

    @property
    def lasted_s(self) -> float:
        """From the first sighting inside to the last."""
        return self.last_s - self.first_s


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Who is or was inside a moment ago; `broken` once somebody stayed too long, until the zone has been empty."""

    stays: Mapping[int, Stay] = field(default_factory=lambda: MappingProxyType({}))
    broken: bool = False
    first_s: float = 0.0
    first_stream_s: float = 0.0
    last_s: float = 0.0


P = TypeVar("P", bound=OccupancyParameters)


class OccupancyRule(Rule[P, Occupancy]):
    """Base of rules about persons in a zone; they say what "inside" means and prove it."""

    @abstractmethod
    def is_inside(self, sighting: Sighting) -> bool:
        """Whether this person counts as inside the zone."""

    @abstractmethod
    def inside_clause(self, persons: tuple[Sighting, ...]) -> Clause:
        """The clause that proves it."""

    def start(self, standing: tuple[Standing, ...] = ()) -> Occupancy:
        """An open incident makes the zone broken from the start."""
        if not standing:
            return Occupancy()
        return Occupancy(broken=True, first_s=-max(each.lasted_s for each in standing))

    def is_waiting(self, state: Occupancy) -> bool:
        """While somebody is inside or was a moment ago, and until a broken zone has been empty for its time."""
        return state.broken or bool(state.stays)

    def look(self, state: Occupancy, observation: Observation) -> tuple[Occupancy, tuple[Violation, ...]]:
        """Follow each person's stay; the zone is broken while it is not empty and one stay was long enough."""
        inside = [each for each in observation.sightings if self._counts(each)]
        stays = self._continue(state.stays, inside, observation)
        certain = tuple(each for each in inside if stays[each.track].sightings >= CERTAIN_SIGHTINGS)
        if inside:
            state = replace(state, last_s=observation.watched_s)
        elif observation.watched_s - state.last_s >= self.parameters.close_after_s:
            state = Occupancy()
        ripe = [stays[each.track] for each in certain if stays[each.track].lasted_s >= self.parameters.min_s]
        if not state.broken and ripe:
            longest = min(ripe, key=lambda stay: stay.first_s)
            state = replace(state, broken=True, first_s=longest.first_s, first_stream_s=longest.first_stream_s)
        state = replace(state, stays=MappingProxyType(stays))
        if not (state.broken and certain):
            return state, ()
        return state, (self._violation(state, certain, observation),)

    def _counts(self, sighting: Sighting) -> bool:
        return sighting.class_name in self.parameters.classes and self.is_inside(sighting)

    def _continue(self, stays: Mapping[int, Stay], inside: list[Sighting], observation: Observation) -> dict[int, Stay]:
        now_s = observation.watched_s
        unseen_s = self.parameters.unseen_s
        known = {} if observation.gap_s > unseen_s else stays
        kept = {track: stay for track, stay in known.items() if now_s - stay.last_s <= unseen_s}
        for each in inside:
            before = kept.get(each.track)
            kept[each.track] = (
                replace(before, last_s=now_s, sightings=before.sightings + 1)
                if before
                else Stay(first_s=now_s, last_s=now_s, first_stream_s=observation.stream_s)
            )
        return kept

    def _violation(self, state: Occupancy, persons: tuple[Sighting, ...], observation: Observation) -> Violation:
        lasted_s = observation.watched_s - state.first_s
        return Violation(
            objects=persons,
            clauses=(
                self.inside_clause(persons),
                Clause(
                    name="time_inside",
                    holds=True,
                    measured=milliseconds(lasted_s),
                    threshold=milliseconds(self.parameters.min_s),
                    unit="ms",
                ),
                Clause(name="persons", holds=True, measured=len(persons), threshold=1, unit="count"),
            ),
            place=None,
            lasted_s=lasted_s,
            since_stream_s=state.first_stream_s,
        )
