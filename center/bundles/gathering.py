"""What belongs to a lead's bundle: its records with those between them, its files, and where its incident ends."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.bundles.container import MAX_MEMBERS
from alerts.bundles.incidents import rivals_of
from alerts.bundles.seal import ForkedJournal, Gap, IncidentEnd, ReceivedRecord, UntrustedRecord, record_name
from alerts.messages import Alert, Evidence, Phase, Range
from alerts.ranges import between, missing, runs_of
from center.boxes.devices import find_signers
from center.bundles.incident_rows import incident_rows
from center.errors import BundleImpossible
from center.evidence.files import Announced, files_of
from center.evidence.recordings import ROLE as RECORDING
from center.evidence.redactions import copies_of
from center.intake.journal import EpochRow, JournalRow
from center.intake.rereading import read_of
from enforcement.leads import Lead

MAX_BETWEEN = 2_000
"""So many records may lie between those of an incident and come with them; of more, only the nearest do."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything of one lead that its box vouches for.

    `told` are the records of its incident with what they say, `rows` these and the ones between them that are trusted.
    Of the incident's own, those that are trusted no more come along, and are told of (`untrusted`). `rivals` are the
    names of records that tell the same revision, each in its own way, by that revision.
    """

    lead: Lead
    end: IncidentEnd
    rivals: Mapping[int, Sequence[str]]
    told: tuple[tuple[JournalRow, Alert | Evidence], ...]
    rows: tuple[JournalRow, ...]
    gaps: tuple[Gap, ...]
    forks: tuple[ForkedJournal, ...]
    files: tuple[Announced, ...]
    untrusted: tuple[UntrustedRecord, ...]

    @property
    def own(self) -> tuple[JournalRow, ...]:
        """The records of its incident."""
        return tuple(row for row, _ in self.told)

    @property
    def received(self) -> tuple[ReceivedRecord, ...]:
        """Each record with the time of its receipt."""
        return tuple(
            ReceivedRecord(
                device=row.device,
                epoch=row.epoch,
                sequence=row.sequence,
                sha256=row.sha256,
                received_at=row.received_at,
            )
            for row in self.rows
        )


def gather(session: Session, *, tenant: str, lead_id: str) -> Gathered:
    """Everything the centre has of a lead. Raises BundleImpossible."""
    lead = session.get(Lead, (tenant, lead_id))
    if lead is None:
        raise BundleImpossible(f"there is no lead {lead_id!r}")
    made_here = {copy.sha256 for copy in copies_of(session, tenant=tenant, lead_id=lead_id)}
    files = tuple(
        file
        for file in files_of(session, tenant=tenant, device=lead.device, incident=lead.incident)
        if file.role != RECORDING and file.sha256 not in made_here
    )
    told = tuple(islice(incident_rows(session, lead, files), MAX_MEMBERS))
    own = tuple(row for row, _ in told)
    alerts = tuple((row, said) for row, said in told if isinstance(said, Alert))
    last = next((row for row in own if row.sha256 == lead.record_sha256), None)
    if last is None:
        raise BundleImpossible(
            f"the record of the last revision of {lead_id!r} is not among the first {MAX_MEMBERS} of its incident"
        )
    untrusted = _untrusted(session, own)
    context = tuple(_with_context(session, own))
    spoilt = _untrusted(session, context).keys() - untrusted.keys()
    rows = tuple(row for row in context if row.sha256 not in spoilt | _put_aside(lead, own, context))
    return Gathered(
        lead=lead,
        end=_end_of(lead, last, (alert for _, alert in alerts)),
        rivals=_rivals(alerts),
        told=told,
        rows=rows,
        gaps=tuple(_gaps(rows)),
        forks=tuple(_forks(session, rows)),
        files=files,
        untrusted=tuple(UntrustedRecord(sha256=sha256, last=last) for sha256, last in untrusted.items()),
    )


def row_name(row: JournalRow) -> str:
    """Where the record lies in the bundle."""
    return record_name(row.device, row.epoch, row.sequence, row.sha256)


def _end_of(lead: Lead, last: JournalRow, alerts: Iterable[Alert]) -> IncidentEnd:
    came = runs_of(sorted({alert.revision for alert in alerts}))
    return IncidentEnd(
        device=lead.device,
        incident=lead.incident,
        revision=lead.revision,
        phase=Phase(lead.phase),
        epoch=last.epoch,
        sequence=last.sequence,
        record_sha256=last.sha256,
        lacking=tuple(Range(first=each.first, last=each.last) for each in missing(1, lead.revision, came)),
    )


def _rivals(alerts: Sequence[tuple[JournalRow, Alert]]) -> Mapping[int, Sequence[str]]:
    rivals: dict[int, list[str]] = {revision: [] for revision in rivals_of(alert for _, alert in alerts)}
    for row, alert in alerts:
        if alert.revision in rivals:
            rivals[alert.revision].append(row_name(row))
    return rivals


def _untrusted(session: Session, rows: Sequence[JournalRow]) -> dict[str, int]:
    """Which of these records their keys do not vouch for any more, and up to where they do in that journal."""
    if not rows:
        return {}
    signers = find_signers(session, rows[0].tenant, {row.key_id for row in rows})
    return {
        row.sha256: signers[row.key_id].limits.get(row.epoch, (1, 0))[1] or 0
        for row in rows
        if not signers[row.key_id].reaches(row.epoch, row.sequence)
    }


def _put_aside(lead: Lead, own: Sequence[JournalRow], context: Sequence[JournalRow]) -> frozenset[str]:
    """What the box said of this incident and the centre did not take: whoever reads it would count it in."""
    taken = {row.sha256 for row in own}
    return frozenset(row.sha256 for row in context if row.sha256 not in taken and read_of(row, lead.incident))


def _with_context(session: Session, own: Sequence[JournalRow]) -> Iterator[JournalRow]:
    """The records of the incident, and in each journal those between them."""
    places: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in own:
        places[row.tenant, row.device, row.epoch].append(row.sequence)
    for (tenant, device, epoch), sequences in sorted(places.items()):
        journal = (JournalRow.tenant == tenant, JournalRow.device == device, JournalRow.epoch == epoch)
        first, last = min(sequences), max(sequences)
        wanted = JournalRow.sequence.between(first, last)
        if last - first > MAX_BETWEEN + len(sequences):
            near = {each + step for each in sequences for step in (-1, 0, 1)}
            wanted = JournalRow.sequence.in_(sorted(each for each in near if first <= each <= last))
        rows = select(JournalRow).where(*journal, wanted)
        yield from session.scalars(rows.order_by(JournalRow.sequence, JournalRow.sha256))


def _gaps(rows: Iterable[JournalRow]) -> Iterator[Gap]:
    for (device, epoch), own in groupby(rows, key=lambda row: (row.device, row.epoch)):
        for gap in between(row.sequence for row in own):
            yield Gap(device=device, epoch=epoch, first=gap.first, last=gap.last)


def _forks(session: Session, rows: Iterable[JournalRow]) -> Iterator[ForkedJournal]:
    for tenant, device, epoch in sorted({(row.tenant, row.device, row.epoch) for row in rows}):
        if session.get_one(EpochRow, (tenant, device, epoch)).is_forked:
            yield ForkedJournal(device=device, epoch=epoch)
