"""How leaves get into the log: entered where something happens, appended together when that transaction commits.

What happened and its leaf are committed in one transaction or not at all; a savepoint that is rolled back takes what
was entered in it along. The row of the head is held only from the append to the commit, so that several writers wait
for each other as briefly as can be; each transaction writes its leaves in a handful of statements, however many.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, SessionTransaction

from alerts.leaves import Leaf, LeafKind, Opening
from alerts.merkle import HASH_BYTES, Edge
from center.log.records import LogHead, LogLeaf, LogNode, LogOpening
from traceability.rows import insert_rows, read_rows

KEPT_EVERY = 4
"""Nodes are kept on levels that are multiples of this."""

_ENTERED = "teawatch_log"


@dataclass(frozen=True, slots=True)
class _Entered:
    tenant: str
    kind: LeafKind
    at: datetime
    reference: str
    person: str
    opening: Opening
    transaction: SessionTransaction | None


def enter(
    session: Session,
    *,
    tenant: str,
    kind: LeafKind,
    fields: Mapping[str, object],
    reference: str,
    at: datetime,
    person: str = "",
) -> None:
    """Have a leaf with this body appended when `session` commits.

    `fields` are the body's, integers and text only; `person` is the pseudonym of whom they name.
    """
    entered: list[_Entered] | None = session.info.get(_ENTERED)
    if entered is None:
        entered = session.info[_ENTERED] = []
        event.listen(session, "after_soft_rollback", _forget_rolled_back)
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    nested = session.get_nested_transaction()
    entered.append(_Entered(tenant, kind, at, reference, person, Opening.of(fields), nested))


def _forget_rolled_back(session: Session, ended: SessionTransaction) -> None:
    """A flush is a transaction of its own; one that fails takes along the savepoint it was in, or everything."""
    entered: list[_Entered] = session.info.get(_ENTERED, [])
    lost = next(each for each in _around(ended) if each.nested or each.parent is None)
    entered[:] = [each for each in entered if lost.nested and lost not in _around(each.transaction)]


def _around(transaction: SessionTransaction | None) -> Iterator[SessionTransaction]:
    while transaction is not None:
        yield transaction
        transaction = transaction.parent


def append_entered(session: Session) -> None:
    """Append what was entered on `session`; the last thing to be done before it commits."""
    entered: list[_Entered] = session.info.get(_ENTERED, [])
    if entered:
        session.flush()  # nobody waits for the head while rows are written that others may hold
    for tenant, own in groupby(sorted(entered, key=lambda each: each.tenant), key=lambda each: each.tenant):
        _append(session, tenant, tuple(own))
    entered.clear()


def _append(session: Session, tenant: str, entered: tuple[_Entered, ...]) -> None:
    edge = hold_head(session, tenant)
    leaves = [Leaf(each.kind, each.at, each.opening.commitment) for each in entered]
    hashes = [leaf.hash for leaf in leaves]
    grown, nodes = edge.grow(hashes)
    numbers = range(edge.size, grown.size)
    insert_rows(
        session,
        LogLeaf,
        [
            {
                "tenant": tenant,
                "number": number,
                "kind": leaf.kind.value,
                "at": leaf.at,
                "commitment": leaf.commitment,
                "hash": digest,
            }
            for number, leaf, digest in zip(numbers, leaves, hashes, strict=True)
        ],
    )
    insert_rows(
        session,
        LogOpening,
        [
            {
                "tenant": tenant,
                "number": number,
                "kind": each.kind.value,
                "reference": each.reference,
                "person": each.person,
                "salt": each.opening.salt,
                "body": each.opening.body,
            }
            for number, each in zip(numbers, entered, strict=True)
        ],
    )
    kept = [
        {"tenant": tenant, "level": subtree.level, "position": subtree.position, "hash": digest}
        for subtree, digest in nodes
        if subtree.level and subtree.level % KEPT_EVERY == 0
    ]
    insert_rows(session, LogNode, kept)
    head = {"own": tenant, "grown": grown.size, "peaks_now": b"".join(grown.peaks)}
    session.connection().execute(_MOVE_HEAD, head)


def hold_head(session: Session, tenant: str) -> Edge:
    """The edge as it is, and nobody else's to move until this transaction ends: nobody's leaves come in meanwhile."""
    rows = read_rows(session, _HELD_HEAD, {"own": tenant})
    if not rows:
        begin_log(session, tenant)
        rows = read_rows(session, _HELD_HEAD, {"own": tenant})
    return edge_of(rows[0].size, rows[0].peaks)


_HELD_HEAD: Final = select(LogHead.size, LogHead.peaks).where(LogHead.tenant == bindparam("own")).with_for_update()
_MOVE_HEAD: Final = (
    update(LogHead)
    .where(LogHead.tenant == bindparam("own"))
    .values(size=bindparam("grown"), peaks=bindparam("peaks_now"))
)


def begin_log(session: Session, tenant: str) -> None:
    """An empty log, unless somebody else begins it at the same time."""
    with suppress(IntegrityError), session.begin_nested():
        session.execute(insert(LogHead).values(tenant=tenant, size=0, peaks=b""))


def edge_of(size: int, peaks: bytes) -> Edge:
    """The edge as its row keeps it."""
    return Edge(size, tuple(peaks[start : start + HASH_BYTES] for start in range(0, len(peaks), HASH_BYTES)))
