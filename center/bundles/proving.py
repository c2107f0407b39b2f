"""The log's part of a bundle: its head, the ways to it, and an outside authority's stamp if one covers the case."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from alerts.bundles.container import Part
from alerts.bundles.proofs import HEAD_NAME, PROOFS_NAME, DerivativeProof, RecordingProof, RecordProof, write_proofs
from alerts.bundles.stamps import STAMP_NAME, STAMPED_NAME
from alerts.leaves import LeafKind
from center.bundles.derivatives import reference_of
from center.bundles.gathering import Gathered
from center.errors import NotInLog
from center.evidence.recordings import Recording
from center.evidence.redactions import RedactedCopy
from center.log.proofs import prove_reference
from center.log.records import LogCheckpoint
from center.log.stamping import StampedHead, stamps_of
from center.log.tree import prove_consistency


@dataclass(frozen=True, slots=True)
class Proven:
    """The log's newest published head, and the way to it from what the bundle holds, as far as the head covers it.

    `stamp` is on an earlier head, from which `path` leads to this one.
    """

    head: LogCheckpoint
    records: tuple[RecordProof, ...]
    recordings: tuple[RecordingProof, ...]
    derivatives: tuple[DerivativeProof, ...]
    stamp: StampedHead | None
    path: tuple[str, ...]

    @property
    def parts(self) -> list[Part]:
        """The members of the bundle."""
        proofs = write_proofs(self.records, self.recordings, self.derivatives, self.path)
        parts = [Part.of(HEAD_NAME, self.head.text.encode()), Part.of(PROOFS_NAME, proofs)]
        if self.stamp is not None:
            parts += [Part.of(STAMPED_NAME, self.stamp.text.encode()), Part.of(STAMP_NAME, self.stamp.answer)]
        return parts


def prove(
    session: Session,
    gathered: Gathered,
    recordings: Iterable[Recording],
    copies: Iterable[RedactedCopy],
    head: LogCheckpoint,
) -> Proven:
    """Whatever the log can say of the case under this head."""
    way = partial(_way, session, gathered.lead.tenant, head)
    records = tuple(
        RecordProof(record=row.sha256, **proof) for row in gathered.own if (proof := way(LeafKind.RECORD, row.sha256))
    )
    stamp = _stamp(session, head, {each.number for each in records})
    path = _path(session, head, stamp) if stamp else ()
    return Proven(
        head,
        records,
        tuple(
            RecordingProof(recording=recording.sha256, **proof)
            for recording in recordings
            if (proof := way(LeafKind.RECORDING, recording.reference))
        ),
        tuple(
            DerivativeProof(derivative=copy.sha256, **proof)
            for copy in copies
            if (proof := way(LeafKind.CUSTODY, reference_of(session, copy)))
        ),
        stamp,
        path,
    )


def _stamp(session: Session, head: LogCheckpoint, numbers: set[int]) -> StampedHead | None:
    """The first stamp by which the log told of the whole case; else the last by which it told of some of it."""
    if not numbers:
        return None
    whole = stamps_of(session, head.tenant, first=max(numbers) + 1, last=head.size, most=1)
    some = stamps_of(session, head.tenant, first=min(numbers) + 1, last=max(numbers), most=1, newest=True)
    return next(whole, None) or next(some, None)


def _path(session: Session, head: LogCheckpoint, stamp: StampedHead) -> tuple[str, ...]:
    path = prove_consistency(session, tenant=head.tenant, first=stamp.size, second=head.size)
    return tuple(each.hex() for each in path)


def _way(session: Session, tenant: str, head: LogCheckpoint, kind: LeafKind, reference: str) -> dict[str, Any]:
    """The fields of a proof; none where the head does not cover the leaf, or what it says was erased."""
    try:
        proof = prove_reference(session, tenant=tenant, kind=kind, reference=reference, head=head)
    except NotInLog:
        return {}
    if proof.opening is None:
        return {}
    return {
        "number": proof.number,
        "leaf": proof.leaf.spell().decode(),
        "salt": proof.opening.salt.hex(),
        "body": proof.opening.body.decode(),
        "path": tuple(each.hex() for each in proof.path),
    }
