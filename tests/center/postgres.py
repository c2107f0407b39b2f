"""PostgreSQL for tests: one server for all of a run, a database for each test, some of them with the demo county."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count

import sqlalchemy

from center.county.seeding import seed
from center.database import Database
from center.intake.bench.servers import PostgreSQL
from center.schema import migrate
from tests.center.stage import NOW, TENANT


class Databases:
    """Databases of one server, each dropped after its test."""

    def __init__(self, server: PostgreSQL) -> None:
        self._server = server
        self._numbers = count(1)

    @contextmanager
    def empty(self, template: str = "template0") -> Iterator[str]:
        """The address of a database of its own."""
        name = f"test_{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self._server.url(name)
        finally:
            self._do(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def county(self) -> Iterator[str]:
        """The same with the demo county in it."""
        with self.empty(self._county) as url:
            yield url

    @cached_property
    def _county(self) -> str:
        self._do("CREATE DATABASE county TEMPLATE template0")
        database = Database(self._server.url("county"))
        migrate(database)
        with database.writing() as session:
            seed(session, tenant=TENANT, now=NOW)
        database.close()
        return "county"

    def _do(self, statement: str) -> None:
        url = sqlalchemy.make_url(self._server.url()).set(drivername="postgresql+psycopg")
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()
