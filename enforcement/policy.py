"""How long an officer has for each kind of lead: local configuration with a date of effect and a source."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, String, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enforcement.deadlines import Calendar, OfficeHours, add_working_time
from enforcement.errors import NoWorkingTime
from enforcement.holidays import public_holidays
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


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """When a task is to be acknowledged and finished, by which clock and policy; no times where none is in force."""

    acknowledge_by: datetime | None
    finish_by: datetime | None
    clock: Clock
    source: str
    complete: bool

    def columns(self) -> dict[str, Any]:
        """As the columns of a task."""
        return {
            "acknowledge_by": self.acknowledge_by,
            "finish_by": self.finish_by,
            "deadline_clock": self.clock.value,
            "deadline_source": self.source,
            "calendar_complete": self.complete,
        }


@dataclass(frozen=True, slots=True)
class ResponseRule:
    """A policy as a value: how long to acknowledge and to finish, by which clock, and the calendar of working hours."""

    clock: Clock
    acknowledge: timedelta
    finish: timedelta
    source: str
    calendar: Calendar | None


def response_rule(session: Session, *, tenant: str, kind: str, at: datetime) -> ResponseRule | None:
    """What `times_by` goes by for a task of that kind opened at that instant; None where no policy is in force."""
    policy = response_policy_at(session, tenant=tenant, kind=kind, at=at)
    if policy is None:
        return None
    clock = Clock(policy.clock)
    minutes = timedelta(minutes=policy.acknowledge_minutes), timedelta(minutes=policy.finish_minutes)
    calendar = calendar_of(session, tenant=tenant) if clock is Clock.WORKING else None
    return ResponseRule(clock, *minutes, policy.source, calendar)


def times_by(rule: ResponseRule | None, at: datetime) -> ResponseTimes:
    """The deadlines of a task opened at that instant.

    Without a policy, or with a policy in working hours but no office hours in effect, a task has no deadlines and an
    empty source: the task itself must never be lost.
    """
    if rule is None:
        return ResponseTimes(None, None, Clock.CONTINUOUS, "", complete=False)
    if rule.clock is Clock.CONTINUOUS:
        return ResponseTimes(at + rule.acknowledge, at + rule.finish, rule.clock, rule.source, complete=True)
    if rule.calendar is None:
        return ResponseTimes(None, None, rule.clock, "", complete=False)
    try:
        acknowledge, finish = (add_working_time(at, span, rule.calendar) for span in (rule.acknowledge, rule.finish))
    except NoWorkingTime:
        return ResponseTimes(None, None, rule.clock, "", complete=False)
    return ResponseTimes(acknowledge.at, finish.at, rule.clock, rule.source, complete=finish.complete)


def response_times(session: Session, *, tenant: str, kind: str, at: datetime) -> ResponseTimes:
    """`times_by` the rule of that kind and instant."""
    return times_by(response_rule(session, tenant=tenant, kind=kind, at=at), at)


def calendar_of(session: Session, *, tenant: str) -> Calendar | None:
    """The tenant's office hours, past and to come, with the public holidays; None when it has set none."""
    weeks = session.scalars(_WEEKS, {"tenant": tenant}).all()
    if not weeks:
        return None
    zone = ZoneInfo(weeks[-1].zone)
    return Calendar(zone, tuple(_office_hours(week, zone) for week in weeks), public_holidays())


_WEEKS: Final = select(WorkingWeek).where(WorkingWeek.tenant == bindparam("tenant")).order_by(WorkingWeek.valid_from)


def _office_hours(week: WorkingWeek, zone: ZoneInfo) -> OfficeHours:
    return OfficeHours(
        first_day=week.valid_from.astimezone(zone).date(),
        end_day=week.valid_to.astimezone(zone).date() if week.valid_to else None,
        weekdays=frozenset(week.weekdays),
        sessions=tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in week.sessions),
    )
