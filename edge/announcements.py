"""What the box says about itself while it runs: short fixed event names with plain fields, for people and programs.

`teawatch edge run --events` writes each as one JSON object a line on standard output, with `event` and `at` (UTC):

| event | fields |
|---|---|
| `started` | device, epoch, cameras (list), rules (count), config_sha256, pending_records |
| `camera_state` | camera, reason, state: `connecting playing degraded unreachable refused failed ended` |
| `camera_health` | camera, troubles (list): what hinders its view from now on; empty when nothing does |
| `seen` | camera, counts (objects by class), rate_per_s (looks), frames (looks so far), open_incidents; once a second |
| `incident_opened`, `incident_updated` | incident, camera, rule, zone, kind, objects (count), class_name, revision |
| `incident_closed` | the same, and reason (`unseen`, `not_configured`) |
| `alert_queued` | incident, phase, revision, sequence, picture_sha256 (empty without one) |
| `evidence_queued` | incident, sequence, sha256, size_bytes |
| `clip_queued` | incident, camera, sequence, size_bytes, seconds, before_s (the incident opened), ending, left_out |
| `alert_sent` | sequence, times (how often so far), of every journal record |
| `receipt` | stored, quarantined: how many records the centre has just confirmed |
| `set_aside` | count: so many of them were quarantined; a warning, the centre's quarantine page says why |
| `evidence_uploaded` | sha256, size_bytes |
| `connected`, `disconnected` | broker or reason |
| `trouble` | what, reason; `trouble_over` with what, when it has passed |
| `reloaded` | cameras (list), config_sha256: a changed configuration is in force |
| `key_rotated` | sequence, key_id: the box signs with a new key from this record on |
| `certificate_renewed` | the box connects with a new certificate |
| `missed` | count: so many events were not written, for nobody read them |
| `stopped` | pending_records, pending_uploads, peak_rss_mb |
"""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeAlias

import structlog

Sink: TypeAlias = Callable[[str, Mapping[str, Any]], None]
"""Takes an event's name and fields; may be called from any thread, one call at a time."""


class Tell(Protocol):
    """How a part of the box says something."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Say `event` with its fields."""
        ...


class Announcer:
    """Passes every event on to its sinks, one at a time, from whatever thread it comes.

    A sink that cannot write, for want of room on the disk of the logs, say, misses the event; nobody else does.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)
        self._lock = threading.Lock()

    def __call__(self, event: str, /, **fields: object) -> None:
        """Say it."""
        with self._lock:
            for sink in self._sinks:
                with suppress(OSError):
                    sink(event, fields)


def log_events(event: str, fields: Mapping[str, Any]) -> None:
    """A sink into the log, without what is seen every second and what publisher and uploader log themselves."""
    if event != "seen" and event not in DELIVERY.values():
        write = log.warning if event in WARNINGS else log.info
        write(event, **fields)


log = structlog.get_logger("edge")

WARNINGS = ("trouble", "set_aside")
"""Events that somebody should look into."""

DELIVERY = {
    "record_sent": "alert_sent",
    "records_confirmed": "receipt",
    "file_sent": "evidence_uploaded",
    "connected": "connected",
    "disconnected": "disconnected",
    "key_rotated": "key_rotated",
}
"""Names of the publisher's and uploader's events that are passed on as they are."""

TROUBLES = {
    "downlink_rejected": "a message that claims to be the centre's was refused",
    "outbox_trouble": "outbox",
    "records_discarded": "outbox",
    "file_refused": "evidence",
    "forked": "identity",
}


def delivery_to(tell: Tell) -> Callable[[str, Mapping[str, object]], None]:
    """What publisher and uploader may call: their events in the words of the table above.

    That there is no connection is said once, not at each attempt.
    """
    is_down = False

    def pass_on(event: str, detail: Mapping[str, object]) -> None:
        nonlocal is_down
        if event == "disconnected" and is_down:
            return
        if event in ("connected", "disconnected"):
            is_down = event == "disconnected"
        if event in DELIVERY:
            tell(DELIVERY[event], **detail)
            if event == "records_confirmed" and detail["quarantined"]:
                tell("set_aside", count=detail["quarantined"])
        elif event in TROUBLES:
            tell("trouble", what=TROUBLES[event], reason=detail.get("reason", ""))

    return pass_on


def set_up_log(*, as_json: bool, quiet: bool = False) -> None:
    """Log lines on standard error: JSON for a service, readable on a terminal, errors only beside a live console."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("error" if quiet else "info"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
