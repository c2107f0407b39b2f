"""Whether a bundle holds one case, whole: every revision up to the sealed end, every file that was announced."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from alerts.bundles.container import Container
from alerts.bundles.findings import Finding
from alerts.bundles.journals import BundledRecord
from alerts.bundles.lines.files import ROLES
from alerts.bundles.seal import BundleSeal, IncidentEnd, derivative_name, file_name, recording_name
from alerts.catalogue import SHORTFALLS, Words
from alerts.messages import Alert, Artefact, Evidence, Phase
from alerts.ranges import missing, runs_of

FOLDER, RECORDINGS, DERIVATIVES = "files/", "recordings/", "derivatives/"


class _Told(NamedTuple):
    """A file that a record of one of the incidents announced."""

    artefact: Artefact
    name: str


def check_incidents(records: Sequence[BundledRecord], seal: BundleSeal) -> list[Finding]:
    """What is missing of the incidents that the seal names, or goes beyond them."""
    if not seal.ends:
        return [Finding("no_incident")]
    findings = [
        Finding("case_mismatch", {"incident": end.incident, "device": end.device, "case": seal.case})
        for end in seal.ends
        if seal.case != f"{end.device}.{end.incident}"
    ]
    boxes = {end.device for end in seal.ends}
    findings += [
        Finding("record_foreign", {"name": record.name}) for record in records if record.event.device not in boxes
    ]
    for end in seal.ends:
        own = [(record, record.data) for record in _of(records, end) if isinstance(record.data, Alert)]
        findings += _check_revisions(own, end)
        findings += _remark_rivals(own, end)
    return findings


def rivals_of(alerts: Iterable[Alert]) -> list[int]:
    """The revisions that more than one of these records of an incident tells, ascending; no record is there twice.

    Two boxes spoke with one identity, or one box named two incidents alike: no record says which of them is right.
    """
    return sorted(revision for revision, count in Counter(alert.revision for alert in alerts).items() if count > 1)


def _check_revisions(own: Sequence[tuple[BundledRecord, Alert]], end: IncidentEnd) -> Iterator[Finding]:
    revisions = sorted({alert.revision for _, alert in own})
    if not any(record.sha256 == end.record_sha256 and alert.revision == end.revision for record, alert in own):
        yield Finding("end_missing", {"incident": end.incident, "revision": end.revision})
    if revisions and revisions[-1] > end.revision:
        yield Finding("beyond_end", {"incident": end.incident, "found": revisions[-1], "revision": end.revision})
    told = {(each.first, each.last) for each in end.lacking}
    for run in missing(1, end.revision - 1, runs_of(revisions)):
        code = "revisions_told" if run in told else "revisions_missing"
        yield Finding(code, {"incident": end.incident, **run._asdict()})
    if end.phase is not Phase.CLOSED:
        yield Finding("still_open", {"incident": end.incident})


def _remark_rivals(own: Sequence[tuple[BundledRecord, Alert]], end: IncidentEnd) -> Iterator[Finding]:
    if rivals := rivals_of(alert for _, alert in own):
        values = {"incident": end.incident, "device": end.device, "count": len(rivals), "first": rivals[0]}
        yield Finding("rivals", values)
    journals = {record.event.epoch for record, _ in own}
    if len(journals) > 1:
        yield Finding("several_journals", {"incident": end.incident, "device": end.device, "count": len(journals)})


def check_files(container: Container, records: Sequence[BundledRecord], seal: BundleSeal) -> list[Finding]:
    """What the files are against what the boxes announced."""
    told = {each.name: each.artefact for each in _announced(records, seal)}
    absent = {each.sha256 for each in seal.absent}
    sealed, is_lacking = {member.name for member in seal.members}, len(records) < len(seal.records)
    findings: list[Finding] = []
    for name in (name for name in container.members if name.startswith(FOLDER)):
        artefact = told.get(name)
        if artefact is None:
            code = "file_unvouched" if name in sealed and is_lacking else "file_foreign"
            findings.append(Finding(code, {"name": name}))
            continue
        found = container.measure(name)
        if (found.sha256, found.size_bytes) != (artefact.sha256, artefact.size_bytes):
            findings.append(Finding("file_altered", {"name": name}))
    for name, artefact in told.items():
        if name not in container.members:
            code = "file_absent" if artefact.sha256 in absent else "file_missing"
            findings.append(Finding(code, {"role": ROLES[artefact.role], "sha256": artefact.sha256}))
    findings += _remark_short_clips(told.values())
    findings += _check_recordings(container, seal)
    known = {artefact.sha256 for artefact in told.values()}
    known |= {each.sha256 for each in seal.recordings}
    findings += _check_derivatives(container, seal, known, is_lacking=is_lacking)
    findings += [
        Finding("original_unknown", {"sha256": artefact.sha256})
        for artefact in told.values()
        if artefact.derived_from is not None and artefact.derived_from not in known
    ]
    return findings


def _remark_short_clips(artefacts: Iterable[Artefact]) -> Iterator[Finding]:
    for artefact in artefacts:
        if artefact.falls_short:
            causes = [SHORTFALLS[cause] for cause in artefact.falls_short]
            reasons = Words("；".join(each.zh for each in causes), "; ".join(each.en for each in causes))
            yield Finding("clip_falls_short", {"sha256": artefact.sha256, "reasons": reasons})


def _check_recordings(container: Container, seal: BundleSeal) -> Iterator[Finding]:
    """Recordings of officers are the ones that the seal tells of, and nobody but them vouches for what they show."""
    told = {recording_name(each.sha256, each.media_type): each for each in seal.recordings}
    for name in (name for name in container.members if name.startswith(RECORDINGS)):
        if name not in told:
            yield Finding("file_foreign", {"name": name})
        elif container.measure(name).sha256 != told[name].sha256:
            yield Finding("added_altered", {"name": name})
    for name, recording in told.items():
        if name not in container.members:
            yield Finding("file_missing", {"role": ROLES["recording"], "sha256": recording.sha256})
    if told:
        yield Finding("added_by_officers", {"count": len(told)})


def _check_derivatives(
    container: Container, seal: BundleSeal, known: Collection[str], *, is_lacking: bool
) -> Iterator[Finding]:
    """Redacted copies are the ones that the seal tells of, each made of a file of this case; they are no originals.

    `is_lacking`: records are missing that may have told of more files.
    """
    told = {derivative_name(each.sha256, each.media_type): each for each in seal.derivatives}
    for name in (name for name in container.members if name.startswith(DERIVATIVES)):
        if name not in told:
            yield Finding("file_foreign", {"name": name})
        elif container.measure(name).sha256 != told[name].sha256:
            yield Finding("added_altered", {"name": name})
    for name, copy in told.items():
        if name not in container.members:
            yield Finding("file_missing", {"role": ROLES["redacted"], "sha256": copy.sha256})
        if (copy.derived_from not in known and not is_lacking) or copy.derived_from == copy.sha256:
            yield Finding("derivative_of_nothing", {"sha256": copy.sha256, "original": copy.derived_from})
    if told:
        yield Finding("redacted_copies", {"count": len(told)})


def artefacts_of(record: BundledRecord) -> tuple[Artefact, ...]:
    """The files that a record announces."""
    match record.data:
        case Alert(evidence=artefacts) | Evidence(artefacts=artefacts):
            return artefacts
        case _:
            return ()


def own_records(records: Sequence[BundledRecord], seal: BundleSeal) -> Iterator[BundledRecord]:
    """The records that tell of the incidents of the case; the others only stand between them."""
    for end in seal.ends:
        yield from _of(records, end)


def _announced(records: Sequence[BundledRecord], seal: BundleSeal) -> Iterator[_Told]:
    seen: set[str] = set()
    for record in own_records(records, seal):
        for artefact in artefacts_of(record):
            if artefact.sha256 not in seen:
                seen.add(artefact.sha256)
                yield _Told(artefact, file_name(artefact.role, artefact.sha256, artefact.media_type))


def _of(records: Sequence[BundledRecord], end: IncidentEnd) -> Iterator[BundledRecord]:
    for record in records:
        match record.data:
            case Alert(incident=incident) | Evidence(incident=incident) if (
                record.event.device == end.device and incident == end.incident
            ):
                yield record
            case _:
                pass
