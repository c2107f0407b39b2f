"""The log's tree: the RFC's vectors, and proofs against a tree written the naive way."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import ProofRejected
from alerts.merkle import (
    EMPTY_ROOT,
    Edge,
    FindHash,
    Subtree,
    complete_subtrees,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root_of,
    verify_consistency,
    verify_inclusion,
)

VECTOR_LEAVES = tuple(
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
"""The leaves of the tests of RFC 6962's reference implementation."""

VECTOR_ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
SIZES = st.integers(1, 130)


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


def naive_root(hashes: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, word for word."""
    if len(hashes) <= 1:
        return hashes[0] if hashes else EMPTY_ROOT
    middle = 1
    while middle * 2 < len(hashes):
        middle *= 2
    return hashlib.sha256(b"\x01" + naive_root(hashes[:middle]) + naive_root(hashes[middle:])).digest()


def store(count: int) -> FindHash:
    """Only what a log keeps: the subtrees that were complete when the leaf that completed them came."""
    edge, kept = Edge(), dict[Subtree, bytes]()
    for leaf in leaves(count):
        edge, nodes = edge.grow([leaf])
        kept.update(nodes)
    return kept.__getitem__


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert root_of(leaf_hash(data) for data in VECTOR_LEAVES[:size]).hex() == VECTOR_ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    ],
)
def test_inclusion_proofs_are_those_of_the_reference_implementation(index: int, size: int, proof: list[str]) -> None:
    kept = dict(Edge().grow(leaf_hash(data) for data in VECTOR_LEAVES)[1])
    assert [each.hex() for each in prove_inclusion(kept.__getitem__, index, size)] == proof


@given(st.integers(0, 130), st.integers(0, 130))
def test_growing_in_pieces_gives_the_root_of_the_whole(first: int, more: int) -> None:
    all_leaves = leaves(first + more)
    edge, _ = Edge().grow(all_leaves[:first])
    assert edge == Edge(first, tuple(store(first)(subtree) for subtree in complete_subtrees(0, first)))
    assert edge.grow(all_leaves[first:])[0].root == naive_root(all_leaves)


@given(SIZES, st.data())
def test_every_leaf_proves_itself_and_no_other_place_or_tree(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    all_leaves = leaves(size)
    proof = prove_inclusion(store(size), index, size)
    root = naive_root(all_leaves)
    verify_inclusion(proof, leaf=all_leaves[index], index=index, size=size, root=root)
    with pytest.raises(ProofRejected):
        verify_inclusion(proof, leaf=leaf_hash(b"another"), index=index, size=size, root=root)
    elsewhere = data.draw(st.integers(0, size - 1).filter(lambda other: other != index)) if size > 1 else size
    with pytest.raises(ProofRejected):
        verify_inclusion(proof, leaf=all_leaves[index], index=elsewhere, size=size, root=root)
    with pytest.raises(ProofRejected):
        verify_inclusion((*proof, root), leaf=all_leaves[index], index=index, size=size, root=root)


@given(SIZES, st.data())
def test_a_log_that_grew_proves_it_and_a_rewritten_one_cannot(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, second))
    all_leaves = leaves(second)
    proof = prove_consistency(store(second), first, second)
    old, new = naive_root(all_leaves[:first]), naive_root(all_leaves)
    verify_consistency(proof, first=first, first_root=old, second=second, second_root=new)
    if first:
        forged = naive_root([leaf_hash(b"rewritten"), *all_leaves[1:first]])
        with pytest.raises(ProofRejected, match=r"rewritten|hashes"):
            verify_consistency(proof, first=first, first_root=forged, second=second, second_root=new)
        altered = data.draw(st.integers(0, second - 1))
        other = naive_root([leaf_hash(b"x") if n == altered else leaf for n, leaf in enumerate(all_leaves)])
        with pytest.raises(ProofRejected):
            verify_consistency(proof, first=first, first_root=old, second=second, second_root=other)


@given(SIZES, st.data())
def test_a_proof_with_one_bit_flipped_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    all_leaves = leaves(size)
    parts = [all_leaves[index], naive_root(all_leaves), *prove_inclusion(store(size), index, size)]
    part, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    flipped = int.from_bytes(parts[part]) ^ (1 << bit)
    parts[part] = flipped.to_bytes(32)
    with pytest.raises(ProofRejected):
        verify_inclusion(parts[2:], leaf=parts[0], index=index, size=size, root=parts[1])


@given(st.integers(1, 2**60), st.data())
def test_a_proof_needs_few_hashes_however_large_the_log(size: int, data: st.DataObject) -> None:
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    asked: list[Subtree] = []

    def find(subtree: Subtree) -> bytes:
        asked.append(subtree)
        assert (subtree.position + 1) << subtree.level <= size, "an incomplete subtree is never asked for"
        return bytes(32)

    assert len(prove_inclusion(find, index, size)) <= size.bit_length()
    assert len(prove_consistency(find, first, size)) <= size.bit_length() + 1
    assert len(asked) <= 4 * size.bit_length() + 2


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_a_leaf_that_cannot_be_is_not_proven(index: int, size: int) -> None:
    with pytest.raises(ProofRejected, match="has no leaf"):
        prove_inclusion(store(4), index, size)
    with pytest.raises(ProofRejected, match="has no leaf"):
        verify_inclusion((), leaf=bytes(32), index=index, size=size, root=bytes(32))


def test_a_log_does_not_shrink() -> None:
    with pytest.raises(ProofRejected, match="never had 5"):
        prove_consistency(store(4), 5, 4)
    with pytest.raises(ProofRejected, match="never had 5"):
        verify_consistency((), first=5, first_root=bytes(32), second=4, second_root=bytes(32))


def test_an_empty_log_has_the_one_empty_root() -> None:
    with pytest.raises(ProofRejected):
        verify_consistency((), first=0, first_root=EMPTY_ROOT, second=0, second_root=bytes(32))
    verify_consistency((), first=0, first_root=EMPTY_ROOT, second=0, second_root=EMPTY_ROOT)


def test_what_is_no_hash_is_refused() -> None:
    with pytest.raises(ProofRejected, match="32 bytes"):
        verify_inclusion((), leaf=b"short", index=0, size=1, root=b"short")
