"""Makes the annotated copies of announced pictures and reports them, each exactly once, also across power cuts.

They are made some time after the alert, by whoever has time: drawing and encoding takes longer than all the rest of it.
"""

import time
from collections.abc import Callable
from datetime import datetime

import cv2

from alerts.blobs import BlobStore
from alerts.clocks import clock_state
from alerts.errors import BlobDamaged, BlobMissing
from alerts.messages import Evidence
from alerts.outbox import Outbox
from edge.announcements import Tell
from edge.evidence import Annotation, annotate
from edge.incident_store import IncidentStore
from edge.reporting import annotated_artefact

MOST_AT_ONCE = 4
"""So that whoever makes them comes to do something else."""


class Annotator:
    """Works off what `IncidentStore` says is due. `finish` is called by one thread at a time."""

    def __init__(self, outbox: Outbox, blobs: BlobStore, *, tell: Tell, now: Callable[[], datetime]) -> None:
        self._outbox = outbox
        self._blobs = blobs
        self._tell = tell
        self._now = now
        self.is_behind = True
        """Whether copies may be due, first of all those of the last run. Any thread sets it when one has become due."""

    def finish(self) -> None:
        """Make copies that are due, a few at most. Whatever it raises, it goes on from there when called again."""
        self.is_behind = False  # before looking: what becomes due meanwhile sets it again
        try:
            self._make_some()
        except BaseException:
            self.is_behind = True
            raise

    def _make_some(self) -> None:
        with self._outbox.reading() as connection:
            due = IncidentStore(connection).annotations_due(MOST_AT_ONCE)
        if len(due) == MOST_AT_ONCE:
            self.is_behind = True
        for work in due:
            try:
                copy = annotate(self._blobs.read(work.picture_sha256), work)
            except (BlobMissing, BlobDamaged, ValueError, cv2.error) as error:
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
            at = self._now()
            message = Evidence(
                incident=work.incident,
                camera=work.camera,
                artefacts=(artefact,),
                clock_state=clock_state(at, time.monotonic()),
            )
            record = transaction.append(message, at=at)
            transaction.queue_upload(sha256, size_bytes=len(copy), role=artefact.role, incident=work.incident)
            IncidentStore(transaction.connection).remove_annotation(work)
        self._tell(
            "evidence_queued",
            incident=work.incident,
            sequence=record.sequence,
            sha256=sha256,
            size_bytes=len(copy),
        )
