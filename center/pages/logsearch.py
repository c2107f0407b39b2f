"""Finding entries of the log: by an entry's number or hash, by the hash of a record or a file, by a lead."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.orm import Session

from alerts.leaves import LeafKind
from center.bundles.incident_rows import incident_rows
from center.evidence.custody import CustodyEvent
from center.evidence.files import files_of
from center.evidence.recordings import recordings_of
from center.intake.quarantine import QuarantineEntry
from center.log.records import LogLeaf, LogOpening
from enforcement.leads import Lead
from enforcement.reviews import reviews_of

MOST_FOUND: Final = 200
"""So many entries are listed; of more, the newest."""

DIGEST: Final = re.compile(r"[0-9a-f]{64}")
NUMBER: Final = re.compile(r"\d{1,15}")


class About(NamedTuple):
    """What a leaf is about: its kind and the reference of its row."""

    kind: LeafKind
    reference: str


def find_leaves(session: Session, *, tenant: str, words: str) -> Sequence[LogLeaf]:
    """The entries meant, the newest first, `MOST_FOUND` and one more at most."""
    words = words.strip()
    digest = words.lower()
    if DIGEST.fullmatch(digest):
        own = LogLeaf.tenant == tenant, LogLeaf.hash == bytes.fromhex(digest)
        found = session.scalars(select(LogLeaf).where(*own).limit(1)).all()
        return found or _leaves_about(session, tenant, _about_digest(session, tenant, digest))
    if NUMBER.fullmatch(words):
        row = session.get(LogLeaf, (tenant, int(words)))
        return [row] if row is not None else []
    lead = session.get(Lead, (tenant, words))
    return _leaves_about(session, tenant, _about_lead(session, lead)) if lead is not None else []


def _about_digest(session: Session, tenant: str, sha256: str) -> Iterable[About]:
    """A record of a box, something put aside, or whatever was done with a file."""
    yield About(LeafKind.RECORD, sha256)
    aside = select(QuarantineEntry.id).where(QuarantineEntry.tenant == tenant, QuarantineEntry.sha256 == sha256)
    yield from (About(LeafKind.QUARANTINE, entry) for entry in session.scalars(aside.limit(MOST_FOUND)))
    yield from _custody(session, tenant, CustodyEvent.sha256 == sha256)
    yield from _custody(session, tenant, CustodyEvent.made_sha256 == sha256)


def _about_lead(session: Session, lead: Lead) -> Iterable[About]:
    """The records of its incident, and whatever was said of it and done with its files."""
    files = files_of(session, tenant=lead.tenant, device=lead.device, incident=lead.incident)
    yield from (About(LeafKind.RECORD, row.sha256) for row, _ in incident_rows(session, lead, files))
    said = reviews_of(session, tenant=lead.tenant, lead_id=lead.id)
    yield from (About(LeafKind.REVIEW, f"{lead.id}/{review.number}") for review in said)
    yield About(LeafKind.HOLD, lead.id)
    added = recordings_of(session, tenant=lead.tenant, lead_id=lead.id)
    yield from (About(LeafKind.RECORDING, recording.reference) for recording in added)
    of_lead = or_(CustodyEvent.lead_id == lead.id, CustodyEvent.sha256.in_({file.sha256 for file in files}))
    yield from _custody(session, lead.tenant, of_lead)


def _custody(session: Session, tenant: str, condition: ColumnElement[bool]) -> Iterable[About]:
    rows = select(CustodyEvent.id).where(CustodyEvent.tenant == tenant, condition)
    newest = rows.order_by(CustodyEvent.at.desc()).limit(MOST_FOUND + 1)
    return (About(LeafKind.CUSTODY, event) for event in session.scalars(newest))


def _leaves_about(session: Session, tenant: str, about: Iterable[About]) -> Sequence[LogLeaf]:
    wanted = [(each.kind.value, each.reference) for each in about]
    said = select(LogOpening.number).where(
        LogOpening.tenant == tenant, tuple_(LogOpening.kind, LogOpening.reference).in_(wanted)
    )
    rows = select(LogLeaf).where(LogLeaf.tenant == tenant, LogLeaf.number.in_(said))
    return session.scalars(rows.order_by(LogLeaf.number.desc()).limit(MOST_FOUND + 1)).all()
