"""Leaves of the log: one spelling, and nothing of what they stand for in them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import merkle, wire
from alerts.errors import MalformedMessage, ProofRejected
from alerts.leaves import Leaf, LeafKind, Opening, read_leaf

AT = datetime(2026, 5, 1, 4, 0, 0, 123000, tzinfo=UTC)
OPENING = Opening.of({"person": "a pseudonym", "act": "view"})
LEAF = Leaf(LeafKind.CUSTODY, AT, OPENING.commitment)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants bounds without zone


@given(st.sampled_from(LeafKind), TIMES, st.binary(min_size=32, max_size=32))
def test_what_was_spelled_is_read_to_the_millisecond(kind: LeafKind, at: datetime, commitment: bytes) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    leaf = Leaf(kind, at, commitment)
    assert read_leaf(leaf.spell()) == leaf
    assert wire.encode(wire.decode_object(leaf.spell())) == leaf.spell()
    assert leaf.hash == merkle.leaf_hash(leaf.spell())


def test_the_spelling_is_fixed_for_ever() -> None:
    assert Leaf(LeafKind.RECORD, AT, bytes(32)).spell() == (
        b'{"at_ms":1777608000123,"commitment":"' + b"0" * 64 + b'","kind":"record","version":1}'
    )


def test_an_opening_opens_its_own_leaf_and_no_other() -> None:
    OPENING.check(LEAF)
    for other in (
        Opening.of(OPENING.fields),
        Opening(OPENING.salt, OPENING.body + b" "),
        Opening(b"", OPENING.body),
        Opening(OPENING.salt + bytes(1), OPENING.body),
    ):
        with pytest.raises(ProofRejected, match="something else"):
            other.check(LEAF)


def test_the_same_body_twice_gives_two_leaves_that_nobody_can_tell_belong_together() -> None:
    again = Opening.of(OPENING.fields)
    assert again.body == OPENING.body
    assert again.commitment != OPENING.commitment


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        LEAF.spell() + b" ",
        LEAF.spell().replace(b'"version":1', b'"version":2'),
        LEAF.spell().replace(b"custody", b"gossip"),
        LEAF.spell().replace(b'"at_ms":1', b'"at_ms":true,"x":1'),
        LEAF.spell().replace(b'"at_ms":1777608000123', b'"at_ms":9007199254740991'),
        LEAF.spell().replace(OPENING.commitment.hex().encode(), b"00"),
        LEAF.spell().replace(OPENING.commitment.hex().encode(), OPENING.commitment.hex().upper().encode()),
    ],
)
def test_what_is_no_leaf_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_leaf(raw)
