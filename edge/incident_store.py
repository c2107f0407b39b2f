"""Open incidents and unfinished annotations, kept in the outbox's SQLite so that they change with its messages.

The tables are ours and so is their version; the outbox's own version number is left alone.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter

from edge.errors import StateTooNew
from edge.evidence import Annotation
from edge.incidents import Incident

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # An incident is a value that is read and written whole; the columns are for a person with the sqlite3 shell.
        """CREATE TABLE open_incidents (
            id TEXT PRIMARY KEY, camera TEXT NOT NULL, rule TEXT NOT NULL, zone TEXT NOT NULL, kind TEXT NOT NULL,
            opened_at TEXT NOT NULL, state TEXT NOT NULL
        ) STRICT""",
        # Pictures that were announced and still want their annotated copy.
        """CREATE TABLE annotations_due (
            picture_sha256 TEXT NOT NULL, incident TEXT NOT NULL, work TEXT NOT NULL,
            PRIMARY KEY (picture_sha256, incident)
        ) STRICT""",
    ),
)
"""Statements from one version to the next. A released one is never changed, only followed by another."""

_INCIDENT = TypeAdapter(Incident)
_ANNOTATION = TypeAdapter(Annotation)


@dataclass(frozen=True, slots=True)
class IncidentStore:
    """Reads and writes inside the caller's transaction."""

    connection: sqlite3.Connection

    def migrate(self) -> None:
        """Make or update the tables; raises StateTooNew."""
        self.connection.execute("CREATE TABLE IF NOT EXISTS edge_version (version INTEGER NOT NULL) STRICT")
        row = self.connection.execute("SELECT version FROM edge_version").fetchone()
        version = int(row[0]) if row else 0
        if version > len(MIGRATIONS):
            raise StateTooNew(
                f"the incidents on this box have version {version}, this program knows {len(MIGRATIONS)}: update it"
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                self.connection.execute(statement)
        self.connection.execute("DELETE FROM edge_version")
        self.connection.execute("INSERT INTO edge_version VALUES (?)", (len(MIGRATIONS),))

    def open_incidents(self) -> tuple[Incident, ...]:
        """All of them, as they were written, oldest first."""
        rows = self.connection.execute("SELECT state FROM open_incidents ORDER BY opened_at, id")
        return tuple(_INCIDENT.validate_json(state) for (state,) in rows)

    def save(self, incident: Incident) -> None:
        """Write an open incident."""
        key = incident.key
        self.connection.execute(
            "INSERT OR REPLACE INTO open_incidents VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                incident.id,
                key.camera,
                key.rule,
                key.zone,
                key.kind,
                incident.opened_at.isoformat(),
                _INCIDENT.dump_json(incident).decode(),
            ),
        )

    def remove(self, incident_id: str) -> None:
        """Forget a closed incident; its story is in the journal."""
        self.connection.execute("DELETE FROM open_incidents WHERE id = ?", (incident_id,))

    def add_annotations(self, works: Iterable[Annotation]) -> None:
        """Remember pictures that want an annotated copy."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO annotations_due VALUES (?, ?, ?)",
            [(work.picture_sha256, work.incident, _ANNOTATION.dump_json(work).decode()) for work in works],
        )

    def annotations_due(self, most: int) -> tuple[Annotation, ...]:
        """The first ones of those not yet made."""
        rows = self.connection.execute("SELECT work FROM annotations_due ORDER BY rowid LIMIT ?", (most,))
        return tuple(_ANNOTATION.validate_json(work) for (work,) in rows)

    def remove_annotation(self, work: Annotation) -> None:
        """It is made, or can never be made."""
        self.connection.execute(
            "DELETE FROM annotations_due WHERE picture_sha256 = ? AND incident = ?",
            (work.picture_sha256, work.incident),
        )
