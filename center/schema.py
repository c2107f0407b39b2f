"""The database's shape and its history: every version lives in `center/migrations/versions`."""

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from center.boxes.distrust import distrust_what_was
from center.boxes.keys import enter_keys_that_were
from center.database import Database
from center.errors import DatabaseTrouble
from center.log.founding import enter_what_was

WITH_LOG = "0006"
"""The first version whose database has a log."""

WITH_DISTRUST = "0015"
"""The first version that marks leads on records beyond the end of a key."""

WITH_WHOLE_KEYS = "0020"
"""The first version whose log tells all of a key."""

FOLDER = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Bring the database to the newest version, in one transaction. Raises DatabaseTrouble."""
    try:
        with database.writing() as session:
            connection = session.connection()
            version = version_of(connection)
            if version != newest_version():
                command.upgrade(configuration(connection), "head")
                if version is not None and version < WITH_LOG:
                    enter_what_was(session)
                if version is not None and version < WITH_DISTRUST:
                    distrust_what_was(session, at=datetime.now(UTC))
                if version is not None and version < WITH_WHOLE_KEYS:
                    enter_keys_that_were(session, at=datetime.now(UTC))
    except (DatabaseError, CommandError) as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise DatabaseTrouble(f"{database.url}: cannot be brought to this version: {reason}") from error


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def newest_version() -> str | None:
    """The version this program writes."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def version_of(connection: Connection) -> str | None:
    """The version this database has; None where it is empty."""
    return MigrationContext.configure(connection).get_current_revision()
