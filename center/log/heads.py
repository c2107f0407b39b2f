"""The log's head, signed and published: what others pin, so that nobody can rewrite what lies before it.

A head is published at most once for each size. Whoever holds the centre's machine could rewrite log and published
heads together; what that cannot reach is the copy somebody else has: printed, time-stamped, fetched by a monitor.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.checkpoints import Checkpoint, verifier_text, write_checkpoint
from alerts.keys import SigningKey
from center.log.records import LogCheckpoint
from center.log.tree import head_of


@dataclass(frozen=True, slots=True)
class Notary:
    """Who signs heads: the log's name, which is never changed, and the centre's key."""

    tenant: str
    origin: str
    key: SigningKey

    @property
    def verifier(self) -> str:
        """Name and public key, as tools for signed notes take them and as readers pin them."""
        return verifier_text(self.origin, self.key.verify_key)


def publish_head(session: Session, notary: Notary, at: datetime) -> LogCheckpoint:
    """Sign the log as it is committed and publish it; the last published head where nothing came since."""
    edge = head_of(session, notary.tenant)
    last = session.get(LogCheckpoint, (notary.tenant, edge.size))
    if last is not None:
        return last
    text = write_checkpoint(Checkpoint(notary.origin, edge.size, edge.root), notary.key)
    own = {"tenant": notary.tenant, "size": edge.size, "root": edge.root, "text": text, "published_at": at}
    with suppress(IntegrityError), session.begin_nested():  # two may publish the same head at once
        session.execute(insert(LogCheckpoint).values(own))
    return session.get_one(LogCheckpoint, (notary.tenant, edge.size))


def last_head(session: Session, tenant: str, *, before: datetime | None = None) -> LogCheckpoint | None:
    """The largest head published, or the largest that was published before an instant."""
    rows = select(LogCheckpoint).where(LogCheckpoint.tenant == tenant)
    if before is not None:
        rows = rows.where(LogCheckpoint.published_at < before)
    return session.scalars(rows.order_by(LogCheckpoint.size.desc()).limit(1)).first()


def is_due(session: Session, tenant: str, *, at: datetime, every: timedelta) -> bool:
    """Whether the log has grown and its last head is old enough for another one to be published."""
    last = last_head(session, tenant)
    if last is None:
        return True
    is_young = last.published_at <= at < last.published_at + every  # the clock may have gone back
    return not is_young and head_of(session, tenant).size > last.size
