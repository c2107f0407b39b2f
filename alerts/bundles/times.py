"""Whether the times of a bundle can be: a box speaks after its enrolment and before the centre hears it.

Times that a box gave while it knew that its clock was not set are no claims: they are told as a remark, and the
centre's time of receipt counts. So it does for what the centre itself found impossible when it sealed, and says so.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from alerts.bundles.findings import Finding
from alerts.bundles.incidents import artefacts_of, own_records
from alerts.bundles.journals import BundledRecord
from alerts.bundles.lines.files import ROLES
from alerts.bundles.seal import BundleSeal
from alerts.bundles.trust import Trust
from alerts.messages import Alert, ClockQuality

TOLERANCE = timedelta(minutes=5)
"""By so much two clocks that are both set may differ."""


def check_times(
    records: Sequence[BundledRecord], seal: BundleSeal, trust: Trust, *, sealed_at: datetime
) -> list[Finding]:
    """What cannot have been, and what the seal says of it; `sealed_at` is the time of the seal."""
    own = list(own_records(records, seal))
    findings = [
        _finding("received_after_seal", record, record.received_at, sealed_at)
        for record in own
        if record.received_at > sealed_at
    ]
    told, odd = set(seal.odd_times), impossible_times(own, trust.enrolled_at)
    findings += [finding for record, finding in odd if record.sha256 not in told]
    for record in {record.sha256: record for record, _ in odd if record.sha256 in told}.values():
        findings.append(_finding("odd_time_told", record, record.event.time, record.received_at))
    findings += _remarks(own)
    return findings


def impossible_times(
    own: Sequence[BundledRecord], enrolled_at: Callable[[str], datetime | None]
) -> list[tuple[BundledRecord, Finding]]:
    """The records of a case that tell of times which cannot be, with what they tell.

    `enrolled_at` says when a box was first enrolled. The centre asks this before it seals: what it hears in good faith
    from a box with a wrong clock must not make a bundle that nobody altered look altered.
    """
    unset = _journals_without_time(own)
    claims = [record for record in own if _journal(record) not in unset]
    odd = [(record, each) for record in claims for each in _check_record(record, enrolled_at(record.event.device))]
    strange = {record.sha256 for record, _ in odd}
    return [*odd, *_check_files([record for record in claims if record.sha256 not in strange])]


def _check_record(record: BundledRecord, enrolled_at: datetime | None) -> Iterator[Finding]:
    at = record.event.time
    if enrolled_at is not None and enrolled_at - at > TOLERANCE:
        yield _finding("before_enrolment", record, at, enrolled_at)
    if at - record.received_at > TOLERANCE:
        yield _finding("after_receipt", record, at, record.received_at)
    if isinstance(record.data, Alert) and record.data.observed_at - at > TOLERANCE:
        yield _finding("seen_after_made", record, record.data.observed_at, at)


def _check_files(records: Sequence[BundledRecord]) -> Iterator[tuple[BundledRecord, Finding]]:
    """Pictures and clips are of the incident's time, as the box told both."""
    alerts = [record.data for record in records if isinstance(record.data, Alert)]
    if not alerts:
        return
    begins, ends = min(alert.opened_at for alert in alerts), max(alert.observed_at for alert in alerts)
    for record in records:
        for artefact in artefacts_of(record):
            packets = artefact.packets
            if packets is None or (packets.first_at - ends <= TOLERANCE and begins - packets.last_at <= TOLERANCE):
                continue
            found = f"{packets.first_at.isoformat()}–{packets.last_at.isoformat()}"
            wanted = f"{begins.isoformat()}–{ends.isoformat()}"
            values = {"role": ROLES[artefact.role], "sha256": artefact.sha256, "found": found, "wanted": wanted}
            yield record, Finding("shows_elsewhere", values)


def _finding(code: str, record: BundledRecord, at: datetime, limit: datetime) -> Finding:
    return Finding(code, {"name": record.name, "at": at.isoformat(), "limit": limit.isoformat()})


def _journal(record: BundledRecord) -> tuple[str, str]:
    return record.event.device, record.event.epoch


def _journals_without_time(records: Sequence[BundledRecord]) -> set[tuple[str, str]]:
    """Journals in which the box said of an alert that its clock was not set; announced files have no word on it."""
    return {
        _journal(record)
        for record in records
        if isinstance(record.data, Alert) and record.data.clock is ClockQuality.UNSYNCHRONISED
    }


def _remarks(records: Sequence[BundledRecord]) -> Iterator[Finding]:
    codes = {ClockQuality.UNSYNCHRONISED: "clock_not_set", ClockQuality.UNKNOWN: "clock_unknown"}
    counts = Counter(
        (codes[record.data.clock], record.event.device)
        for record in records
        if isinstance(record.data, Alert) and record.data.clock in codes
    )
    for (code, device), count in sorted(counts.items()):
        yield Finding(code, {"device": device, "count": count})
