"""What a county of a round is made of: each round of a long run has another broker, database and secrecy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from edge.bench.clips import NothingToMeasure
from edge.bench.delivery import brokers, postgres

Broker: TypeAlias = Literal["mosquitto", "embedded"]
Database: TypeAlias = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`database_url` names a PostgreSQL of somebody else, instead of one of the round's own.

    With `tls`, boxes and centre show each other certificates on the way to the broker, and pages and uploads go over
    https. So many `workers` take messages in beside the centre; 0: the centre does.
    """

    broker: Broker = "mosquitto"
    database: Database = "sqlite"
    tls: bool = False
    workers: int = 0
    database_url: str = ""

    @property
    def name(self) -> str:
        """As it stands in a file's name."""
        workers = f"{self.workers}-workers" if self.workers else ""
        return "-".join(filter(None, (self.broker, "tls" if self.tls else "", self.database, workers)))


ROTA = (
    Site(),
    Site(database="postgresql", tls=True),
    Site(tls=True),
    Site(broker="embedded"),
    Site(database="postgresql", workers=2),
    Site(broker="embedded", database="postgresql", tls=True),
)
"""The first round is of the first, the seventh again."""


def choose_sites(
    *, broker: str = "", database: str = "", tls: bool | None = None, workers: int | None = None, database_url: str = ""
) -> Sequence[Site]:
    """Those of the rota that are as asked for and can be had here; if there is none, one made to measure.

    Raises NothingToMeasure for a broker or a database that nobody knows.
    """
    database = "postgresql" if database_url else database
    for given, known in ((broker, get_args(Broker)), (database, get_args(Database))):
        if given not in {"", *known}:
            raise NothingToMeasure(f"{given!r} is not known: {' or '.join(known)}")
    asked = {"broker": broker or None, "database": database or None, "tls": tls, "workers": workers}
    fixed: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    sites = [
        site
        for site in ROTA
        if all(getattr(site, name) == value for name, value in fixed.items()) and (_can_be_had(site) or database_url)
    ]
    sites = sites or [replace(Site(broker="mosquitto" if brokers.is_installed() else "embedded"), **fixed)]
    return [replace(site, database_url=database_url) for site in sites]


def _can_be_had(site: Site) -> bool:
    """Whether its servers are installed."""
    has_broker = site.broker == "embedded" or brokers.is_installed()
    return has_broker and (site.database == "sqlite" or postgres.is_installed())
