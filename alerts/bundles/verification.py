"""Checking a bundle against keys that came on another way: pure, offline, no error for whatever a file may hold."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from cryptography.x509 import Certificate

from alerts import dsse
from alerts.bundles.chains import check_chain
from alerts.bundles.container import Container, Part
from alerts.bundles.findings import Finding
from alerts.bundles.incidents import check_files, check_incidents, own_records
from alerts.bundles.journals import read_records
from alerts.bundles.proofs import check_proofs
from alerts.bundles.report import Check, Report
from alerts.bundles.seal import MAX_SEAL_BYTES, SEAL_NAME, BundleSeal, IncidentEnd, read_seal, record_name
from alerts.bundles.times import check_times
from alerts.bundles.trust import Trust
from alerts.errors import BadSignature, BundleUnfit, MessageError, UnknownKey
from alerts.events import Sealed


def verify_file(
    path: Path, trust: Trust, *, case: str = "", needs_log: bool = True, roots: Sequence[Certificate] = ()
) -> Report:
    """As `verify_bundle`, of a file that may not even be readable."""
    if path.exists() and not path.is_file() and not path.is_dir():
        return _unreadable("it is a pipe or a device; save it as a file first")
    try:
        with path.open("rb") as file:
            return verify_bundle(file, trust, case=case, needs_log=needs_log, roots=roots)
    except OSError as error:
        return _unreadable(error.strerror or str(error))


def _unreadable(reason: str) -> Report:
    report = Report()
    report.note(Check.FORM, [Finding("unreadable_file", {"reason": reason})])
    return report


def verify_bundle(
    file: BinaryIO, trust: Trust, *, case: str = "", needs_log: bool = True, roots: Sequence[Certificate] = ()
) -> Report:
    """Everything that can be said of it. `case`, if it is known from elsewhere, must be the bundle's. Raises OSError.

    A check that fails ends what rests on it: without a seal that holds nothing says what should be there. `needs_log`:
    a bundle whose proofs from the centre's log are missing, or cannot be checked, does not hold. `roots`: of the
    authorities whose time-stamps count; without them a stamp is only told of.
    """
    report = Report()
    try:
        container = Container(file)
    except BundleUnfit as error:
        report.note(Check.FORM, [error.finding])
        return report
    sealed = _check_seal(report, container, trust, case)
    parts = {name: container.measure(name) for name in container.members}
    if sealed is None:
        report.note(Check.FORM, [_crc(name) for name, part in parts.items() if part.crc != container.members[name].crc])
        return report
    seal = sealed.data
    form, members = _check_members(container, parts, seal)
    report.note(Check.FORM, form)
    report.note(Check.MEMBERS, members)
    records, findings = read_records(container, seal, trust)
    report.note(Check.RECORDS, findings)
    report.note(Check.CHAIN, check_chain(records, seal))
    report.note(Check.INCIDENTS, check_incidents(records, seal))
    report.note(Check.FILES, check_files(container, records, seal))
    own = list(own_records(records, seal))
    is_checked, findings = check_proofs(container, own, seal, trust, is_needed=needs_log, roots=roots)
    if is_checked:
        report.note(Check.LOG, findings)
    else:
        report.remark(findings)
    report.note(Check.TIMES, check_times(records, seal, trust, sealed_at=sealed.event.time))
    return report


def _check_seal(report: Report, container: Container, trust: Trust, case: str) -> Sealed[BundleSeal] | None:
    try:
        sealed = _open_seal(container, trust)
        _check_case(sealed, trust, case)
    except BundleUnfit as error:
        report.note(Check.SEAL, [error.finding])
        return None
    report.note(Check.SEAL, [])
    report.case, report.sealed_at, report.key_id = sealed.data.case, sealed.event.time, sealed.key_id
    report.ends = sealed.data.ends
    return sealed


def _open_seal(container: Container, trust: Trust) -> Sealed[BundleSeal]:
    """Raises BundleUnfit."""
    member = container.members.get(SEAL_NAME)
    if member is None:
        raise BundleUnfit(Finding("no_seal", {"name": SEAL_NAME}))
    if member.size_bytes > MAX_SEAL_BYTES:
        raise BundleUnfit(Finding("seal_unreadable", {"reason": f"{member.size_bytes} bytes"}))
    raw = container.read(SEAL_NAME)
    keys = {each.key_id: each.verify_key for each in trust.centre_keys}
    try:
        return read_seal(raw, keys.get)
    except UnknownKey:
        key_id = dsse.read_envelope(raw, max_bytes=MAX_SEAL_BYTES).key_id
        raise BundleUnfit(Finding("seal_stranger", {"key": key_id[:80]})) from None
    except BadSignature as error:
        raise BundleUnfit(Finding("seal_altered", {"reason": error})) from None
    except MessageError as error:
        raise BundleUnfit(Finding("seal_unreadable", {"reason": error})) from None


def _check_case(sealed: Sealed[BundleSeal], trust: Trust, case: str) -> None:
    """Raises BundleUnfit for a seal that is not trusted at its time, of another centre or of another case."""
    key, event = trust.centre_key(sealed.key_id), sealed.event
    if key is None or not key.is_good_at(event.time):
        raise BundleUnfit(Finding("seal_out_of_time", {"at": event.time.isoformat(), "key": sealed.key_id}))
    if event.tenant != trust.tenant:
        raise BundleUnfit(Finding("other_tenant", {"found": event.tenant, "wanted": trust.tenant}))
    if case and sealed.data.case != case:
        raise BundleUnfit(Finding("other_case", {"found": sealed.data.case, "wanted": case}))


def _crc(name: str) -> Finding:
    return Finding("crc", {"name": name})


def _check_members(
    container: Container, parts: Mapping[str, Part], seal: BundleSeal
) -> tuple[list[Finding], list[Finding]]:
    """What is wrong with the container's check sums, and with its members against the seal."""
    told = {member.name: member for member in seal.members}
    ends = {_record_of(end): end for end in seal.ends}
    form, findings = [], []
    for name, member in told.items():
        if name not in container.members:
            findings.append(_missing(name, ends))
            continue
        found = parts[name]
        if (found.sha256, found.size_bytes) != (member.sha256, member.size_bytes):
            findings.append(Finding("member_altered", {"name": name}))
        elif found.crc != container.members[name].crc:
            form.append(_crc(name))
    if parts[SEAL_NAME].crc != container.members[SEAL_NAME].crc:
        form.append(_crc(SEAL_NAME))
    added = sorted(container.members.keys() - told.keys() - {SEAL_NAME})
    findings += [Finding("member_added", {"name": name}) for name in added]
    return form, findings


def _record_of(end: IncidentEnd) -> str:
    return record_name(end.device, end.epoch, end.sequence, end.record_sha256)


def _missing(name: str, ends: dict[str, IncidentEnd]) -> Finding:
    end = ends.get(name)
    if end is None:
        return Finding("member_missing", {"name": name})
    return Finding("end_cut", {"revision": end.revision, "incident": end.incident})
