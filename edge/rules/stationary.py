"""`stationary`: a vehicle stands in a no-parking zone longer than allowed.

The standing time belongs to the place, not to a track: identities switch, a van is car and truck by turns, passers-by
hide it. A place is remembered as the box of its first few sightings, frozen, so that a vehicle that creeps along leaves
its place behind instead of dragging it with it. In dense traffic some vehicle happens to cover a place now and then;
therefore the place must have been taken in most of the pictures, not only every few seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeAlias

from pydantic import Field

from alerts.messages import Clause
from edge.boxes import Box, common_area, overlap
from edge.rules.base import (
    Observation,
    Parameters,
    Rule,
    Sighting,
    Standing,
    Violation,
    Votes,
    milliseconds,
    permille,
)

SETTLING_LOOKS = 5
"""A place is the mean box of so many sightings, then frozen."""

PART = 0.7
"""A box lying so far inside a known place, or holding so much of it, is the same vehicle half hidden or run together
with its neighbour, as long as the smaller is not less than `COMPARABLE` of the larger."""

COMPARABLE = 0.3
FOOTPRINT = 1 / 3
"""The share of a vehicle's box, from below, that stands on the ground."""


class StationaryParameters(Parameters):
    """How long, which vehicles, and how surely in the zone."""

    dwell_s: float = Field(gt=0, le=86_400, description="so long a vehicle may stand")
    classes: tuple[str, ...] = Field(
        default=("car", "truck", "bus", "motorcycle"), min_length=1, description="classes that count as one family"
    )
    in_zone_share: float = Field(
        default=0.5, gt=0, le=1, description="share of the lower third of the box that must lie in the zone"
    )
    same_place_overlap: float = Field(
        default=0.5, gt=0, lt=1, description="intersection over union from which two boxes are the same place"
    )
    seen_share: float = Field(
        default=0.6, gt=0, le=1, description="share of the pictures of the standing time in which it must be seen"
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vehicle stands or stood a moment ago. `stood_s` is watched time; `broken` once it stood too long."""

    box: Box
    stood_s: float
    first_stream_s: float
    last_watched_s: float
    votes: Votes
    looks: int = 0
    sightings: int = 0
    broken: bool = False
    seen_now: Sighting | None = None

    def match(self, box: Box, threshold: float) -> float:
        """How well a box fits the place: above 1 for the same box, 0..1 for part of it, 0 for another place."""
        same = overlap(self.box, box)
        if same >= threshold:
            return 1 + same
        small, large = sorted((self.box.area, box.area))
        part = common_area(self.box, box) / small if small > 0 else 0.0
        return same if part >= PART and small >= COMPARABLE * large else 0.0


Places: TypeAlias = tuple[Place, ...]


class Stationary(Rule[StationaryParameters, Places]):
    """The rule itself; its state is the places it keeps an eye on."""

    parameters_type = StationaryParameters
    kinds: ClassVar[tuple[str, ...]] = ("street.illegal_parking",)

    def start(self, standing: tuple[Standing, ...] = ()) -> Places:
        """Places of open incidents are broken from the start: the first sighting there continues the incident."""
        return tuple(
            Place(
                box=each.place,
                stood_s=each.lasted_s,
                first_stream_s=0.0,
                last_watched_s=0.0,
                votes=Votes({each.class_name: 1.0}),
                sightings=SETTLING_LOOKS,
                looks=SETTLING_LOOKS,
                broken=True,
            )
            for each in standing
            if each.place is not None
        )

    def is_waiting(self, state: Places) -> bool:
        """While any place is remembered."""
        return bool(state)

    def look(self, state: Places, observation: Observation) -> tuple[Places, tuple[Violation, ...]]:
        """Match vehicles to places, let time pass there, forget places left, and name those taken too long."""
        if observation.gap_s > self.parameters.unseen_s:
            state = tuple(place for place in state if place.broken)
        vehicles = [each for each in observation.sightings if self._counts(each)]
        taken = match_places(state, vehicles, self.parameters.same_place_overlap)
        places = [self._pass_time(place, taken.get(at), observation) for at, place in enumerate(state)]
        known = {id(vehicle) for vehicle in taken.values()}
        places += [
            _new_place(vehicle, observation)
            for vehicle in vehicles
            if id(vehicle) not in known and not self._is_part_of_a_place(state, vehicle)
        ]
        kept = tuple(place for place in places if self._is_kept(place, observation))
        return kept, tuple(self._violation(place, place.seen_now) for place in kept if place.broken and place.seen_now)

    def _counts(self, sighting: Sighting) -> bool:
        if sighting.class_name not in self.parameters.classes:
            return False
        return self.zone.share_of(_footprint(sighting.box)) >= self.parameters.in_zone_share

    def _is_part_of_a_place(self, state: Places, vehicle: Sighting) -> bool:
        return any(place.match(vehicle.box, self.parameters.same_place_overlap) > 0 for place in state)

    def _pass_time(self, place: Place, seen: Sighting | None, observation: Observation) -> Place:
        place = replace(place, looks=place.looks + 1, seen_now=seen)
        if seen is None:
            return place
        same = overlap(place.box, seen.box) >= self.parameters.same_place_overlap
        settling = same and place.sightings < SETTLING_LOOKS
        stood_s = place.stood_s + observation.watched_s - place.last_watched_s
        enough_seen = place.sightings + 1 >= self.parameters.seen_share * place.looks
        return replace(
            place,
            box=place.box.mixed(seen.box, 1 / (place.sightings + 1)) if settling else place.box,
            stood_s=stood_s,
            last_watched_s=observation.watched_s,
            votes=place.votes.cast(seen.class_name, seen.score),
            sightings=place.sightings + 1,
            broken=place.broken or (stood_s >= self.parameters.dwell_s and enough_seen),
        )

    def _is_kept(self, place: Place, observation: Observation) -> bool:
        """A broken place lives as long as its incident, another one until it was unseen for too long."""
        unseen_s = observation.watched_s - place.last_watched_s
        if place.broken:
            return unseen_s < self.parameters.close_after_s
        return unseen_s <= self.parameters.unseen_s

    def _violation(self, place: Place, seen: Sighting) -> Violation:
        return Violation(
            objects=(replace(seen, class_name=place.votes.winner),),
            clauses=(
                Clause(
                    name="vehicle_in_zone",
                    holds=True,
                    measured=permille(self.zone.share_of(_footprint(seen.box))),
                    threshold=permille(self.parameters.in_zone_share),
                    unit="permille",
                ),
                Clause(
                    name="standing_time",
                    holds=place.stood_s >= self.parameters.dwell_s,
                    measured=milliseconds(place.stood_s),
                    threshold=milliseconds(self.parameters.dwell_s),
                    unit="ms",
                ),
                Clause(
                    name="seen_share",
                    holds=True,
                    measured=permille(place.sightings / place.looks),
                    threshold=permille(self.parameters.seen_share),
                    unit="permille",
                ),
            ),
            place=place.box,
            lasted_s=place.stood_s,
            since_stream_s=place.first_stream_s,
        )


def match_places(places: Sequence[Place], vehicles: Sequence[Sighting], threshold: float) -> dict[int, Sighting]:
    """Which vehicle stands at which place (by index), the best pairs first, each at most once."""
    pairs = sorted(
        (
            (place.match(vehicle.box, threshold), -at, -number)
            for at, place in enumerate(places)
            for number, vehicle in enumerate(vehicles)
        ),
        reverse=True,
    )
    taken: dict[int, Sighting] = {}
    used: set[int] = set()
    for fit, at, number in pairs:
        if fit > 0 and -at not in taken and -number not in used:
            taken[-at] = vehicles[-number]
            used.add(-number)
    return taken


def _footprint(box: Box) -> Box:
    return Box(box.left, box.bottom - FOOTPRINT * box.height, box.right, box.bottom)


def _new_place(vehicle: Sighting, observation: Observation) -> Place:
    return Place(
        box=vehicle.box,
        stood_s=0.0,
        first_stream_s=observation.stream_s,
        last_watched_s=observation.watched_s,
        votes=Votes().cast(vehicle.class_name, vehicle.score),
        looks=1,
        sightings=1,
        seen_now=vehicle,
    )
