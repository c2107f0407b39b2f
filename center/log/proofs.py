"""What somebody outside needs to check one leaf of the log: its bytes, what it means, and the way to a signed head.

For a row, a journal record say: `prove_reference`. The reader, who has the log's name and the centre's key from
elsewhere, reads the leaf (`alerts.leaves.read_leaf`), checks that salt and body open it (`Opening.check`), that the
body's `record` is the SHA-256 of the record's bytes, that the proof leads from the leaf to the head's root
(`alerts.merkle.verify_inclusion`) and that the head is signed (`alerts.checkpoints.open_checkpoint`).
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.leaves import Leaf, LeafKind, Opening
from center.errors import NotInLog
from center.log.records import LogCheckpoint, LogLeaf, LogOpening
from center.log.tree import prove_inclusion


@dataclass(frozen=True, slots=True)
class LeafProof:
    """One leaf, proven against a published head: `checkpoint` is its signed text, `size` and `root` what it says.

    `opening` is None where it was erased.
    """

    number: int
    leaf: Leaf
    opening: Opening | None
    path: tuple[bytes, ...]
    size: int
    root: bytes
    checkpoint: str


def prove_reference(session: Session, *, tenant: str, kind: LeafKind, reference: str, head: LogCheckpoint) -> LeafProof:
    """The proof of the first leaf of this kind about this row; that of a journal record is the SHA-256 of its bytes.

    `head` is a published one that covers it: `heads.publish_head`, after the row was committed. Raises NotInLog,
    LogDamaged.
    """
    wanted = (LogOpening.tenant == tenant, LogOpening.kind == kind.value, LogOpening.reference == reference)
    number = session.scalars(select(LogOpening.number).where(*wanted).order_by(LogOpening.number).limit(1)).first()
    if number is None:
        raise NotInLog(f"the log has no leaf of kind {kind.value} about {reference}")
    return prove_leaf(session, tenant=tenant, number=number, head=head)


def prove_leaf(session: Session, *, tenant: str, number: int, head: LogCheckpoint) -> LeafProof:
    """The proof of one leaf by its number. Raises NotInLog, LogDamaged."""
    row = session.get(LogLeaf, (tenant, number))
    if row is None or number >= head.size:
        raise NotInLog(f"the log's head of {head.size} leaves does not cover leaf {number}")
    opening = session.get(LogOpening, (tenant, number))
    return LeafProof(
        number=number,
        leaf=row.leaf,
        opening=opening.opening if opening is not None else None,
        path=prove_inclusion(session, tenant=tenant, number=number, size=head.size),
        size=head.size,
        root=head.root,
        checkpoint=head.text,
    )
