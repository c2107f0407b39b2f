"""The log's tree as the database keeps it: hashes of complete subtrees, and proofs made of them.

A proof reads a number of rows that grows with the logarithm of the log; nothing scans the log.
"""

from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import merkle
from alerts.merkle import Edge, FindHash, Subtree
from center.errors import LogDamaged
from center.log.appending import KEPT_EVERY, edge_of
from center.log.records import LogHead, LogLeaf, LogNode


def head_of(session: Session, tenant: str) -> Edge:
    """The edge of the log as it is committed now."""
    row = session.execute(select(LogHead.size, LogHead.peaks).where(LogHead.tenant == tenant)).first()
    return edge_of(row.size, row.peaks) if row is not None else Edge()


def prove_inclusion(session: Session, *, tenant: str, number: int, size: int) -> tuple[bytes, ...]:
    """The proof that this leaf is in the log of the first `size` leaves. Raises ProofRejected, LogDamaged."""
    return merkle.prove_inclusion(hashes_of(session, tenant), number, size)


def prove_consistency(session: Session, *, tenant: str, first: int, second: int) -> tuple[bytes, ...]:
    """The proof that the log of `second` leaves begins with that of `first`. Raises ProofRejected, LogDamaged."""
    return merkle.prove_consistency(hashes_of(session, tenant), first, second)


def hashes_of(session: Session, tenant: str) -> FindHash:
    """Finds the hash of any complete subtree of the log; the found function raises LogDamaged."""
    return partial(_find, session, tenant)


def _find(session: Session, tenant: str, subtree: Subtree) -> bytes:
    """The kept hash, or the root over the at most 8 kept hashes below."""
    above = subtree.level % KEPT_EVERY
    level, first, end = subtree.level - above, subtree.position << above, (subtree.position + 1) << above
    if level == 0:
        rows = (
            select(LogLeaf.hash)
            .where(LogLeaf.tenant == tenant, LogLeaf.number >= first, LogLeaf.number < end)
            .order_by(LogLeaf.number)
        )
    else:
        rows = (
            select(LogNode.hash)
            .where(LogNode.tenant == tenant, LogNode.level == level, LogNode.position >= first, LogNode.position < end)
            .order_by(LogNode.position)
        )
    found = session.scalars(rows).all()
    if len(found) != end - first:
        raise LogDamaged(
            f"hashes of the log are missing at level {level}, {first} to {end}: `teawatch center log verify`"
        )
    return merkle.root_of(found)
