"""Deleting under the rules of retention: first it is written down, then the bytes go.

A process killed in between leaves the bytes to the next run; nothing is deleted that was not written down.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from center.database import Database
from center.evidence.retention import Due, delete_due, due_files, forget_removals, is_wanted_again, to_remove
from center.evidence.thumbnails import Thumbnails
from center.settings import RetentionSettings
from center.store.shelf import Shelf

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Disposal:
    """The rules of one centre, applied to its store."""

    database: Database
    store: Shelf
    thumbnails: Thumbnails
    tenant: str
    settings: RetentionSettings

    def preview(self, at: datetime) -> list[Due]:
        """What `run` would delete now."""
        with self.database.reading() as session:
            found = list(due_files(session, tenant=self.tenant, settings=self.settings, at=at))
            session.expunge_all()
        return found

    def run(self, at: datetime, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Delete what is due; how many files. Broken off by `is_stopping`, the next run goes on."""
        deleted = 0
        self._remove_bytes(is_stopping)
        while not is_stopping():
            with self.database.writing() as session:
                gone = delete_due(session, tenant=self.tenant, settings=self.settings, at=at)
                hashes = {due.file.sha256 for due in gone}
            if not gone:
                break
            deleted += len(hashes)
            log.info("evidence_deleted", files=len(hashes))
            self._remove_bytes(is_stopping)
        return deleted

    def _remove_bytes(self, is_stopping: Callable[[], bool]) -> None:
        """A store may take its time: no transaction is open meanwhile."""
        while not is_stopping():
            with self.database.reading() as session:
                hashes = [removal.sha256 for removal in to_remove(session, tenant=self.tenant, limit=20)]
            if not hashes:
                return
            for sha256 in hashes:
                with self.database.reading() as session:
                    is_wanted = is_wanted_again(session, tenant=self.tenant, sha256=sha256)
                if not is_wanted:
                    self.store.remove(sha256)
                    self.thumbnails.remove(sha256)
            with self.database.writing() as session:
                forget_removals(session, tenant=self.tenant, hashes=hashes)
