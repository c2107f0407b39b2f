"""After the storm: is everything that was committed on a box at the centre, once? The centre's interface answers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts.blobs import BlobStore
from edge.bench.delivery.box import BoxUnderTest, Truth
from edge.bench.delivery.county import County

PATIENCE_S = 300.0
"""So long a centre that does not answer its judge is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was counted.

    Of the violations that were `committed` so many are `lost`: no lead, or a lead without a task. Tasks beyond one for
    a lead are `duplicate_tasks`. Records are all of the journals', files those announced; of journals that were forked
    by a copy only violations and files are counted, for there a number stands for several records.
    """

    committed: int
    lost: int
    duplicate_tasks: int
    records: int
    lost_records: int
    files: int
    lost_files: int
    quarantined: int


async def judge(
    county: County, boxes: Sequence[BoxUnderTest], copies: Sequence[BoxUnderTest]
) -> tuple[Verdict, Sequence[str]]:
    """Compare what the boxes had committed with what the centre has; a line for each thing that is not as promised."""
    everyone = (*boxes, *copies)
    leads = {
        lead["id"]: (lead["device"], lead["incident"])
        for lead in await county.ask_all("/api/v1/leads", patience_s=PATIENCE_S)
    }
    tasks = [task["lead_id"] for task in await county.ask_all("/api/v1/tasks", patience_s=PATIENCE_S)]
    arrived = set(leads.values())
    served = {leads[lead] for lead in tasks if lead in leads}
    committed = {(box.name, incident) for box in everyone for incident in box.truth.incidents} | arrived
    devices = {device["id"]: device for device in await county.ask("/api/v1/devices", patience_s=PATIENCE_S)}
    missing = {box.name: _missing_of(box.truth, devices[box.name], _forked(box, copies)) for box in boxes}
    store = BlobStore(county.data / "evidence")
    files = {sha256: box.key for box in everyone for sha256 in box.truth.files}
    lost_files = {sha256: key for sha256, key in files.items() if not store.has(sha256)}
    quarantine = await county.ask("/api/v1/quarantine", patience_s=PATIENCE_S)
    doubled = [lead for lead, count in Counter(tasks).items() if count > 1]
    verdict = Verdict(
        committed=len(committed),
        lost=len(committed - served),
        duplicate_tasks=len(tasks) - len(set(tasks)),
        records=sum(total for total, _ in missing.values()),
        lost_records=sum(len(lost) for _, lost in missing.values()),
        files=len(files),
        lost_files=len(lost_files),
        quarantined=quarantine["total"],
    )
    findings = [
        f"{box}: violation {incident} has {'a lead without a task' if (box, incident) in arrived else 'no lead'}"
        for box, incident in sorted(committed - served)
    ]
    findings += [f"{': violation '.join(leads[lead])} has more than one task" for lead in sorted(doubled)]
    findings += [
        f"{name}: the centre has not its records {sorted(lost)}" for name, (_, lost) in missing.items() if lost
    ]
    findings += [f"{key}: the centre has not its file {sha256}" for sha256, key in sorted(lost_files.items())]
    return verdict, findings


def _forked(box: BoxUnderTest, copies: Iterable[BoxUnderTest]) -> set[str]:
    return box.truth.forked | {copy.epoch for copy in copies if copy.name == box.name}


def _missing_of(truth: Truth, device: Mapping[str, Any], forked: set[str]) -> tuple[int, set[tuple[str, int]]]:
    """How many records the box had made, and which of them the centre has not; what was removed by hand left out."""
    journals = {journal["epoch"]: journal for journal in device["journals"]}
    total, lost = 0, set()
    for epoch, head in truth.heads.items():
        if epoch in forked:
            continue
        removed = {sequence for at, sequence in truth.removed if at == epoch}
        missing = _missing(journals.get(epoch), head) - removed
        total += head - len(removed)
        lost |= {(epoch, sequence) for sequence in missing}
    return total, lost


def _missing(journal: Mapping[str, Any] | None, head: int) -> set[int]:
    if journal is None:
        return set(range(1, head + 1))
    absent = (*journal["gaps"], *journal["gone"])
    numbers = {sequence for each in absent for sequence in range(each["first"], each["last"] + 1)}
    return {sequence for sequence in numbers if sequence <= head} | set(range(journal["highest"] + 1, head + 1))
