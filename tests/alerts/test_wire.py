"""Strict JSON: read the same by everybody, or not at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import wire
from alerts.errors import MalformedMessage, MessageTooLarge
from tests.alerts.parts import make_alert

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
LEAVES = st.none() | st.booleans() | st.integers(-wire.MAX_INTEGER, wire.MAX_INTEGER) | TEXT
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=10
)


@given(st.dictionaries(TEXT, VALUES, max_size=6))
def test_what_is_encoded_decodes_to_the_same(value: dict[str, object]) -> None:
    assert wire.decode(wire.encode(value)) == value


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_decode_or_are_refused_with_a_named_error(raw: bytes) -> None:
    try:
        value = wire.decode(raw)
    except MalformedMessage:
        return
    assert json.loads(raw) == value


@given(
    st.dictionaries(TEXT, VALUES | st.floats() | st.integers(-(2**70), 2**70) | st.lists(st.floats()), max_size=4),
    st.booleans(),
)
def test_whoever_wrote_it_only_what_may_travel_is_read(value: dict[str, object], is_ascii: bool) -> None:
    raw = json.dumps(value, ensure_ascii=is_ascii, separators=(",", ":")).encode()
    try:
        wire.encode(value)
    except MalformedMessage:
        with pytest.raises(MalformedMessage):
            wire.decode(raw)
    else:
        assert wire.decode(raw) == value


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":{"b":1,"c":2,"b":3}}', "twice"),
        (b'{"a":1.0}', "integer"),
        (b'{"a":1e3}', "integer"),
        (b'{"a":NaN}', "integer"),
        (b'{"a":-Infinity}', "integer"),
        (b'{"a":9007199254740992}', "2**53"),
        (b'{"a":' + b"9" * 5000 + b"}", "an integer is beyond"),
        (b'{"a":"\\u0000"}', "NUL"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\ud800":1}', "surrogate"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'\xef\xbb\xbf{"a":1}', "JSON"),
        (b"[" * 17 + b"]" * 17, "deeper"),
        (b"[" * 100_000, "deeper"),
        (b'{"a":1}{"b":2}', "JSON"),
        (b"", "JSON"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(MalformedMessage, match=says.replace("*", r"\*")):
        wire.decode(raw)


def test_too_many_bytes_are_refused_before_they_are_parsed() -> None:
    with pytest.raises(MessageTooLarge, match="262145 bytes"):
        wire.decode(b" " * 262_145)


@pytest.mark.parametrize("value", [{"a": 1.5}, {"a": float("nan")}, {"a": 2**53}, {"a": b"x"}, {1: "a"}, {"a": {1}}])
def test_what_may_not_travel_is_not_written_either(value: dict[str, object]) -> None:
    with pytest.raises(MalformedMessage):
        wire.encode(value)


def test_a_message_is_written_compactly_with_sorted_keys_and_without_absent_options() -> None:
    raw = wire.encode(make_alert())
    decoded = json.loads(raw)
    assert raw == json.dumps(decoded, sort_keys=True, separators=(",", ":")).encode()
    assert "derived_from" not in decoded["evidence"][0]
    assert decoded["observed_at"] == "2026-04-05T12:00:00Z"


def test_chinese_text_stays_readable_on_the_wire() -> None:
    assert wire.encode({"kind": "茶园"}) == '{"kind":"茶园"}'.encode()
