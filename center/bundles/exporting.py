"""A lead's bundle as a file: everything gathered, told in words, sealed with the centre's key."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.orm import Session

from alerts.bundles.container import Part, write_container
from alerts.bundles.seal import (
    SEAL_NAME,
    AbsentFile,
    AddedRecording,
    BundleSeal,
    HeadStamp,
    file_name,
    member_of,
    recording_name,
    write_seal,
)
from alerts.errors import BlobMissing
from alerts.keys import SigningKey
from center.bundles.covering import Shown, cover_sheet
from center.bundles.derivatives import released_parts, told_of
from center.bundles.gathering import Gathered, gather, row_name
from center.bundles.proving import prove
from center.bundles.timing import odd_times
from center.bundles.wording import Added, because_in_words, directions
from center.errors import BundleImpossible
from center.evidence.files import Announced
from center.evidence.recordings import Recording, recordings_of
from center.log.heads import last_head
from center.scratch import open_scratch
from center.store.shelf import Shelf
from center.words import languages

COVER_NAME = "cover.pdf"


@dataclass(frozen=True, slots=True)
class Sealer:
    """Who seals bundles, where files of evidence lie, and where copies of them may lie as long as one is made."""

    tenant: str
    key: SigningKey
    evidence: Shelf
    scratch: Path


@dataclass(frozen=True, slots=True)
class Exported:
    """What was put into the file; `seal_sha256` names this bundle and no other."""

    case: str
    seal_sha256: str
    files: tuple[str, ...]
    members: int


def export_bundle(session: Session, sealer: Sealer, lead_id: str, target: BinaryIO, *, at: datetime) -> Exported:
    """Write the bundle of a lead, sealed `at`. Raises BundleImpossible, BlobStoreUnreachable, OSError.

    A file of evidence that the disk has lost or changed is left out, and the seal says that it is absent.
    """
    with open_scratch(sealer.scratch) as folder:
        return _export(session, sealer, lead_id, target, at=at, folder=Path(folder))


def _export(
    session: Session, sealer: Sealer, lead_id: str, target: BinaryIO, *, at: datetime, folder: Path
) -> Exported:
    gathered = gather(session, tenant=sealer.tenant, lead_id=lead_id)
    parts = [Part.of(row_name(row), row.raw) for row in gathered.rows]
    files = {
        file.sha256: part for file in gathered.files if (part := _part_of(sealer.evidence, file, folder)) is not None
    }
    parts += files.values()
    recordings = _recordings(session, sealer, lead_id, folder)
    parts += recordings.values()
    told = {file.sha256 for file in gathered.files} | {each.sha256 for each in recordings}
    copies = released_parts(session, sealer.evidence, told, tenant=sealer.tenant, lead_id=lead_id, folder=folder)
    parts += copies.values()
    added: dict[Added, Part] = dict((*recordings.items(), *copies.items()))
    parts += [Part.of(name, text) for name, text in _words(session, gathered, at, tuple(added))]
    head = last_head(session, sealer.tenant)
    if head is None:
        raise BundleImpossible(f"{lead_id}: the log has no head yet that could prove anything")
    proofs = prove(session, gathered, recordings, copies, head)
    if not proofs.records:
        raise BundleImpossible(f"{lead_id}: its records came this very moment and are in no head of the log; try again")
    parts += proofs.parts
    stamp = proofs.stamp
    shown = Shown(files, added)
    cover = cover_sheet(session, gathered, at, key_id=sealer.key.key_id, head=head.text, stamp=stamp, shown=shown)
    parts.append(Part.of(COVER_NAME, cover))
    seal = BundleSeal(
        case=lead_id,
        members=tuple(member_of(part) for part in sorted(parts, key=lambda part: part.name)),
        ends=(gathered.end,),
        records=gathered.received,
        gaps=gathered.gaps,
        forks=gathered.forks,
        absent=tuple(
            AbsentFile(sha256=file.sha256, role=file.role) for file in gathered.files if file.sha256 not in files
        ),
        recordings=tuple(
            AddedRecording(
                sha256=each.sha256,
                media_type=each.media_type,
                source=each.source,
                added_at=each.added_at,
                taken_at=each.taken_at,
            )
            for each in recordings
        ),
        odd_times=odd_times(session, gathered),
        untrusted=gathered.untrusted,
        unlogged=len(gathered.own) - len(proofs.records),
        unlogged_recordings=len(recordings) - len(proofs.recordings),
        derivatives=tuple(told_of(copy) for copy in copies),
        unlogged_derivatives=len(copies) - len(proofs.derivatives),
        stamp=HeadStamp(size=stamp.size, at=stamp.at, authority=stamp.authority) if stamp else None,
    )
    sealed = Part.of(SEAL_NAME, write_seal(seal, key=sealer.key, tenant=sealer.tenant, at=at))
    parts.append(sealed)
    try:
        write_container(target, parts)
    except ValueError as error:
        raise BundleImpossible(f"{lead_id}: {error}") from None
    out = (*files, *(each.sha256 for each in recordings), *(each.sha256 for each in copies))
    return Exported(lead_id, sealed.sha256, out, len(parts))


def _part_of(store: Shelf, file: Announced, folder: Path) -> Part | None:
    """The file, once its bytes are still what was announced; `folder` is for a copy of it."""
    if not file.is_here:
        return None
    try:
        path = store.fetch(file.sha256, folder)
    except BlobMissing:
        return None
    part = Part.of(file_name(file.role, file.sha256, file.media_type), path)
    return part if (part.sha256, part.size_bytes) == (file.sha256, file.size_bytes) else None


def _recordings(session: Session, sealer: Sealer, lead_id: str, folder: Path) -> dict[Recording, Part]:
    """What officers added, of which the bytes are still here and still the same."""
    found = {}
    for recording in recordings_of(session, tenant=sealer.tenant, lead_id=lead_id):
        with suppress(BlobMissing):
            path = sealer.evidence.fetch(recording.sha256, folder)
            part = Part.of(recording_name(recording.sha256, recording.media_type), path)
            if part.sha256 == recording.sha256:
                found[recording] = part
    return found


def _words(session: Session, gathered: Gathered, at: datetime, added: Sequence[Added]) -> Iterator[tuple[str, bytes]]:
    for language in languages().values():
        tag = language.tag.partition("-")[0]
        yield f"because.{tag}.txt", because_in_words(session, language, gathered, at, added=added).encode()
        yield f"README.{tag}.txt", directions(language, gathered.lead.id).encode()
