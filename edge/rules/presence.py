"""`presence`: somebody is in a closed area of a plant.

Indoors feet are often hidden behind tables and machines, so the overlap of the whole box with the zone decides.
"""

from collections.abc import Sequence
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

    def are_inside(self, persons: Sequence[Sighting]) -> Sequence[bool]:
        """Enough of the box in the zone."""
        shares = self.zone.shares_of([each.box for each in persons])
        return [share >= self.parameters.in_zone_share for share in shares]

    def inside_clause(self, persons: tuple[Sighting, ...]) -> Clause:
        """The largest share."""
        return Clause(
            name="overlap",
            holds=True,
            measured=permille(max(self.zone.shares_of([each.box for each in persons]))),
            threshold=permille(self.parameters.in_zone_share),
            unit="permille",
        )
