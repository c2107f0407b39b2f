"""How long an officer has for each kind of lead: local configuration with a date of effect and a source."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from traceability.periods import Dated, entry_at
from traceability.records import Base, JsonList

ANY_KIND: Final = "*"
WEEK: Final = "week"


class Clock(StrEnum):
    """Which time counts towards a deadline."""

    WORKING = "working"
    CONTINUOUS = "continuous"


class ResponsePolicy(Dated, Base):
    """Minutes to acknowledge and to finish the leads of one kind (`id`, a catalogue key, or "*" for all others)."""

    __tablename__ = "response_policy"

    clock: Mapped[str] = mapped_column(String(16))
    acknowledge_minutes: Mapped[int]
    finish_minutes: Mapped[int]
    source: Mapped[str]

    @classmethod
    def more_table_args(cls) -> tuple[CheckConstraint, ...]:
        """Nobody must finish before acknowledging."""
        return (CheckConstraint("finish_minutes >= acknowledge_minutes", name="finish_after_acknowledge"),)


class WorkingWeek(Dated, Base):
    """Office hours: local `sessions` as [["08:30", "12:00"], …] on ISO `weekdays` in a time zone. `id` is "week"."""

    __tablename__ = "working_week"

    zone: Mapped[str] = mapped_column(String(64))
    weekdays: Mapped[JsonList]
    sessions: Mapped[JsonList]
    source: Mapped[str]


def response_policy_at(session: Session, *, tenant: str, kind: str, at: datetime) -> ResponsePolicy | None:
    """The policy for a kind, else the one for all kinds, as in force at that instant; None when there is neither."""
    return entry_at(session, ResponsePolicy, tenant=tenant, entry_id=kind, at=at) or entry_at(
        session, ResponsePolicy, tenant=tenant, entry_id=ANY_KIND, at=at
    )
