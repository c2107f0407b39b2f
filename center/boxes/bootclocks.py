"""When a boot of a box was, as far as the centre can tell: for what a box recorded while nothing kept its clock right.

A box's monotonic clock runs from its start and is never set. So one moment of a boot that is known in UTC dates all of
that boot, however often the wall clock was set meanwhile, and nothing of another boot. Moments become known by:

- A time server. It set the box's clock later in the same boot: its `clock` record maps the boot to UTC.
- The connection. The box's status was sealed before it came, and after the last word of the centre that it had heard:
  the boot's offset lies between the two, whatever network was in between.

Between two moments a quartz runs free: `DRIFT_PPM` of the time between is added to what is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, ForeignKeyConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.control_messages import Heard, Status
from alerts.messages import Clock, ClockQuality, ClockState
from enforcement.leads import TimeSource
from traceability.records import Base, OfTenant

DRIFT_PPM: Final = 100
"""Quartzes of small computers are specified to 20 to 50 ppm, and age and cold add to that."""

SET_ERROR_MS: Final = 1000
"""A clock that a time server keeps is taken to be right to this."""

DISCORD_MS: Final = 300_000
"""A time server's word that differs by more from what the centre saw itself is not believed."""

LONGEST_MS: Final = 50 * 366 * 86_400_000
"""No box runs so long: what claims it is not reckoned with."""

MATTERS: Final = timedelta(seconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A moment of a boot in UTC, on whose word, and how far off it may be; None: it was then or earlier."""

    at: datetime
    source: TimeSource
    error: timedelta | None


class BootClock(OfTenant, Base):
    """What is known of one boot: UTC less the monotonic clock, in milliseconds since 1970, each with when it was seen.

    `latest` and `earliest` are the bounds of the centre's own view, `set` what a time server told the box.
    """

    __tablename__ = "boot_clock"
    __table_args__ = (ForeignKeyConstraint(("tenant", "device"), ("device.tenant", "device.id")),)

    device: Mapped[str] = mapped_column(String(64), primary_key=True)
    boot: Mapped[str] = mapped_column(String(64), primary_key=True)
    latest_ms: Mapped[int | None] = mapped_column(BigInteger)
    latest_at_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    earliest_ms: Mapped[int | None] = mapped_column(BigInteger)
    earliest_at_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    set_ms: Mapped[int | None] = mapped_column(BigInteger)
    set_at_ms: Mapped[int] = mapped_column(BigInteger, default=0)

    def reckon(self, monotonic_ms: int) -> Reckoned | None:
        """When this moment of the boot was; None if nothing is known of it."""
        if monotonic_ms > LONGEST_MS:
            return None
        latest, earliest = self._bounds(monotonic_ms)
        if self.set_ms is not None and _agrees(self.set_ms, latest, earliest):
            error_ms = SET_ERROR_MS + _drift(monotonic_ms - self.set_at_ms)
            return _reckoned(self.set_ms + monotonic_ms, TimeSource.BOOT, error_ms)
        if latest is None:
            return None
        if earliest is None:
            return _reckoned(latest + monotonic_ms, TimeSource.CENTRE, None)
        return _reckoned((latest + earliest) // 2 + monotonic_ms, TimeSource.CENTRE, (latest - earliest + 1) // 2)

    def see(self, clock: ClockState, heard: Heard | None, at: datetime) -> None:
        """The box was connected: it sealed a status at `clock`, which came `at`; before, it had `heard` the centre."""
        latest, earliest = self._bounds(clock.monotonic_ms)
        bound = _milliseconds(at) - clock.monotonic_ms
        if earliest is not None and bound < earliest - SET_ERROR_MS:  # the centre's own clock was wrong before
            self.latest_ms = self.earliest_ms = latest = None
        if latest is None or bound <= latest:
            self.latest_ms, self.latest_at_ms = bound, clock.monotonic_ms
        if heard is None or heard.monotonic_ms > clock.monotonic_ms or self.latest_ms is None:
            return
        _, earliest = self._bounds(heard.monotonic_ms)
        bound = _milliseconds(heard.at) - heard.monotonic_ms
        if bound <= self.latest_ms and (earliest is None or bound >= earliest):
            self.earliest_ms, self.earliest_at_ms = bound, heard.monotonic_ms

    def _bounds(self, monotonic_ms: int) -> tuple[int | None, int | None]:
        """The latest and the earliest offset at this moment, wider the further it is from when they were seen."""
        latest, earliest = self.latest_ms, self.earliest_ms
        return (
            None if latest is None else latest + _drift(monotonic_ms - self.latest_at_ms),
            None if earliest is None else earliest - _drift(monotonic_ms - self.earliest_at_ms),
        )


def note_status_clock(session: Session, *, tenant: str, device: str, status: Status, at: datetime) -> bool:
    """Learn from a status that just came; whether what is known of its boot has become something else.

    Nothing is learnt where a time server keeps the box's clock.
    """
    clock = status.clock
    if clock is None or not _is_usable(clock) or clock.source in ("kernel", "timesyncd"):
        return False
    row = _row(session, tenant, device, clock.boot)
    before = row.reckon(clock.monotonic_ms)
    row.see(clock, status.heard, at)
    return _is_news(before, row.reckon(clock.monotonic_ms))


def note_clock_record(session: Session, *, tenant: str, device: str, clock: Clock) -> bool:
    """Learn from a `clock` record of a box whose clock a time server keeps; whether that is news."""
    if clock.quality is not ClockQuality.SYNCHRONISED or not _is_usable(clock):
        return False
    row = _row(session, tenant, device, clock.boot)
    before = row.reckon(clock.monotonic_ms)
    if row.set_ms is None or clock.monotonic_ms >= row.set_at_ms:
        row.set_ms, row.set_at_ms = _milliseconds(clock.utc) - clock.monotonic_ms, clock.monotonic_ms
    return _is_news(before, row.reckon(clock.monotonic_ms))


def find_boot_clocks(
    session: Session, tenant: str, boots: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], BootClock]:
    """What is known of these boots, by box and boot."""
    wanted = sorted(set(boots))
    if not wanted:
        return {}
    devices, names = {device for device, _ in wanted}, {boot for _, boot in wanted}
    own = (BootClock.tenant == tenant, BootClock.device.in_(devices), BootClock.boot.in_(names))
    return {(row.device, row.boot): row for row in session.scalars(select(BootClock).where(*own))}


def _row(session: Session, tenant: str, device: str, boot: str) -> BootClock:
    row = session.get(BootClock, (tenant, device, boot))
    if row is None:
        row = BootClock(tenant=tenant, device=device, boot=boot, latest_at_ms=0, earliest_at_ms=0, set_at_ms=0)
        session.add(row)
    return row


def _is_usable(clock: ClockState | Clock) -> bool:
    return clock.boot != "unknown" and clock.monotonic_ms <= LONGEST_MS


def _is_news(before: Reckoned | None, after: Reckoned | None) -> bool:
    if before is None or after is None:
        return before is not after
    return before.source is not after.source or abs(before.at - after.at) >= MATTERS


def _agrees(offset_ms: int, latest: int | None, earliest: int | None) -> bool:
    return (latest is None or offset_ms <= latest + DISCORD_MS) and (
        earliest is None or offset_ms >= earliest - DISCORD_MS
    )


def _reckoned(at_ms: int, source: TimeSource, error_ms: int | None) -> Reckoned | None:
    try:
        at = _EPOCH + timedelta(milliseconds=at_ms)
    except OverflowError:
        return None
    return Reckoned(at, source, None if error_ms is None else timedelta(milliseconds=error_ms))


def _drift(length_ms: int) -> int:
    return abs(length_ms) * DRIFT_PPM // 1_000_000


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND
