"""A centre whose log has something of everything, and the ways to lay hands on its database."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

from center.evidence.custody import Act, note_custody
from center.log.publishing import publish_due
from center.log.records import LogCheckpoint
from center.log.verification import Report, verify_log
from tests.center.stage import TENANT, Box, Stage, make_alert, make_clock

PICTURE = hashlib.sha256(b"jpg").hexdigest()
REASON = "the neighbour named in case 4711"


def fill(stage: Stage, box: Box) -> None:
    """Records, something put aside, looks by two officers; a head published half-way and one at the end."""
    stage.hear(box.write(make_alert()).raw)
    stage.hear(b"nonsense")
    publish(stage)
    for number in range(20):
        stage.hear(box.write(make_clock(number)).raw)
    for name in ("officer-a", "officer-b"):
        with stage.office.database.writing() as session:
            look(session, stage, name)
    publish(stage)


def look(session: Session, stage: Stage, name: str) -> None:
    """This officer looks at a picture."""
    note_custody(
        session, tenant=TENANT, act=Act.VIEWED, sha256=PICTURE, who=name, reason=f"{REASON} {name}", at=stage.clock()
    )


def publish(stage: Stage) -> LogCheckpoint:
    """The newest head, of everything that came."""
    return publish_due(stage.office.database, stage.office.notary, at=stage.clock())


def verify(stage: Stage, *pinned: str) -> Report:
    """What `teawatch center log verify` finds."""
    with stage.office.database.reading(snapshot=True) as session:
        return verify_log(session, stage.office.notary, pinned)


@contextmanager
def intruder(stage: Stage) -> Iterator[Session]:
    """Somebody who has the database to themselves, its guards gone."""
    with stage.office.database.writing() as session:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for name in session.execute(text(triggers)).scalars().all():
            session.execute(text(f"DROP TRIGGER {name}"))
        yield session
