"""From a violation to the message about it: shares become pixels, seconds milliseconds, and no float is left."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerts.messages import (
    Alert,
    Artefact,
    Because,
    Box,
    Clause,
    ClockQuality,
    ClockState,
    FrameSize,
    Model,
    Packets,
    Phase,
    SeenObject,
)
from edge import boxes
from edge.evidence import Annotation, Label
from edge.incidents import Change, Incident
from edge.rules.base import Sighting, milliseconds, permille
from edge.zones import Zone
from streams.clips import Clip
from streams.frames import Frame

MOST_OBJECTS = 64
_NO_ID = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What does not change from alert to alert of one camera: who saw it, with which model and configuration."""

    footage: Literal["live", "recording"]
    model: Model
    config_sha256: str


def write_alert(
    change: Change,
    witness: Witness,
    *,
    observed_at: datetime,
    clock: ClockQuality,
    close_after_s: float,
    evidence: tuple[Artefact, ...] = (),
    clock_state: ClockState | None = None,
) -> Alert:
    """The message of a change that has a phase; `close_after_s` is the threshold of the closing clause."""
    if change.phase is None:
        raise ValueError("a change without a phase is not told")
    closing = (_unseen_clause(change.unseen_s, close_after_s),) if change.phase is Phase.CLOSED else ()
    alert = _alert(
        change.incident, change.phase, witness, closing, observed_at=observed_at, clock=clock, evidence=evidence
    )
    return alert.model_copy(update={"clock_state": clock_state})


def write_orphan(incident: Incident, witness: Witness, *, observed_at: datetime, clock: ClockQuality) -> Alert:
    """Closes an incident whose camera, zone or rule is no longer in the configuration, and says that this is why."""
    gone = Clause(name="configured", holds=False, measured=0, threshold=1, unit="count")
    return _alert(incident, Phase.CLOSED, witness, (gone,), observed_at=observed_at, clock=clock)


def picture_artefact(
    sha256: str, size_bytes: int, packets: Packets | None, credentials: Literal["c2pa", "failed"] | None = None
) -> Artefact:
    """The sealed picture as it is announced, with the packet it was decoded from."""
    return Artefact(
        sha256=sha256,
        size_bytes=size_bytes,
        media_type="image/jpeg",
        role="picture",
        packets=packets,
        credentials=credentials,
    )


def packets_of_frame(frame: Frame) -> Packets | None:
    """The packet that a picture was decoded from; None where the frame does not say how."""
    if not frame.codec:
        return None
    at_ms = milliseconds(frame.stream_s)
    return Packets(
        first=frame.index,
        last=frame.index,
        take=frame.take,
        first_ms=at_ms,
        last_ms=at_ms,
        first_at=frame.utc,
        last_at=frame.utc,
        codec=_NO_ID.sub("_", frame.codec)[:64],
        decoder=frame.decoder[:64],
        encoder=frame.encoder[:64],
    )


def packets_of_clip(clip: Clip) -> Packets:
    """The packets that a clip holds as they came."""
    first_at, last_at = sorted((clip.utc, clip.until))
    return Packets(
        first=clip.first,
        last=clip.last,
        take=clip.take,
        first_ms=milliseconds(clip.begins_s),
        last_ms=milliseconds(clip.ends_s),
        first_at=first_at,
        last_at=last_at,
        codec=_NO_ID.sub("_", clip.codec)[:64],
        encoder=clip.encoder[:64],
    )


def annotated_artefact(sha256: str, size_bytes: int, *, derived_from: str) -> Artefact:
    """The annotated copy as it is announced."""
    return Artefact(
        sha256=sha256, size_bytes=size_bytes, media_type="image/jpeg", role="annotated", derived_from=derived_from
    )


def annotation_of(alert: Alert, incident: Incident, zone: Zone, picture_sha256: str) -> Annotation:
    """What to draw on the sealed picture of an alert."""
    facts = ", ".join(_in_words(clause) for clause in alert.because.clauses)
    return Annotation(
        picture_sha256=picture_sha256,
        incident=incident.id,
        camera=alert.camera,
        title=f"{alert.camera} {alert.zone} {alert.rule}  {alert.observed_at:%Y-%m-%d %H:%M:%S} UTC  {facts}",
        zone=zone.polygon,
        labels=tuple(Label(f"{each.class_name} {each.score:.2f}", each.box) for each in incident.last.objects),
    )


def _alert(
    incident: Incident,
    phase: Phase,
    witness: Witness,
    further: tuple[Clause, ...],
    *,
    observed_at: datetime,
    clock: ClockQuality,
    evidence: tuple[Artefact, ...] = (),
) -> Alert:
    width, height = incident.frame_px
    last_ms = milliseconds(incident.last_stream_s)
    return Alert(
        incident=incident.id,
        revision=incident.told.revision + 1,
        phase=phase,
        kind=incident.key.kind,
        rule=incident.key.rule,
        config_sha256=witness.config_sha256,
        camera=incident.key.camera,
        zone=incident.key.zone,
        observed_at=observed_at,
        opened_at=incident.opened_at,
        stream_ms=last_ms,
        footage=witness.footage,
        frame=FrameSize(width=width, height=height),
        objects=tuple(_seen_object(each, incident.frame_px) for each in incident.last.objects[:MOST_OBJECTS]),
        because=Because(
            clauses=(*incident.last.clauses, *further),
            first_frame_ms=min(last_ms, milliseconds(incident.last.since_stream_s)),
            last_frame_ms=last_ms,
        ),
        model=witness.model,
        evidence=evidence,
        clock=clock,
        unobserved_ms=milliseconds(incident.unobserved_s),
    )


def _seen_object(sighting: Sighting, frame_px: tuple[int, int]) -> SeenObject:
    return SeenObject(
        class_name=_NO_ID.sub("_", sighting.class_name),
        score_permille=permille(sighting.score),
        box=_in_pixels(sighting.box, frame_px),
    )


def _in_pixels(box: boxes.Box, frame_px: tuple[int, int]) -> Box:
    width, height = frame_px
    left, top = round(box.left * width), round(box.top * height)
    return Box(x=left, y=top, width=round(box.right * width) - left, height=round(box.bottom * height) - top)


def _unseen_clause(unseen_s: float, close_after_s: float) -> Clause:
    return Clause(
        name="unseen_time",
        holds=True,
        measured=milliseconds(unseen_s),
        threshold=milliseconds(close_after_s),
        unit="ms",
    )


def _in_words(clause: Clause) -> str:
    name = clause.name.replace("_", " ")
    if clause.unit == "ms":
        return f"{name} {clause.measured / 1000:.1f} s (limit {clause.threshold / 1000:.1f} s)"
    if clause.unit == "permille":
        return f"{name} {clause.measured / 10:.0f} % (limit {clause.threshold / 10:.0f} %)"
    return f"{name} {clause.measured}"
