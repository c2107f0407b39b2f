"""Recomputing the log: whether it is what was published, whole, and still about the rows that are there.

Nothing stored is taken for granted: leaf hashes are computed from what leaves say, the tree from the leaves, heads are
opened with the centre's key, meanings are checked against leaves and against the rows they are about. What this cannot
see is a log that was rewritten together with its published heads by whoever has the centre's key: for that, heads that
were pinned elsewhere are compared as well.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.checkpoints import Checkpoint, open_checkpoint
from alerts.errors import AlertsError, CheckpointRejected, MalformedMessage
from alerts.leaves import LeafKind, Opening, milliseconds
from alerts.merkle import Edge, Subtree
from alerts.ranges import Run, is_in, joined
from center.log.appending import KEPT_EVERY
from center.log.heads import Notary
from center.log.records import LogCheckpoint, LogLeaf, LogNode, LogOpening, LogTimestamp
from center.log.sources import BATCH_ROWS, CHANGING, SOURCES, Fact, by_bytes
from center.log.stamping import trouble_of
from center.log.tree import head_of

UNREADABLE: Final = (ValueError, TypeError, AttributeError, AlertsError)
"""What reading a row may raise that somebody wrote by hand: SQLite takes anything in any column."""

NO_MORE_THAN: Final = 1000
"""So many troubles are told; a log with more is not worth reading on."""


@dataclass
class Report:
    """What was found: how much was looked at, and each trouble in one line.

    `pulse` is called between pieces of the work: a place to pause, or to break it off by raising.
    """

    leaves: int = 0
    heads: int = 0
    pinned: int = 0
    stamps: int = 0
    erased: int = 0
    troubles: list[str] = field(default_factory=list)
    pulse: Callable[[], None] = lambda: None

    @property
    def holds(self) -> bool:
        """Whether nothing was wrong."""
        return not self.troubles

    def tell(self, trouble: str) -> None:
        """Write a trouble down."""
        if len(self.troubles) < NO_MORE_THAN:
            self.troubles.append(trouble)


def verify_log(
    session: Session, notary: Notary, pinned: Sequence[str] = (), *, pulse: Callable[[], None] = lambda: None
) -> Report:
    """Recompute the log of this centre and compare it with every head published and with those pinned elsewhere.

    `pinned` are signed heads as text. Reads the whole log once; `session` must see one state of the database.
    """
    report = Report(pulse=pulse)
    heads = [*_published(session, notary, report), *_pinned(notary, pinned, report)]
    _check_stamps(session, notary.tenant, report)
    edge = _walk(session, notary.tenant, heads, report)
    if edge is not None:
        _compare_head(session, notary.tenant, edge, report)
    for kind in SOURCES:
        _compare_rows(session, notary.tenant, kind, report)
    return report


@dataclass(frozen=True, slots=True)
class _Head:
    name: str
    size: int
    root: bytes


def _published(session: Session, notary: Notary, report: Report) -> Iterator[_Head]:
    rows = select(LogCheckpoint).where(LogCheckpoint.tenant == notary.tenant).order_by(LogCheckpoint.size)
    for row in session.scalars(rows):
        if report.heads % BATCH_ROWS == 0:
            report.pulse()
        report.heads += 1
        name = f"the head of {row.size} leaves published at {row.published_at:%Y-%m-%d %H:%M:%S} UTC"
        opened = _opened(notary, row.text, name, report)
        if opened is not None and (opened.size, opened.root) != (row.size, row.root):
            report.tell(f"{name}: its row says something else than its signed text")
        if opened is not None:
            yield _Head(name, opened.size, opened.root)


def _pinned(notary: Notary, texts: Sequence[str], report: Report) -> Iterator[_Head]:
    for text in texts:
        report.pinned += 1
        opened = _opened(notary, text, "a head pinned elsewhere", report)
        if opened is not None:
            yield _Head(f"the head of {opened.size} leaves pinned elsewhere", opened.size, opened.root)


def _check_stamps(session: Session, tenant: str, report: Report) -> None:
    """Each time-stamp is about a head as it was published. Whether its authority is one, its roots tell."""
    heads = (LogCheckpoint.tenant == LogTimestamp.tenant) & (LogCheckpoint.size == LogTimestamp.size)
    rows = select(LogTimestamp, LogCheckpoint.text).outerjoin(LogCheckpoint, heads).where(LogTimestamp.tenant == tenant)
    for stamp, text in session.execute(rows).yield_per(BATCH_ROWS):
        report.stamps += 1
        if trouble := trouble_of(stamp, text):
            report.tell(f"the time-stamp of {stamp.stamped_at:%Y-%m-%d %H:%M:%S} UTC on {stamp.size} leaves: {trouble}")


def _opened(notary: Notary, text: str, name: str, report: Report) -> Checkpoint | None:
    try:
        return open_checkpoint(text, origin=notary.origin, key=notary.key.verify_key)
    except CheckpointRejected as error:
        report.tell(f"{name}: {error}")
        return None


def _walk(session: Session, tenant: str, heads: Iterable[_Head], report: Report) -> Edge | None:
    """The edge over all leaves, told of whatever does not fit on the way; None from a hole on."""
    waiting = sorted(heads, key=lambda head: head.size, reverse=True)
    meanings = _Meanings(report)
    nodes = _Nodes(session, tenant, report)
    edge = Edge()
    _pass_heads(waiting, edge, report)
    rows = (
        select(LogLeaf, LogOpening)
        .outerjoin(LogOpening, (LogOpening.tenant == LogLeaf.tenant) & (LogOpening.number == LogLeaf.number))
        .where(LogLeaf.tenant == tenant)
        .order_by(LogLeaf.number)
    )
    for row, opening in session.execute(rows.execution_options(yield_per=BATCH_ROWS)):
        if row.number != edge.size:
            report.tell(f"leaf {edge.size} is missing: nothing behind it can be recomputed")
            return None
        if row.number % BATCH_ROWS == 0:
            report.pulse()
        digest = _hash_of(row)
        if digest != row.hash:
            report.tell(f"leaf {row.number} was altered: it does not have the hash it was entered with")
        meanings.check(row, opening)
        edge, grown = edge.grow([digest])
        nodes.check(grown)
        _pass_heads(waiting, edge, report)
    report.leaves = edge.size
    for head in waiting:
        report.tell(f"{head.name} covers leaves that are not here: the log has {edge.size}")
    meanings.finish(session, tenant, edge.size)
    nodes.finish()
    return edge


def _hash_of(row: LogLeaf) -> bytes:
    try:
        return row.leaf.hash
    except UNREADABLE:
        return b""


def _pass_heads(waiting: list[_Head], edge: Edge, report: Report) -> None:
    while waiting and waiting[-1].size == edge.size:
        head = waiting.pop()
        if head.root != edge.root:
            report.tell(f"{head.name} has another root than the leaves that are here: a leaf was altered or replaced")


class _Nodes:
    """The kept hashes of subtrees, compared as the leaves complete them."""

    def __init__(self, session: Session, tenant: str, report: Report) -> None:
        rows = select(LogNode.level, LogNode.position, LogNode.hash).where(LogNode.tenant == tenant)
        self._kept = {Subtree(level, position): digest for level, position, digest in session.execute(rows)}
        self._report = report

    def check(self, grown: Iterable[tuple[Subtree, bytes]]) -> None:
        for subtree, digest in grown:
            if subtree.level and subtree.level % KEPT_EVERY == 0 and self._kept.pop(subtree, None) != digest:
                self._report.tell(f"the hash kept for {_leaves_of(subtree)} is missing or not theirs")

    def finish(self) -> None:
        for subtree in self._kept:
            self._report.tell(f"a hash is kept for {_leaves_of(subtree)}, which are not all here")


def _leaves_of(subtree: Subtree) -> str:
    first = subtree.position << subtree.level
    return f"leaves {first} to {first + (1 << subtree.level) - 1}"


class _Meanings:
    """Openings: each opens its leaf, and where one is missing, an entry of the log says that it was erased."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._silent: set[int] = set()
        self._erased: list[Run] = []

    def check(self, row: LogLeaf, opening: LogOpening | None) -> None:
        if opening is None:
            self._silent.add(row.number)
            return
        try:
            opening.opening.check(row.leaf)
            if row.kind == LeafKind.ERASURE:
                self._erased += _erased_runs(opening.opening)
        except UNREADABLE:
            self._report.tell(f"what leaf {row.number} is said to mean was altered")
        if opening.kind != row.kind:
            self._report.tell(f"what leaf {row.number} is said to mean is of another kind")

    def finish(self, session: Session, tenant: str, size: int) -> None:
        erased = tuple(joined(sorted(self._erased)))
        firsts = [run.first for run in erased]
        removed = [number for number in sorted(self._silent) if not is_in(number, _near(erased, firsts, number))]
        self._report.erased = len(self._silent) - len(removed)
        for number in removed:
            self._report.tell(f"what leaf {number} means was removed, and no entry of the log says that it was erased")
        beyond = select(LogOpening.number).where(LogOpening.tenant == tenant, LogOpening.number >= size)
        for number in session.scalars(beyond):
            self._report.tell(f"a meaning stands there for leaf {number}, which the log does not have")


def _near(runs: Sequence[Run], firsts: Sequence[int], number: int) -> Sequence[Run]:
    """The only one of these ascending runs that can hold the number."""
    place = bisect_right(firsts, number)
    return runs[max(0, place - 1) : place]


def _erased_runs(opening: Opening) -> Iterator[Run]:
    """The leaves that an entry of an erasure names; raises MalformedMessage."""
    match opening.fields.get("leaves"):
        case list(spans):
            for span in spans:
                match span:
                    case [int(first), int(last)]:
                        yield Run(first, last)
                    case _:
                        raise MalformedMessage("an entry of an erasure names a span of leaves by its ends")
        case _:
            raise MalformedMessage("an entry of an erasure names spans of leaves")


def _compare_head(session: Session, tenant: str, edge: Edge, report: Report) -> None:
    if head_of(session, tenant) != edge:
        report.tell(f"the log's head does not fit its {edge.size} leaves: one was inserted or removed at the end")


def _compare_rows(session: Session, tenant: str, kind: LeafKind, report: Report) -> None:
    """Walk the rows of a kind and what the log says of them side by side, both by their references."""
    told = _told(session, tenant, kind)
    if kind in CHANGING:
        told = (tuple(leaves)[-1] for _, leaves in groupby(told, key=lambda leaf: leaf.reference))
    leaf = next(told, None)
    for number, fact in enumerate(SOURCES[kind](session, tenant)):
        if number % BATCH_ROWS == 0:
            report.pulse()
        while leaf is not None and leaf.reference < fact.reference:
            report.tell(f"{kind.value} {leaf.reference} of leaf {leaf.number} is not here any more: it was removed")
            leaf = next(told, None)
        if leaf is None or leaf.reference != fact.reference:
            report.tell(f"{kind.value} {fact.reference} is not in the log: it was inserted")
        while leaf is not None and leaf.reference == fact.reference:
            if not _fits(leaf, fact):
                report.tell(f"{kind.value} {fact.reference} is not what leaf {leaf.number} says: it was altered")
            leaf = next(told, None)
    for left in [leaf, *told] if leaf is not None else []:
        report.tell(f"{kind.value} {left.reference} of leaf {left.number} is not here any more: it was removed")


@dataclass(frozen=True, slots=True)
class _Told:
    reference: str
    number: int
    at_ms: int
    opening: Opening


def _told(session: Session, tenant: str, kind: LeafKind) -> Iterator[_Told]:
    rows = (
        select(LogOpening.reference, LogOpening.number, LogLeaf.at, LogOpening.salt, LogOpening.body)
        .join(LogLeaf, (LogLeaf.tenant == LogOpening.tenant) & (LogLeaf.number == LogOpening.number))
        .where(LogOpening.tenant == tenant, LogOpening.kind == kind.value)
        .order_by(by_bytes(session, LogOpening.reference), LogOpening.number)
    )
    for reference, number, at, salt, body in session.execute(rows).yield_per(BATCH_ROWS):
        yield _Told(reference, number, milliseconds(at), Opening(salt, body))


def _fits(leaf: _Told, fact: Fact) -> bool:
    try:
        told = leaf.opening.fields
        is_then = fact.at is None or leaf.at_ms == milliseconds(fact.at)
        return fact.body is not None and told | dict(fact.body) == told and is_then
    except UNREADABLE:
        return False
