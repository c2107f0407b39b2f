"""`stationary`: a vehicle stands in a no-parking zone longer than allowed.

The standing time belongs to the place, not to a track: identities switch, a van is car and truck by turns, passers-by
hide it, a bus waits before it, two neighbours run together into one box. In dense traffic some vehicle happens to cover
a place now and then; therefore the place must have been seen taken in most of the standing time, not only every few
seconds.

One vehicle leaves and another takes its place at once: an officer expects a new clock and a new incident. Boxes alone
cannot tell them apart, so it takes evidence: the vehicle that stood there long enough to have a steady number is seen
driving away while the place is empty. Without it (both drove behind a bus, say) the clock goes on, and the pictures of
the incident show what happened: an officer who comes in vain is a lesser harm than a clock that every passer-by
restarts.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from alerts.messages import Clause
from edge.boxes import Box
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
from edge.rules.places import (
    LEAVING_LOOKS,
    SETTLING_LOOKS,
    Place,
    Places,
    keep_most,
    match_places,
    share_boxes,
    strangers,
    survey,
)
from edge.rules.visibility import Visibility, surest

FOOTPRINT = 1 / 3
"""The share of a vehicle's box, from below, that stands on the ground."""

BROKEN_HIDDEN_S = 600.0
"""So long a bus may park before a vehicle that stood too long, until the incident ends because nobody can know."""


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
        default=0.6, gt=0, le=1, description="share of the standing time in which it must be seen"
    )


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
                stood_until_s=0.0,
                votes=Votes({each.class_name: 1.0}),
                visibility=Visibility(0.0, is_seen=False),
                sightings=SETTLING_LOOKS,
                broken=True,
            )
            for each in standing
            if each.place is not None
        )

    def is_waiting(self, state: Places) -> bool:
        """While any place is remembered."""
        return bool(state)

    def is_undecided(self, state: Places) -> bool:
        """While a vehicle stands that has not stood too long yet, or was not seen by the last look."""
        return any(not (place.broken and place.visibility.is_seen) for place in state)

    def look(self, state: Places, observation: Observation) -> tuple[Places, tuple[Violation, ...]]:
        """Match vehicles to places, let time pass there, forget places left, and name those taken too long."""
        if observation.gap_s > self.parameters.unseen_s:
            state = tuple(place for place in state if place.broken)
        sightings = surest(observation.sightings)
        vehicles = self._vehicles(sightings)
        places, unknown = self._pass_time(state, sightings, vehicles, observation.watched_s)
        kept = [place for place in places if self._is_kept(place)]
        state = keep_most([*kept, *(_new_place(each, observation) for each in unknown)])
        return state, self._violations(state)

    def _vehicles(self, sightings: Sequence[Sighting]) -> list[Sighting]:
        """Those whose wheels are in the zone."""
        vehicles = [each for each in sightings if each.class_name in self.parameters.classes]
        shares = self.zone.shares_of([_footprint(each.box) for each in vehicles])
        return [each for each, share in zip(vehicles, shares, strict=True) if share >= self.parameters.in_zone_share]

    def _pass_time(
        self, state: Places, sightings: Sequence[Sighting], vehicles: Sequence[Sighting], now_s: float
    ) -> tuple[list[Place], Sequence[Sighting]]:
        """The places after this look, and the vehicles that stand elsewhere."""
        if not state:
            return [], vehicles
        scene = survey(state, sightings, self.parameters.same_place_overlap)
        wanted = {id(each) for each in vehicles}
        fits = scene.fits[:, [id(each) in wanted for each in sightings]]
        taken = match_places(fits)
        shared = share_boxes(state, vehicles, fits, taken)
        places = []
        for row, place in enumerate(state):
            column = taken.get(row, shared.get(row))
            if column is None:
                after = place.missed(now_s, is_hidden=bool(scene.hidden[row]), is_left=bool(scene.left[row]))
            else:
                after = self._ripen(place.taken(vehicles[column], now_s, is_same=bool(fits[row, column] >= 1)))
            places.append(after)
        return places, [vehicles[column] for column in strangers(vehicles, fits, taken)]

    def _ripen(self, place: Place) -> Place:
        """Broken once it stood too long and was seen to for most of that time."""
        if place.broken or place.stood_s < self.parameters.dwell_s:
            return place
        return replace(place, broken=place.visibility.share >= self.parameters.seen_share)

    def _is_kept(self, place: Place) -> bool:
        """A broken place lives as long as its incident, another one until it was unseen for too long."""
        if place.left_looks >= LEAVING_LOOKS:
            return False
        visibility, allowed = place.visibility, self.parameters
        if place.broken:
            return visibility.unseen_s < allowed.close_after_s and visibility.hidden_s <= BROKEN_HIDDEN_S
        return visibility.is_worth_keeping(allowed.unseen_s, allowed.seen_share)

    def _violations(self, state: Places) -> tuple[Violation, ...]:
        broken = [(place, place.last) for place in state if place.broken and place.last]
        shares = self.zone.shares_of([_footprint(last.box) for _, last in broken])
        return tuple(self._violation(place, last, share) for (place, last), share in zip(broken, shares, strict=True))

    def _violation(self, place: Place, seen: Sighting, share: float) -> Violation:
        return Violation(
            objects=(replace(seen, class_name=place.votes.winner),),
            clauses=(
                Clause(
                    name="vehicle_in_zone",
                    holds=True,
                    measured=permille(share),
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
                    holds=place.visibility.share >= self.parameters.seen_share,
                    measured=permille(place.visibility.share),
                    threshold=permille(self.parameters.seen_share),
                    unit="permille",
                ),
            ),
            place=place.box,
            lasted_s=place.stood_s,
            since_stream_s=place.first_stream_s,
            unseen_s=None if place.visibility.is_seen else place.visibility.unseen_s,
        )


def _footprint(box: Box) -> Box:
    return Box(box.left, box.bottom - FOOTPRINT * box.height, box.right, box.bottom)


def _new_place(vehicle: Sighting, observation: Observation) -> Place:
    return Place(
        box=vehicle.box,
        stood_s=0.0,
        first_stream_s=observation.stream_s,
        stood_until_s=observation.watched_s,
        votes=Votes().cast(vehicle.class_name, vehicle.score),
        visibility=Visibility(observation.watched_s),
        last=vehicle,
    )
