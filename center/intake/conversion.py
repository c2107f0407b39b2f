"""From the words on the wire to the facts of a lead: the only place where an alert becomes rows.

A box without a battery clock boots in 1970. Its records are never refused for that: times that cannot be right are
moved by the difference between when the record came and when the box believed it made it. An incident that was
opened before the clock was set keeps its impossible start; then the earliest time that can be right counts.
"""

from datetime import datetime, timedelta

from alerts.clocks import EARLIEST_YEAR
from alerts.messages import Alert, ClockQuality, Event
from enforcement.leads import LeadFacts

CREDIBLE_AHEAD = timedelta(minutes=5)
CREDIBLE_BEHIND = timedelta(days=90)


def to_facts(event: Event, alert: Alert, *, record_sha256: str, received_at: datetime) -> LeadFacts:
    """What one alert says of one incident, its times put right where the box's clock was wrong."""
    shift = clock_shift(event, alert, received_at)
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
        observed_at=alert.observed_at + shift,
        opened_at=_opened_at(alert, shift),
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
    )


def _opened_at(alert: Alert, shift: timedelta) -> datetime:
    """When the incident began; when it was observed, if the clock has been set since it began."""
    opened = alert.opened_at + shift
    return opened if opened.year >= EARLIEST_YEAR else alert.observed_at + shift


def clock_shift(event: Event, alert: Alert, received_at: datetime) -> timedelta:
    """What to add to the alert's times: nothing, unless the box's clock cannot have been right."""
    credible = received_at - CREDIBLE_BEHIND <= alert.observed_at <= received_at + CREDIBLE_AHEAD
    if credible and alert.clock is not ClockQuality.UNSYNCHRONISED:
        return timedelta(0)
    return received_at - event.time
