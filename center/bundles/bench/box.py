"""A box that speaks to the centre of the scene: real records of incidents, signed and chained."""

import hashlib
from datetime import datetime, timedelta

from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import (
    Alert,
    Artefact,
    Because,
    Box,
    Clause,
    Clock,
    ClockQuality,
    Evidence,
    FrameSize,
    Model,
    Packets,
    Phase,
    SeenObject,
)
from alerts.records import FIRST_PREVHASH, JournalData, write_record
from center.bundles.bench.centre import CLIP_BYTES, PICTURE_BYTES, TENANT, Centre


class SpeakingBox:
    """Writes a journal, each record after a minute, and sends it unless told to keep it back."""

    def __init__(self, centre: Centre, device: str, quality: ClockQuality = ClockQuality.SYNCHRONISED) -> None:
        self._centre = centre
        self._device = device
        self._quality = quality
        self._prevhash, self._sequence = FIRST_PREVHASH, 0
        self.keys: list[SigningKey] = []
        self.renew_key()
        self._camera = centre.place_camera(device)

    def renew_key(self) -> None:
        """From here on it signs with another key, which the centre is told of."""
        self.keys.append(SigningKey.generate())
        self._centre.enrol(self._device, self.keys[-1])

    def write(self, data: JournalData, *, sent: bool = True) -> None:
        """The journal's next record; one that is not sent never comes."""
        self._centre.at += timedelta(minutes=1)
        self._sequence += 1
        record = write_record(
            data,
            identity=_identity(self._device, self.keys[-1], self._centre.office.keyring.signing_key),
            epoch="bench",
            sequence=self._sequence,
            prevhash=self._prevhash,
            at=self.time,
        )
        self._prevhash = record.sha256
        if sent:
            self._centre.hear(self._device, record.raw)

    @property
    def time(self) -> datetime:
        """What the box believes."""
        is_set = self._quality is not ClockQuality.UNSYNCHRONISED
        return self._centre.at if is_set else self._centre.at - timedelta(days=20_000)

    def alert(self, incident: str, revision: int, phase: Phase, *files: Artefact) -> Alert:
        """A revision of an incident."""
        box = Box(x=651, y=42, width=73, height=57)
        clause = Clause(name="standing_time", holds=True, measured=20_000 * revision, threshold=20_000, unit="ms")
        last_ms = 60_000 * self._sequence
        return Alert(
            incident=incident,
            revision=revision,
            phase=phase,
            kind="street.illegal_parking",
            rule="parking",
            config_sha256="c" * 64,
            camera=self._camera,
            zone="no-parking",
            observed_at=self.time,
            opened_at=self.time,
            stream_ms=last_ms,
            footage="live",
            frame=FrameSize(width=1920, height=1080),
            objects=(SeenObject(class_name="truck", score_permille=801, box=box),),
            because=Because(clauses=(clause,), first_frame_ms=0, last_frame_ms=last_ms),
            model=Model(name="yolov3_tiny", sha256="d" * 64),
            evidence=files,
            clock=self._quality,
        )

    def file(
        self, role: str, *, media_type: str = "image/jpeg", of: Artefact | None = None, comes: bool = True
    ) -> Artefact:
        """A file that it announces, and that comes unless told otherwise."""
        size_bytes = CLIP_BYTES if role == "clip" else PICTURE_BYTES
        data = self._centre.random.randbytes(size_bytes)
        if comes:
            self._centre.office.evidence.put(data)
        sha256 = hashlib.sha256(data).hexdigest()
        return Artefact.model_validate(
            {
                "sha256": sha256,
                "size_bytes": size_bytes,
                "media_type": media_type,
                "role": role,
                "derived_from": of.sha256 if of else None,
                "packets": None if of else self._packets(is_decoded=role == "picture"),
            }
        )

    def tell(self, incident: str, *, revisions: int = 3, clip: bool = True, closed: bool = True) -> None:
        """One incident after the other; a clock record, as any other, lies between its records."""
        picture = self.file("picture")
        self.write(self.alert(incident, 1, Phase.OPENED, picture))
        copy = self.file("annotated", of=picture)
        self.write(Evidence(incident=incident, camera=self._camera, artefacts=(copy,)))
        for revision in range(2, revisions + 1):
            self.write(Clock(boot="b", monotonic_ms=revision, utc=self.time, quality=self._quality))
            is_last = closed and revision == revisions
            self.write(self.alert(incident, revision, Phase.CLOSED if is_last else Phase.UPDATED))
        if clip:
            film = self.file("clip", media_type="video/mp4")
            self.write(Evidence(incident=incident, camera=self._camera, artefacts=(film,)))

    def _packets(self, *, is_decoded: bool) -> Packets:
        first = 1500 * self._sequence
        return Packets(
            first=first,
            last=first if is_decoded else first + 250,
            take=0,
            first_ms=60_000 * self._sequence,
            last_ms=60_000 * self._sequence + (0 if is_decoded else 10_000),
            first_at=self.time,
            last_at=self.time,
            codec="h264",
            decoder="libavcodec 62.11.100 h264" if is_decoded else "",
        )


def _identity(device: str, key: SigningKey, centre: SigningKey) -> Identity:
    return Identity(
        tenant=TENANT,
        device=device,
        signing_key=key,
        centre_key=centre.verify_key,
        center_url="http://127.0.0.1:1",
        mqtt_host="127.0.0.1",
        mqtt_port=1,
        mqtt_username=device,
        mqtt_password="",
    )
