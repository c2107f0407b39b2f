"""Somebody is where nobody should be: what `intrusion` and `presence` have in common.

One incident for the whole time that the zone is not empty, however many persons come and go meanwhile. A person counts
from the second sighting on, so that a shadow taken for a person in one picture raises no alarm and no count. Who is
hidden by something nearer to the camera has not left the zone.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import Field

from alerts.messages import Clause
from edge.rules.base import Observation, Parameters, Rule, Sighting, Standing, Violation, milliseconds
from edge.rules.stays import SEEN_SHARE, Stay, Stays, arrive, hidden_stays, keep_most, match_stays
from edge.rules.visibility import MOST_HIDDEN_S, Visibility, surest

NEVER_LOOKED = Visibility(0.0)


class OccupancyParameters(Parameters):
    """How long somebody must be inside, and who counts."""

    close_after_s: float = Field(
        default=5.0, gt=0, le=86_400, description="an incident closes when the zone was empty for so long while looking"
    )
    min_s: float = Field(default=1.0, ge=0, le=3600, description="so long somebody must be inside")
    classes: tuple[str, ...] = Field(default=("person",), min_length=1, description="classes that count")


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Who is or was inside a moment ago; `broken` once somebody stayed too long, until the zone has been empty.

    `visibility` is that of the broken zone's people, whoever they are; `last` are those last seen.
    """

    stays: Stays = ()
    broken: bool = False
    first_s: float = 0.0
    first_stream_s: float = 0.0
    visibility: Visibility = NEVER_LOOKED
    last: tuple[Sighting, ...] = ()


P = TypeVar("P", bound=OccupancyParameters)


class OccupancyRule(Rule[P, Occupancy]):
    """Base of rules about persons in a zone; they say what "inside" means and prove it."""

    @abstractmethod
    def are_inside(self, persons: Sequence[Sighting]) -> Sequence[bool]:
        """Which of them count as inside the zone."""

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

    def is_undecided(self, state: Occupancy) -> bool:
        """While somebody is inside who has not stayed long enough yet, or nobody of those who have was seen."""
        return not state.visibility.is_seen if state.broken else bool(state.stays)

    def look(self, state: Occupancy, observation: Observation) -> tuple[Occupancy, tuple[Violation, ...]]:
        """Follow each person's stay; the zone is broken while it is not empty and one stay was long enough."""
        now_s = observation.watched_s
        sightings = surest(observation.sightings)
        persons = [each for each in sightings if each.class_name in self.parameters.classes]
        inside = [each for each, counts in zip(persons, self.are_inside(persons), strict=True) if counts]
        known = () if observation.gap_s > self.parameters.unseen_s else state.stays
        if not (inside or known or state.broken):
            return Occupancy(), ()
        stays, whose = self._continue(known, inside, sightings, observation)
        certain = tuple(each for each, stay in zip(inside, whose, strict=True) if stay.is_certain)
        ripe = [stay for stay in whose if stay.is_ripe(self.parameters.min_s)]
        if not state.broken and ripe:
            longest = min(ripe, key=lambda stay: stay.first_s)
            state = Occupancy((), True, longest.first_s, longest.first_stream_s, Visibility(now_s))
        state = replace(self._believe(state, stays, certain, now_s), stays=stays)
        if not (state.broken and state.last):
            return state, ()
        return state, (self._violation(state, now_s),)

    def _continue(
        self, known: Stays, inside: Sequence[Sighting], sightings: Sequence[Sighting], observation: Observation
    ) -> tuple[Stays, list[Stay]]:
        """The stays after this look, and for each person inside theirs."""
        now_s = observation.watched_s
        matched = {column: row for row, column in match_stays(known, inside, sightings, now_s).items()}
        whose = [
            known[matched[column]].found(person, now_s)
            if column in matched
            else arrive(person, now_s, observation.stream_s)
            for column, person in enumerate(inside)
        ]
        found = set(matched.values())
        lost = tuple(stay for row, stay in enumerate(known) if row not in found)
        hidden = hidden_stays(lost, sightings)
        missed = [stay.missed(now_s, is_hidden=bool(hides)) for stay, hides in zip(lost, hidden, strict=True)]
        kept = [stay for stay in missed if stay.visibility.is_worth_keeping(self.parameters.unseen_s, SEEN_SHARE)]
        return keep_most([*whose, *kept]), whose

    def _believe(self, state: Occupancy, stays: Stays, certain: tuple[Sighting, ...], now_s: float) -> Occupancy:
        """Whether the zone is still broken."""
        if not state.broken:
            return state
        if certain:
            return replace(state, visibility=state.visibility.seen(now_s), last=certain)
        is_hidden = any(stay.is_certain and stay.visibility.is_hidden for stay in stays)
        visibility = state.visibility.missed(now_s, is_hidden=is_hidden)
        if visibility.unseen_s >= self.parameters.close_after_s or visibility.hidden_s > MOST_HIDDEN_S:
            return Occupancy()
        return replace(state, visibility=visibility)

    def _violation(self, state: Occupancy, now_s: float) -> Violation:
        visibility = state.visibility
        lasted_s = now_s - visibility.unseen_s - state.first_s
        return Violation(
            objects=state.last,
            clauses=(
                self.inside_clause(state.last),
                Clause(
                    name="time_inside",
                    holds=True,
                    measured=milliseconds(lasted_s),
                    threshold=milliseconds(self.parameters.min_s),
                    unit="ms",
                ),
                Clause(name="persons", holds=True, measured=len(state.last), threshold=1, unit="count"),
            ),
            place=None,
            lasted_s=lasted_s,
            since_stream_s=state.first_stream_s,
            unseen_s=None if visibility.is_seen else visibility.unseen_s,
        )
