"""From the words on the wire to the facts of a lead: the only place where an alert becomes rows.

A box without a battery clock boots in 1970. Its records are never refused for that: times that cannot be right are
moved by the difference between when the record came and when the box believed it made it; what is still impossible
then counts as seen when it came. What the box wrote is kept beside. An incident cannot have begun after it was seen,
nor in a year without a clock.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from alerts.clocks import EARLIEST_YEAR
from alerts.messages import Alert, ClockQuality, Event
from enforcement.leads import LeadFacts

CREDIBLE_AHEAD = timedelta(minutes=5)
CREDIBLE_BEHIND = timedelta(days=90)


def to_facts(event: Event, alert: Alert, *, record_sha256: str, received_at: datetime) -> LeadFacts:
    """What one alert says of one incident, its times put right where the box's clock was wrong."""
    seen = sighting(event, alert, received_at)
    is_replaced = seen != (alert.opened_at, alert.observed_at)
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
        objects=tuple(seen.model_dump(mode="json") for seen in alert.objects),
        because=alert.because.model_dump(mode="json"),
        model_name=alert.model.name,
        model_sha256=alert.model.sha256,
        clock=alert.clock.value,
        unobserved_ms=alert.unobserved_ms,
        record_sha256=record_sha256,
        box_opened_at=alert.opened_at if is_replaced else None,
        box_observed_at=alert.observed_at if is_replaced else None,
    )


class Sighting(NamedTuple):
    """When an incident began and when this alert saw it, as far as that can be told."""

    opened_at: datetime
    observed_at: datetime


def sighting(event: Event, alert: Alert, received_at: datetime) -> Sighting:
    """The alert's times: as they are when the box's clock can have been right, else moved or replaced."""
    shift = timedelta(0)
    if alert.clock is ClockQuality.UNSYNCHRONISED or not is_credible(alert.observed_at, received_at):
        shift = received_at - event.time
    observed_at = _moved(alert.observed_at, shift)
    if observed_at is None or not is_credible(observed_at, received_at):
        observed_at = received_at
    opened_at = _moved(alert.opened_at, shift)
    if opened_at is None or opened_at.year < EARLIEST_YEAR or opened_at > observed_at:
        opened_at = observed_at
    return Sighting(opened_at, observed_at)


def is_credible(at: datetime, received_at: datetime) -> bool:
    """Whether a box whose record came now can have written this time: backlog may be old, the future may not."""
    return received_at - CREDIBLE_BEHIND <= at <= received_at + CREDIBLE_AHEAD


def _moved(at: datetime, shift: timedelta) -> datetime | None:
    """None where that is outside the calendar."""
    try:
        return at + shift
    except OverflowError:
        return None
