"""Leaves for what was there before the log was: entered once, while an old database becomes a newer one.

Whoever entered rows without leaves at any other time would make rows look honest that somebody inserted by hand; so
this belongs to the step from a version without a log, and to no other moment.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.leaves import LeafKind
from center.evidence.custody import CustodyEvent
from center.intake.journal import JournalRow
from center.intake.quarantine import QuarantineEntry
from center.log.appending import append_entered, enter
from center.log.pseudonyms import Named, pseudonyms_of
from center.log.sources import SOURCES, Fact

BATCH_LEAVES: Final = 5000


def enter_what_was(session: Session) -> None:
    """A leaf for each record, each thing put aside and each look that is here, with its own time."""
    for tenant in sorted(set(_tenants(session))):
        devices = select(JournalRow.device).where(JournalRow.tenant == tenant).distinct()
        pseudonyms_of(session, tenant=tenant, kind=Named.DEVICE, subjects=session.scalars(devices))
        for kind in (LeafKind.RECORD, LeafKind.QUARANTINE, LeafKind.CUSTODY):
            facts = list(SOURCES[kind](session, tenant))
            for start in range(0, len(facts), BATCH_LEAVES):
                for fact in facts[start : start + BATCH_LEAVES]:
                    _enter(session, tenant, kind, fact)
                append_entered(session)


def _enter(session: Session, tenant: str, kind: LeafKind, fact: Fact) -> None:
    if fact.body is None or fact.at is None:
        return
    person = str(fact.body.get("person", ""))
    enter(session, tenant=tenant, kind=kind, fields=fact.body, reference=fact.reference, at=fact.at, person=person)


def _tenants(session: Session) -> Iterator[str]:
    for table in (JournalRow, QuarantineEntry, CustodyEvent):
        yield from session.scalars(select(table.tenant).distinct())
