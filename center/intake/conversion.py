"""From the words on the wire to the facts of a lead: the only place where an alert becomes rows.

A box without a battery clock boots in 1970. Its records are never refused for that: times that cannot be right are
reckoned from the box's monotonic clock, where something is known of that boot (`center.boxes.bootclocks`). Else they
are moved by the difference between when the record came and when the box believed it made it; what is still impossible
then counts as seen when it came. What the box wrote is kept beside. An incident cannot have begun after it was seen,
nor before the boot whose clock wrote it, nor in a year without a clock.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from alerts.clocks import EARLIEST_YEAR
from alerts.messages import Alert, ClockQuality, Event
from center.boxes.bootclocks import BootClock, Reckoned
from enforcement.leads import LeadFacts, TimeSource

CREDIBLE_AHEAD = timedelta(minutes=5)
CREDIBLE_BEHIND = timedelta(days=90)


BootClocks = Mapping[tuple[str, str], BootClock]
"""What is known of boots, by box and boot."""


def to_facts(event: Event, alert: Alert, *, record_sha256: str, received_at: datetime, boots: BootClocks) -> LeadFacts:
    """What an alert, read from this event, says of an incident, its times put right where the box's clock was wrong."""
    seen = sighting(event, alert, received_at, boots)
    is_replaced = (seen.opened_at, seen.observed_at) != (alert.opened_at, alert.observed_at)
    state = alert.clock_state if seen.source is not TimeSource.BOX else None
    return LeadFacts(
        tenant=event.tenant,
        device=event.device,
        incident=alert.incident,
        revision=alert.revision,
        phase=alert.phase.value,
        kind=alert.kind,
        rule=alert.rule,
        config_sha256=alert.config_sha256,
        camera=alert.camera,
        zone=alert.zone,
        observed_at=seen.observed_at,
        opened_at=seen.opened_at,
        stream_ms=alert.stream_ms,
        footage=alert.footage,
        frame_width=alert.frame.width,
        frame_height=alert.frame.height,
        objects=tuple(cast("list[dict[str, Any]]", event.data["objects"])),
        because=cast("dict[str, Any]", event.data["because"]),
        model_name=alert.model.name,
        model_sha256=alert.model.sha256,
        clock=alert.clock.value,
        unobserved_ms=alert.unobserved_ms,
        record_sha256=record_sha256,
        box_opened_at=alert.opened_at if is_replaced else None,
        box_observed_at=alert.observed_at if is_replaced else None,
        time_source=seen.source,
        boot=state.boot if state else "",
        boot_ms=state.monotonic_ms if state else 0,
    )


class Sighting(NamedTuple):
    """When an incident began and when this alert saw it, as far as that can be told, and on whose word."""

    opened_at: datetime
    observed_at: datetime
    source: TimeSource


def sighting(event: Event, alert: Alert, received_at: datetime, boots: BootClocks) -> Sighting:
    """The alert's times: as they are when the box's clock can have been right, else reckoned, moved or replaced."""
    if not is_doubtful(alert, received_at):
        return _sighting(alert, timedelta(0), received_at, TimeSource.BOX)
    state = alert.clock_state
    known = boots.get((event.device, state.boot)) if state else None
    reckoned = known.reckon(state.monotonic_ms) if known and state else None
    if state is None or reckoned is None or not is_credible(reckoned.at, received_at):
        return _sighting(alert, received_at - event.time, received_at, TimeSource.ARRIVAL)
    times = reckon(reckoned, alert.opened_at, alert.observed_at, boot_ms=state.monotonic_ms, received_at=received_at)
    return Sighting(*times, reckoned.source)


def reckon(
    reckoned: Reckoned, box_opened_at: datetime, box_observed_at: datetime, *, boot_ms: int, received_at: datetime
) -> tuple[datetime, datetime]:
    """When it began and when it was observed, `boot_ms` into a boot; the box's own times tell only how long it lasted.

    What lasted longer than that boot, or backwards, was not measured by one clock: then its beginning is not known.
    """
    observed_at = min(reckoned.at, received_at)
    lasted = box_observed_at - box_opened_at
    is_known = timedelta(0) <= lasted <= timedelta(milliseconds=boot_ms)
    return observed_at - lasted if is_known else observed_at, observed_at


def is_doubtful(alert: Alert, received_at: datetime) -> bool:
    """Whether nothing kept the clock right that dated the alert, or it cannot have been right."""
    return alert.clock is ClockQuality.UNSYNCHRONISED or not is_credible(alert.observed_at, received_at)


def _sighting(alert: Alert, shift: timedelta, received_at: datetime, source: TimeSource) -> Sighting:
    observed_at = _moved(alert.observed_at, shift)
    if observed_at is None or not is_credible(observed_at, received_at):
        observed_at = received_at
    opened_at = _moved(alert.opened_at, shift)
    if opened_at is None or opened_at.year < EARLIEST_YEAR or opened_at > observed_at:
        opened_at = observed_at
    return Sighting(opened_at, observed_at, source)


def is_credible(at: datetime, received_at: datetime) -> bool:
    """Whether a box whose record came now can have written this time: backlog may be old, the future may not."""
    return received_at - CREDIBLE_BEHIND <= at <= received_at + CREDIBLE_AHEAD


def _moved(at: datetime, shift: timedelta) -> datetime | None:
    """None where that is outside the calendar."""
    try:
        return at + shift
    except OverflowError:
        return None
