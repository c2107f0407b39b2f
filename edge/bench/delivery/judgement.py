"""After the storm: is everything that was committed on a box at the centre, once? The centre's interface answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts.blobs import BlobStore
from edge.bench.delivery.box import BoxUnderTest, Truth
from edge.bench.delivery.county import County


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


async def judge(county: County, boxes: Sequence[BoxUnderTest], copies: Sequence[BoxUnderTest]) -> Verdict:
    """Compare what the boxes had committed with what the centre has."""
    leads = {lead["id"]: (lead["device"], lead["incident"]) for lead in await county.ask_all("/api/v1/leads")}
    tasks = [task["lead_id"] for task in await county.ask_all("/api/v1/tasks")]
    arrived = set(leads.values())
    served = {leads[lead] for lead in tasks if lead in leads}
    committed = {(box.name, incident) for box in (*boxes, *copies) for incident in box.truth.incidents} | arrived
    devices = {device["id"]: device for device in await county.ask("/api/v1/devices")}
    records = [_records(box.truth, devices[box.name], _forked(box, copies)) for box in boxes]
    store = BlobStore(county.data / "evidence")
    files = {sha256 for box in (*boxes, *copies) for sha256 in box.truth.files}
    quarantine = await county.ask("/api/v1/quarantine")
    return Verdict(
        committed=len(committed),
        lost=len(committed - served),
        duplicate_tasks=len(tasks) - len(set(tasks)),
        records=sum(total for total, _ in records),
        lost_records=sum(lost for _, lost in records),
        files=len(files),
        lost_files=sum(not store.has(sha256) for sha256 in files),
        quarantined=quarantine["total"],
    )


def _forked(box: BoxUnderTest, copies: Iterable[BoxUnderTest]) -> set[str]:
    return box.truth.forked | {copy.epoch for copy in copies if copy.name == box.name}


def _records(truth: Truth, device: Mapping[str, Any], forked: set[str]) -> tuple[int, int]:
    """How many records the box had made, and how many of them the centre has not; what was removed by hand left out."""
    journals = {journal["epoch"]: journal for journal in device["journals"]}
    total = lost = 0
    for epoch, head in truth.heads.items():
        if epoch in forked:
            continue
        removed = {sequence for at, sequence in truth.removed if at == epoch}
        missing = _missing(journals.get(epoch), head) - removed
        total += head - len(removed)
        lost += len(missing)
    return total, lost


def _missing(journal: Mapping[str, Any] | None, head: int) -> set[int]:
    if journal is None:
        return set(range(1, head + 1))
    absent = (*journal["gaps"], *journal["gone"])
    numbers = {sequence for each in absent for sequence in range(each["first"], each["last"] + 1)}
    return {sequence for sequence in numbers if sequence <= head} | set(range(journal["highest"] + 1, head + 1))
