"""Whether each camera can see, written down: the coverage ledger, and the reference view of every camera."""

import time
from collections.abc import Callable
from datetime import datetime

from alerts.outbox import Outbox
from edge.announcements import Tell
from edge.box import Box
from edge.coverage_store import CoverageBook
from edge.references import ReferenceShelf
from edge.views import Reference

NOTE_EVERY_S = 1.0
SHELF_EVERY_S = 10.0


class Outlook:
    """Call it now and then; `close` when the box stops. Both raise OutboxFull."""

    def __init__(
        self, box: Box, outbox: Outbox, shelf: ReferenceShelf, tell: Tell, *, now: Callable[[], datetime]
    ) -> None:
        """Takes up what the last run left."""
        self._box = box
        self._book = CoverageBook(outbox)
        self._shelf = shelf
        self._tell = tell
        self._now = now
        self._note_s = self._shelf_s = 0.0
        self._troubles: dict[str, tuple[str, ...]] = {}
        self._known: set[str] = set(box.sights())
        self._stored: set[str] = set()
        self._is_shelf_broken = False
        for camera in self._known:
            self._take_reference(camera)
        self._book.take_up(self._known, utc=now(), monotonic_s=time.monotonic())

    def __call__(self) -> None:
        """Note how things are, if it is time."""
        now_s = time.monotonic()
        if now_s < self._note_s:
            return
        self._note_s = now_s + NOTE_EVERY_S
        sights = self._box.sights()
        for camera in sights.keys() - self._known:
            self._book.add(camera, monotonic_s=now_s)
            self._take_reference(camera)
        for camera in self._known - sights.keys():
            self._book.remove(camera, utc=self._now(), monotonic_s=now_s)
        self._known = set(sights)
        self._say_troubles()
        if now_s >= self._shelf_s:
            self._shelf_s = now_s + SHELF_EVERY_S
            self._tend_references()
        self._book.note(sights, utc=self._now(), monotonic_s=now_s)

    def close(self) -> None:
        """Report everything: the box stops on purpose."""
        self._book.close(utc=self._now(), monotonic_s=time.monotonic())

    def _say_troubles(self) -> None:
        for snapshot in self._box.snapshots():
            before = self._troubles.get(snapshot.camera, ())
            if snapshot.health != before:
                self._troubles[snapshot.camera] = snapshot.health
                self._tell("camera_health", camera=snapshot.camera, troubles=list(snapshot.health))

    def _take_reference(self, camera: str) -> None:
        if reference := self._shelf.load(camera):
            self._box.health(camera).renew(reference)
            self._stored.add(camera)

    def _tend_references(self) -> None:
        """Store what was made since; make a new one where the stored one was taken away."""
        for camera in self._known:
            health = self._box.health(camera)
            if camera in self._stored and not self._shelf.has(camera):
                self._stored.discard(camera)
                health.renew()
            elif camera not in self._stored and health.reference is not None:
                self._store(camera, health.reference)

    def _store(self, camera: str, reference: Reference) -> None:
        """A reference that cannot be stored serves until the box stops; storing it is tried again."""
        try:
            self._shelf.save(camera, reference)
        except OSError as error:
            if not self._is_shelf_broken:
                self._is_shelf_broken = True
                self._tell("trouble", what="references", reason=f"cannot be stored: {error.strerror or error}")
            return
        self._is_shelf_broken = False
        self._stored.add(camera)
