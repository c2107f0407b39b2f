"""The tree over an append-only log: one hash for it all, and short proofs that a leaf is in it and that it only grew.

After RFC 9162, section 2.1 (the same tree as RFC 6962): SHA-256, a leaf is hashed behind 0x00 and a node behind 0x01,
so that neither passes as the other. Leaves count from 0. Everything here is pure; who keeps hashes hands in how to find
them. A proof is made of the hashes of *complete* subtrees, which never change once they are full, so that a store
needs to write each of them once.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from alerts.errors import ProofRejected

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256().digest()
"""The root of a log without leaves."""


class Subtree(NamedTuple):
    """The complete subtree over the 2**level leaves from position * 2**level on; a leaf is one of level 0."""

    level: int
    position: int


FindHash: TypeAlias = Callable[[Subtree], bytes]
"""Gives the hash of a complete subtree of a log."""

Node: TypeAlias = tuple[Subtree, bytes]
"""A complete subtree and its hash."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf that holds these bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Edge:
    """The right-hand edge of a tree: its size and the hashes of the complete subtrees it falls into, largest first.

    All that is needed to add leaves and to know the root, whatever the size.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT

    def grow(self, leaves: Iterable[bytes]) -> "tuple[Edge, tuple[Node, ...]]":
        """The edge after these leaf hashes, and every subtree, leaves included, that became complete with them."""
        size, peaks = self.size, list(self.peaks)
        nodes: list[Node] = []
        for leaf in leaves:
            level, index, tip = 0, size, leaf
            nodes.append((Subtree(level, index), tip))
            while index & 1:
                level, index, tip = level + 1, index >> 1, node_hash(peaks.pop(), tip)
                nodes.append((Subtree(level, index), tip))
            peaks.append(tip)
            size += 1
        return Edge(size, tuple(peaks)), tuple(nodes)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes."""
    return Edge().grow(leaves)[0].root


def complete_subtrees(first: int, end: int) -> tuple[Subtree, ...]:
    """The complete subtrees, largest first, that make up the leaves from `first` until before `end`.

    `first` is a multiple of the largest power of two that is not above `end - first`, as it is in every node of a tree.
    """
    found: list[Subtree] = []
    while first < end:
        level = (end - first).bit_length() - 1
        found.append(Subtree(level, first >> level))
        first += 1 << level
    return tuple(found)


def prove_inclusion(find: FindHash, index: int, size: int) -> tuple[bytes, ...]:
    """The proof that the leaf `index` is in the tree of `size` leaves; raises ProofRejected where it cannot be."""
    if not 0 <= index < size:
        raise ProofRejected(f"a log of {size} leaves has no leaf {index}")
    return tuple(_hash_of(find, first, end) for first, end in _inclusion_spans(index, 0, size))


def prove_consistency(find: FindHash, first: int, second: int) -> tuple[bytes, ...]:
    """The proof that the tree of `second` leaves begins with that of `first`; raises ProofRejected."""
    if not 0 <= first <= second:
        raise ProofRejected(f"a log of {second} leaves never had {first}")
    spans = _consistency_spans(first, 0, second, is_whole=True) if 0 < first < second else []
    return tuple(_hash_of(find, start, end) for start, end in spans)


def verify_inclusion(proof: Sequence[bytes], *, leaf: bytes, index: int, size: int, root: bytes) -> None:
    """Return if the proof leads from this leaf hash at `index` to the root of `size` leaves; raises ProofRejected."""
    _check_hashes((root,))
    steps = climb(proof, leaf=leaf, index=index, size=size)
    if (steps[-1].tip if steps else leaf) != root:
        raise ProofRejected(f"leaf {index} is not in this log of {size} leaves: the proof leads to another root")


class Step(NamedTuple):
    """One step of the way from a leaf to the root.

    What was reached so far is joined with `sibling`, the hash of the leaves from `first` until before `end`; `tip` is
    the hash over both.
    """

    first: int
    end: int
    sibling: bytes
    tip: bytes


def climb(proof: Sequence[bytes], *, leaf: bytes, index: int, size: int) -> tuple[Step, ...]:
    """The way of a proof from this leaf hash up; its last `tip` is the root it leads to. Raises ProofRejected."""
    if not 0 <= index < size:
        raise ProofRejected(f"a log of {size} leaves has no leaf {index}")
    _check_hashes((leaf, *proof))
    spans = _inclusion_spans(index, 0, size)
    if len(spans) != len(proof):
        raise ProofRejected(f"leaf {index} of {size} has a proof of {len(spans)} hashes, not of {len(proof)}")
    steps: list[Step] = []
    tip = leaf
    for (first, end), sibling in zip(spans, proof, strict=True):
        tip = node_hash(sibling, tip) if first < index else node_hash(tip, sibling)
        steps.append(Step(first, end, sibling, tip))
    return tuple(steps)


def verify_consistency(
    proof: Sequence[bytes], *, first: int, first_root: bytes, second: int, second_root: bytes
) -> None:
    """Return if the log of `second` leaves begins with the log of `first`; raises ProofRejected."""
    if not 0 <= first <= second:
        raise ProofRejected(f"a log of {second} leaves never had {first}")
    _check_hashes((first_root, second_root, *proof))
    spans = _consistency_spans(first, 0, second, is_whole=True) if 0 < first < second else []
    if len(spans) != len(proof):
        raise ProofRejected(f"from {first} to {second} leaves the proof has {len(spans)} hashes, not {len(proof)}")
    if first == 0:
        roots = (EMPTY_ROOT, EMPTY_ROOT if second == 0 else second_root)
    elif first == second:
        roots = (second_root, first_root)
    else:
        roots = _roots_from(proof, spans, first, first_root)
    if roots != (first_root, second_root):
        raise ProofRejected(f"the log of {second} leaves does not begin with the log of {first}: it was rewritten")


_Span: TypeAlias = tuple[int, int]


def _inclusion_spans(index: int, start: int, end: int) -> list[_Span]:
    """The leaves under each hash of the proof, from the leaf's neighbour up (PATH of RFC 9162, 2.1.3.1)."""
    spans: list[_Span] = []
    while end - start > 1:
        middle = start + _left_size(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def _consistency_spans(first: int, start: int, end: int, *, is_whole: bool) -> list[_Span]:
    """The leaves under each hash of the proof (SUBPROOF of RFC 9162, 2.1.4.1)."""
    if first == end:
        return [] if is_whole else [(start, end)]
    middle = start + _left_size(end - start)
    if first <= middle:
        return [*_consistency_spans(first, start, middle, is_whole=is_whole), (middle, end)]
    return [*_consistency_spans(first, middle, end, is_whole=False), (start, middle)]


def _roots_from(proof: Sequence[bytes], spans: Sequence[_Span], first: int, first_root: bytes) -> tuple[bytes, bytes]:
    """Both roots, rebuilt from the proof: what lies before `first` counts for both, what lies behind for the second."""
    hashes = list(zip(spans, proof, strict=True))
    if spans[0][1] > first:
        old = new = first_root
    else:
        old = new = hashes.pop(0)[1]
    for (start, _), sibling in hashes:
        if start < first:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    return old, new


def _left_size(size: int) -> int:
    """How many of `size` > 1 leaves the left branch has: the largest power of two below it."""
    return 1 << ((size - 1).bit_length() - 1)


def _hash_of(find: FindHash, first: int, end: int) -> bytes:
    return _fold([find(subtree) for subtree in complete_subtrees(first, end)])


def _fold(peaks: Sequence[bytes]) -> bytes:
    tip = peaks[-1]
    for peak in reversed(peaks[:-1]):
        tip = node_hash(peak, tip)
    return tip


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofRejected(f"a hash of the log has {HASH_BYTES} bytes")
