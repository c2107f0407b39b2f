"""What could not be told for want of room, to be owned up to once there is some: three figures, however much it is."""

from dataclasses import dataclass
from datetime import datetime

from alerts.messages import Dropped


@dataclass(frozen=True, slots=True)
class Losses:
    """How many things were lost, and the first and the last moment (aware UTC) that they were about."""

    count: int
    first_at: datetime
    last_at: datetime

    def after(self, before: "Losses | None") -> "Losses":
        """These and those before them."""
        if before is None:
            return self
        first_at, last_at = min(before.first_at, self.first_at), max(before.last_at, self.last_at)
        return Losses(before.count + self.count, first_at, last_at)

    def owned_up(self) -> Dropped:
        """The record that says so."""
        return Dropped(count=self.count, reason="outbox_full", first_at=self.first_at, last_at=self.last_at)
