"""What a box reports here without having seen it: a vehicle that stands too long, as large as a real alert."""

import hashlib
from datetime import datetime, timedelta

from alerts.messages import Alert, Artefact, Because, Box, Clause, ClockQuality, FrameSize, Model, Phase, SeenObject

LIMIT_MS = 20_000
PICTURE_BYTES = 81_920


def parked(camera: str, incident: str, at: datetime, picture: bytes = b"") -> Alert:
    """That an incident was opened, with this picture; without one a picture is announced that never comes."""
    named = picture or f"{camera} {incident}".encode()
    return Alert(
        incident=incident,
        revision=1,
        phase=Phase.OPENED,
        kind="street.illegal_parking",
        rule="parking",
        config_sha256="b" * 64,
        camera=camera,
        zone="no-parking",
        observed_at=at,
        opened_at=at - timedelta(milliseconds=LIMIT_MS),
        stream_ms=LIMIT_MS + 100,
        footage="live",
        frame=FrameSize(width=1280, height=720),
        objects=(SeenObject(class_name="truck", score_permille=801, box=Box(x=651, y=42, width=73, height=57)),),
        because=Because(
            clauses=(
                Clause(name="standing_time", holds=True, measured=LIMIT_MS + 100, threshold=LIMIT_MS, unit="ms"),
                Clause(name="inside_zone", holds=True, measured=970, threshold=500, unit="permille"),
            ),
            first_frame_ms=0,
            last_frame_ms=LIMIT_MS + 100,
        ),
        model=Model(name="made-up", sha256="a" * 64),
        evidence=(
            Artefact(
                sha256=hashlib.sha256(named).hexdigest(),
                size_bytes=len(picture) or PICTURE_BYTES,
                media_type="image/jpeg",
                role="picture",
            ),
        ),
        clock=ClockQuality.SYNCHRONISED,
    )
