"""Between processes on one PostgreSQL: what a worker of intake committed is told to the pages that the server shows.

PostgreSQL carries it (NOTIFY and LISTEN): names and ids, as in the feed, told after the commit.
"""

import json
from collections.abc import Iterable
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from center.background import Background
from center.database import Database
from center.feed.hub import Hub, Topic

CHANNEL: Final = "teawatch_feed"
ROWS_EACH: Final = 40
"""A notification of PostgreSQL has room for 8,000 bytes."""
LOOK_EVERY_S: Final = 1.0
PAUSE_S: Final = 2.0

log = structlog.get_logger()


class Wire:
    """A worker's end: takes the place of the hub of its database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tell_all(self, rows: Iterable[tuple[Topic, str]]) -> None:
        """Spread notices of many rows; a page that misses one hears of the next."""
        waiting = [list(row) for row in rows]
        try:
            with self._database.engine.begin() as connection:
                for first in range(0, len(waiting), ROWS_EACH):
                    payload = json.dumps(waiting[first : first + ROWS_EACH])
                    connection.execute(
                        text("SELECT pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": payload}
                    )
        except DatabaseError as error:
            log.warning("feed_not_told", reason=str(error.orig))


class WireEar(Background):
    """The server's end: tells its hub what workers committed. `start()`, `stop()`."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database = database
        self._hub = hub
        super().__init__("feed-wire")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001 - whatever breaks the connection, it is made anew
                log.warning("feed_wire_broke", reason=str(error).splitlines()[0])
                self._stopping.wait(PAUSE_S)

    def _listen(self) -> None:
        engine = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"LISTEN {CHANNEL}")
            driver = connection.connection.driver_connection
            while not self._stopping.is_set() and driver is not None:
                for notice in driver.notifies(timeout=LOOK_EVERY_S):
                    self._hub.tell_all((topic, row_id) for topic, row_id in json.loads(notice.payload))
