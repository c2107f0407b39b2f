"""Local choices about links, each with a date of effect and its source: never constants in code."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Mapped, Session

from traceability.errors import UnknownEntry
from traceability.periods import Dated, entry_at
from traceability.records import Base

LINKS: Final = "links"


class LinkPolicy(Dated, Base):
    """How near in time and ground something must be to a camera's sight to be linked with it.

    Leaf counts as concerned when it was picked from `picked_before_days` before to `picked_after_days` after the
    sight; ground when at least `overlap_min_m2` of it are in view. `id` is always "links".
    """

    __tablename__ = "link_policy"

    picked_before_days: Mapped[int]
    picked_after_days: Mapped[int]
    overlap_min_m2: Mapped[int]
    source: Mapped[str]

    def picking_window(self, day: date) -> tuple[date, date]:
        """First and last day of picking that a sight on `day` concerns."""
        return day - timedelta(days=self.picked_before_days), day + timedelta(days=self.picked_after_days)


def link_policy_at(session: Session, *, tenant: str, at: datetime) -> LinkPolicy:
    """The policy in force at that instant.

    Raises:
        UnknownEntry: the tenant has set none for that time.
    """
    policy = entry_at(session, LinkPolicy, tenant=tenant, entry_id=LINKS, at=at)
    if policy is None:
        raise UnknownEntry(f"tenant {tenant!r} has no link policy in force at {at.isoformat()}; register one")
    return policy
