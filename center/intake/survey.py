"""PostgreSQL told of its tables' sizes in time, while a new centre fills.

What PostgreSQL prepares (checks of foreign keys among it) it plans by what it knows of the tables, and it looks at them
once a minute at the earliest. To an empty table any index seems as good as another, so that a first flood of alerts
would be taken in with plans that read the whole table for each row.
"""

from typing import Final

from sqlalchemy import text

from center.database import Database
from center.evidence.files import Announced
from center.intake.journal import JournalRow
from enforcement.leads import Lead, LeadLink
from enforcement.task_records import Task, TaskEvent

AFTER: Final = (200, 2_000)
"""Records taken in, after which the tables are looked at: with fewer, one index still seems as good as another."""
_TABLES: Final = ", ".join(table.__tablename__ for table in (Lead, LeadLink, Task, TaskEvent, JournalRow, Announced))


class Survey:
    """Counts what a worker takes in, and has the tables looked at; on SQLite, whose plans need none of it, nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._count = 0
        self._due: tuple[int, ...] = AFTER if database.engine.dialect.name == "postgresql" else ()

    def note(self, records: int) -> None:
        """So many more records were committed. Raises OperationalError."""
        self._count += records
        due = tuple(after for after in self._due if after > self._count)
        if due != self._due:
            self._due = due
            with self._database.writing() as session:
                session.execute(text(f"ANALYZE (SKIP_LOCKED) {_TABLES}"))
