"""`presence`: somebody is in a closed area of a plant.

Indoors feet are often hidden behind tables and machines, so the overlap of the whole box with the zone decides.
"""

from typing import ClassVar

from pydantic import Field

from alerts.messages import Clause
from edge.rules.base import Sighting, permille
from edge.rules.occupancy import OccupancyParameters, OccupancyRule


class PresenceParameters(OccupancyParameters):
    """Adds how much of a person must be inside."""

    in_zone_share: float = Field(default=0.5, gt=0, le=1, description="share of the box that must lie in the zone")


class Presence(OccupancyRule[PresenceParameters]):
    """The rule itself."""

    parameters_type = PresenceParameters
    kinds: ClassVar[tuple[str, ...]] = ("plant.presence",)

    def is_inside(self, sighting: Sighting) -> bool:
        """Enough of the box in the zone."""
        return self.zone.share_of(sighting.box) >= self.parameters.in_zone_share

    def inside_clause(self, persons: tuple[Sighting, ...]) -> Clause:
        """The largest share."""
        return Clause(
            name="overlap",
            holds=True,
            measured=permille(max(self.zone.share_of(each.box) for each in persons)),
            threshold=permille(self.parameters.in_zone_share),
            unit="permille",
        )
