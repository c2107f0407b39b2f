"""The records of one incident among all that its box sent: in the journal no column names the incident.

Where one journal alone, written by one box, can tell of the incident, records are read until every revision and every
file is found. Where two may (a cloned box, a box that began a journal anew), each may tell of it in its own way, and
everything that came since is read.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from alerts.control_messages import Disposition
from alerts.messages import Alert, Evidence
from center.evidence.files import Announced
from center.intake.journal import EpochRow, JournalRow
from center.intake.rereading import read_of
from enforcement.leads import Lead


def incident_rows(
    session: Session, lead: Lead, files: Collection[Announced]
) -> Iterator[tuple[JournalRow, Alert | Evidence]]:
    """The records of a lead's incident with what they say, as they came; `files` are all that were announced of it."""
    since = min((lead.received_at, *(file.announced_at for file in files)))
    is_told_once = not _may_be_told_twice(session, lead, since)
    revisions, waiting, has_last = set[int](), {file.sha256 for file in files}, False
    with session.scalars(_rows_since(lead, since)) as found:
        for row in found:
            match said := read_of(row, lead.incident):
                case Alert():
                    revisions.add(said.revision)
                    waiting -= {artefact.sha256 for artefact in said.evidence}
                    has_last = has_last or row.sha256 == lead.record_sha256
                case Evidence():
                    waiting -= {artefact.sha256 for artefact in said.artefacts}
                case _:
                    continue
            yield row, said
            if is_told_once and has_last and not waiting and len(revisions) >= lead.revision:
                return


def _rows_since(lead: Lead, since: datetime) -> Select[JournalRow]:
    return (
        select(JournalRow)
        .where(
            JournalRow.tenant == lead.tenant,
            JournalRow.device == lead.device,
            JournalRow.type.in_((Alert.TYPE, Evidence.TYPE)),
            JournalRow.disposition == Disposition.STORED.value,
            JournalRow.received_at >= since,
        )
        .order_by(JournalRow.received_at, JournalRow.epoch, JournalRow.sequence)
        .execution_options(yield_per=200)
    )


def _may_be_told_twice(session: Session, lead: Lead, since: datetime) -> bool:
    """Whether more than one journal of the box grew since, or one that two boxes write."""
    grown = select(EpochRow).where(
        EpochRow.tenant == lead.tenant, EpochRow.device == lead.device, EpochRow.last_seen_at >= since
    )
    journals = session.scalars(grown).all()
    return len(journals) > 1 or any(journal.is_forked for journal in journals)
