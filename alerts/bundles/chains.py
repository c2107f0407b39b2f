"""Whether the records of a bundle follow each other: each names the hash of the one before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from alerts.bundles.findings import Finding
from alerts.bundles.journals import BundledRecord
from alerts.bundles.seal import BundleSeal
from alerts.ranges import Run, between


def check_chain(records: Sequence[BundledRecord], seal: BundleSeal) -> list[Finding]:
    """What is spliced, and remarks on what the centre itself says is not there."""
    journals: dict[tuple[str, str], dict[int, list[BundledRecord]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        journals[record.event.device, record.event.epoch][record.sequence].append(record)
    forked = {(each.device, each.epoch) for each in seal.forks}
    findings: list[Finding] = []
    for (device, epoch), places in sorted(journals.items()):
        if (device, epoch) in forked:
            findings.append(Finding("fork_told", {"device": device}))
        else:
            findings += _check_links(device, places)
        told = [Run(gap.first, gap.last) for gap in seal.gaps if (gap.device, gap.epoch) == (device, epoch)]
        findings += _check_gaps(device, places, told)
    return findings


def _check_links(device: str, places: Mapping[int, Sequence[BundledRecord]]) -> Iterable[Finding]:
    for sequence in sorted(places):
        if len(places[sequence]) > 1:
            yield Finding("chain_fork", {"device": device, "sequence": sequence})
        before = {record.sha256 for record in places.get(sequence - 1, ())}
        if before and any(record.prevhash not in before for record in places[sequence]):
            yield Finding("chain_broken", {"device": device, "sequence": sequence})


def _check_gaps(device: str, places: Mapping[int, Sequence[BundledRecord]], told: Sequence[Run]) -> Iterable[Finding]:
    for gap in between(sorted(places)):
        yield Finding("gap_told" if gap in told else "chain_gap", {"device": device, **gap._asdict()})
