"""Makes the annotated copies of announced pictures and reports them, each exactly once, also across power cuts."""

from collections.abc import Callable
from datetime import datetime

from alerts.blobs import BlobStore
from alerts.errors import BlobDamaged, BlobMissing, BlobStoreFull, OutboxFull
from alerts.messages import Evidence
from alerts.outbox import Outbox
from edge.announcements import Tell
from edge.evidence import Annotation, annotate
from edge.incident_store import IncidentStore
from edge.reporting import annotated_artefact


class Annotator:
    """Works off what `IncidentStore` says is due."""

    def __init__(self, outbox: Outbox, blobs: BlobStore, *, tell: Tell, now: Callable[[], datetime]) -> None:
        self._outbox = outbox
        self._blobs = blobs
        self._tell = tell
        self._now = now
        self.is_behind = False
        """Whether copies wait that could not be made, for want of room."""

    def finish(self) -> None:
        """Make every copy that is due. Raises OutboxFull or BlobStoreFull, and goes on from there when called again."""
        try:
            self._make_all()
        except (OutboxFull, BlobStoreFull):
            self.is_behind = True
            raise
        self.is_behind = False

    def _make_all(self) -> None:
        with self._outbox.reading() as connection:
            due = IncidentStore(connection).annotations_due()
        for work in due:
            try:
                copy = annotate(self._blobs.read(work.picture_sha256), work)
            except (BlobMissing, BlobDamaged, ValueError) as error:
                self._tell("trouble", what="annotated picture", reason=str(error))
                self._give_up(work)
            else:
                self._report(work, copy)

    def _give_up(self, work: Annotation) -> None:
        with self._outbox.transaction() as transaction:
            IncidentStore(transaction.connection).remove_annotation(work)

    def _report(self, work: Annotation, copy: bytes) -> None:
        sha256 = self._blobs.put(copy)
        artefact = annotated_artefact(sha256, len(copy), derived_from=work.picture_sha256)
        with self._outbox.transaction() as transaction:
            message = Evidence(incident=work.incident, camera=work.camera, artefacts=(artefact,))
            record = transaction.append(message, at=self._now())
            transaction.queue_upload(sha256, size_bytes=len(copy))
            IncidentStore(transaction.connection).remove_annotation(work)
        self._tell(
            "evidence_queued",
            incident=work.incident,
            sequence=record.sequence,
            sha256=sha256,
            size_bytes=len(copy),
        )
