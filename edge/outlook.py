"""Whether each camera can see, written down: the coverage ledger, and the reference view of every camera."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from alerts.errors import OutboxFull
from alerts.outbox import Outbox
from edge.announcements import Tell
from edge.box import Box
from edge.coverage_store import CoverageBook
from edge.references import ReferenceShelf
from edge.views import Reference

if TYPE_CHECKING:
    from edge.health import HealthWatch

NOTE_EVERY_S = 1.0
SHELF_EVERY_S = 10.0


class Outlook:
    """Call it now and then, which raises OutboxFull; `close` when the box stops."""

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
        self._watches: dict[str, HealthWatch] = {}
        self._stored: set[str] = set()
        self._is_shelf_broken = False
        cameras = box.sights().keys()
        self._take_references(cameras)
        self._book.take_up(cameras, utc=now(), monotonic_s=time.monotonic())

    def __call__(self) -> None:
        """Note how things are, if it is time."""
        now_s = time.monotonic()
        if now_s < self._note_s:
            return
        self._note_s = now_s + NOTE_EVERY_S
        sights = self._box.sights()
        self._take_references(sights)
        self._say_troubles()
        if now_s >= self._shelf_s:
            self._shelf_s = now_s + SHELF_EVERY_S
            self._tend_references()
        for camera in sights:
            self._book.add(camera, monotonic_s=now_s)
        self._book.note(sights, utc=self._now(), monotonic_s=now_s)
        for camera in self._watches.keys() - sights.keys():
            self._book.remove(camera, utc=self._now(), monotonic_s=now_s)
            del self._watches[camera]
            self._troubles.pop(camera, None)

    def close(self) -> None:
        """Report everything: the box stops on purpose. Where that cannot be written, the last saved minute stands."""
        try:
            self._book.close(utc=self._now(), monotonic_s=time.monotonic())
        except OutboxFull as error:
            self._tell("trouble", what="outbox", reason=str(error))

    def _say_troubles(self) -> None:
        for camera, health in self._watches.items():
            troubles = tuple(each.value for each in health.troubles)
            if troubles != self._troubles.get(camera, ()):
                self._troubles[camera] = troubles
                self._tell("camera_health", camera=camera, troubles=list(troubles))

    def _take_references(self, cameras: Iterable[str]) -> None:
        """For those that are new, or watched in another way than before and so begin anew."""
        for camera in cameras:
            health = self._box.health(camera)
            if self._watches.get(camera) is health:
                continue
            self._watches[camera] = health
            if reference := self._shelf.load(camera):
                health.renew(reference)
                self._stored.add(camera)

    def _tend_references(self) -> None:
        """Store what was made since; make a new one where the stored one was taken away."""
        for camera, health in self._watches.items():
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
