"""Local choices about links and weights, each with a date of effect and its source: never constants in code."""

from datetime import date, datetime, timedelta
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from traceability.periods import Dated, entry_at
from traceability.records import Base

LINKS: Final = "links"


class LinkPolicy(Dated, Base):
    """How near in time and ground something must be to a camera's sight to be linked with it.

    Leaf counts as concerned when it was picked from `picked_before_days` before to `picked_after_days` after the
    sight, by local days of `zone`; ground when at least `overlap_min_m2` of it are in view. `id` is always "links".
    """

    __tablename__ = "link_policy"

    picked_before_days: Mapped[int]
    picked_after_days: Mapped[int]
    overlap_min_m2: Mapped[int]
    zone: Mapped[str] = mapped_column(String(64))
    source: Mapped[str]

    def picking_window(self, sighted_at: datetime) -> tuple[date, date]:
        """First and last day of picking that a sight concerns."""
        day = sighted_at.astimezone(ZoneInfo(self.zone)).date()
        return day - timedelta(days=self.picked_before_days), day + timedelta(days=self.picked_after_days)


def link_policy_at(session: Session, *, tenant: str, at: datetime) -> LinkPolicy | None:
    """The policy in force at that instant, if the tenant has set one."""
    return entry_at(session, LinkPolicy, tenant=tenant, entry_id=LINKS, at=at)


class LedgerPolicy(Dated, Base):
    """What weights are plausible for a kind of product (`id`) in a season; `valid_from` begins the season."""

    __tablename__ = "ledger_policy"

    GREEN_TEA: ClassVar[str] = "green_tea"

    leaf_cap_g_per_mu: Mapped[int]
    input_per_made_min_permille: Mapped[int]
    input_per_made_max_permille: Mapped[int]
    source: Mapped[str]
