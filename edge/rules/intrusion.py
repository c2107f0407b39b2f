"""`intrusion`: somebody walks on a protected plot (their feet are in it).

The foot point is the middle of the box's lower edge: on open ground it says where somebody stands, while a head may
well be seen in front of the plot from the road behind it.
"""

from collections.abc import Sequence
from typing import ClassVar

from alerts.messages import Clause
from edge.rules.base import Sighting
from edge.rules.occupancy import OccupancyParameters, OccupancyRule


class IntrusionParameters(OccupancyParameters):
    """As for every occupancy."""


class Intrusion(OccupancyRule[IntrusionParameters]):
    """The rule itself."""

    parameters_type = IntrusionParameters
    kinds: ClassVar[tuple[str, ...]] = ("garden.intrusion",)

    def are_inside(self, persons: Sequence[Sighting]) -> Sequence[bool]:
        """Feet in the zone."""
        return self.zone.holds_each([each.box.foot for each in persons])

    def inside_clause(self, persons: tuple[Sighting, ...]) -> Clause:
        """So many pairs of feet."""
        return Clause(name="person_in_zone", holds=True, measured=len(persons), threshold=1, unit="count")
