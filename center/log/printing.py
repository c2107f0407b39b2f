"""A day's digest, ready to be printed: for the command line and for the page of the log."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from center.database import Database
from center.log.digest import count_day, covering_head, write_digest
from center.log.heads import Notary
from center.log.publishing import publish_due
from center.log.stamping import stamps_of


def print_digest(database: Database, notary: Notary, *, on: date, zone: ZoneInfo, name: str, at: datetime) -> str:
    """The digest of a local day under the first head that covers all of it; `name` is the centre's, `at` is now.

    Where no head was published since that day ended, one is.
    """
    with database.reading() as session:
        day = count_day(session, tenant=notary.tenant, on=on, zone=zone)
        head = covering_head(session, tenant=notary.tenant, on=on, zone=zone)
        session.expunge_all()
    head = head or publish_due(database, notary, at=at)
    with database.reading() as session:
        stamp = next(stamps_of(session, notary.tenant, first=head.size, most=1), None)
    return write_digest(day, head, notary, name=name, stamp=stamp)
