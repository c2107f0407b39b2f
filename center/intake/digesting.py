"""Authentic records made into rows: leads with links and tasks, files to expect, coverage.

One that no room can digest is put aside whole and blocks nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from alerts.messages import Alert, Clock, Coverage, Dropped, Evidence, FilesGone, KeyRotation
from center.boxes.bootclocks import note_clock_record
from center.boxes.devices import Signer
from center.boxes.keys import follow_rotation
from center.coverage import keep_coverage
from center.evidence.files import Announcement, announce_files, note_never_to_come
from center.feed.hub import announce
from center.handlers import route
from center.intake.conversion import BootClocks, is_credible, to_facts
from center.intake.gone import note_gone
from center.intake.judging import judge, open_books
from center.intake.quarantine import Reason, Refusal
from center.intake.reading import Entry
from center.intake.redating import redate_leads
from enforcement.folding import Told, fold_alerts
from enforcement.leads import lead_id

log = structlog.get_logger()


def digest(
    session: Session, entries: Sequence[Entry], signers: Mapping[str, Signer], at: datetime, *, is_alone: bool
) -> tuple[Refusal | None, ...]:
    """Judge the records and make rows of those that can be used; why the others are put aside.

    Where no room can digest it, a record that is alone is put aside for that; of several the error is raised.
    """
    if not entries:
        return ()
    if not is_alone:
        return _judge_and_digest(session, entries, signers, at)
    try:
        try:
            with session.begin_nested():
                return _judge_and_digest(session, entries, signers, at)
        except IntegrityError:  # somebody else wrote the same row just now: it is there at the second look
            with session.begin_nested():
                return _judge_and_digest(session, entries, signers, at)
    except OperationalError:
        raise
    except Exception as error:
        log.exception("record_indigestible", device=entries[0].event.device, sequence=entries[0].sequence)
        return (Refusal(Reason.CONTRADICTION, f"{type(error).__name__}: {error}"),)


def _judge_and_digest(
    session: Session, entries: Sequence[Entry], signers: Mapping[str, Signer], at: datetime
) -> tuple[Refusal | None, ...]:
    dated = _note_clocks(session, entries, signers)
    books = open_books(session, entries, at)
    refusals = tuple(judge(books, entry, signers[entry.key_id], at) for entry in entries)
    accepted = [entry for entry, refusal in zip(entries, refusals, strict=True) if refusal is None]
    _digest(session, accepted, books.boots, at)
    for device, boot in dated:
        redate_leads(session, tenant=entries[0].event.tenant, device=device, boot=boot, at=at)
    return refusals


def _note_clocks(
    session: Session, entries: Sequence[Entry], signers: Mapping[str, Signer]
) -> tuple[tuple[str, str], ...]:
    """Learn from clock records, before anything is dated; of which boots something new is known."""
    return tuple(
        (entry.event.device, entry.data.boot)
        for entry in entries
        if isinstance(entry.data, Clock)
        and signers[entry.key_id].reaches(entry.event.epoch, entry.sequence)
        and note_clock_record(session, tenant=entry.event.tenant, device=entry.event.device, clock=entry.data)
    )


def _digest(session: Session, entries: Sequence[Entry], boots: BootClocks, at: datetime) -> None:
    if not entries:
        return
    tenant = entries[0].event.tenant
    alerts = [
        Told(to_facts(entry.event, entry.data, record_sha256=entry.sha256, received_at=at, boots=boots), at)
        for entry in entries
        if isinstance(entry.data, Alert)
    ]
    for told in _rounds(alerts):
        route(session, fold_alerts(session, tenant, told))
    announce_files(session, tenant, _announcements(entries), at=at)
    for entry in entries:
        match entry.data:
            case Evidence() as evidence:
                announce(session, "evidence", lead_id(entry.event.device, evidence.incident))
            case Coverage() as coverage:
                _digest_coverage(session, entry, coverage, at)
            case KeyRotation() as rotation:
                follow_rotation(session, entry, rotation, at)
            case Dropped() as dropped:
                note_gone(session, entry, dropped, at)
            case FilesGone() as gone:
                _digest_files_gone(session, entry, gone, at)


def _rounds(alerts: Sequence[Told]) -> Iterator[list[Told]]:
    """The alerts in their order, so that no incident is twice in a round: its phases follow each other."""
    rounds: list[list[Told]] = []
    told: dict[str, int] = {}
    for alert in alerts:
        number = told.get(alert.lead_id, 0)
        told[alert.lead_id] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(alert)
    yield from rounds


def _announcements(entries: Sequence[Entry]) -> Iterator[Announcement]:
    """Files that belong to alerts, and files sealed after them."""
    for entry in entries:
        match entry.data:
            case Alert(incident=incident, camera=camera, evidence=artefacts) if artefacts:
                yield Announcement(entry.event.device, incident, camera, artefacts)
            case Evidence(incident=incident, camera=camera, artefacts=artefacts):
                yield Announcement(entry.event.device, incident, camera, artefacts)


def _digest_files_gone(session: Session, entry: Entry, gone: FilesGone, at: datetime) -> None:
    """Files that have not come and never will are no longer waited for; those that came meanwhile are here."""
    tenant, device = entry.event.tenant, entry.event.device
    for incident in note_never_to_come(session, tenant=tenant, device=device, hashes=gone.files, at=at):
        announce(session, "evidence", lead_id(device, incident))


def _digest_coverage(session: Session, entry: Entry, coverage: Coverage, at: datetime) -> None:
    """What cannot be placed in time, because the box's clock was never set, is kept as it is and says nothing."""
    if is_credible(coverage.until_at, at):
        keep_coverage(
            session,
            coverage,
            tenant=entry.event.tenant,
            device=entry.event.device,
            record_sha256=entry.sha256,
            received_at=at,
        )
