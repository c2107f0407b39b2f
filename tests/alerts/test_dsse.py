"""Envelopes: exact bytes, one spelling, one signature that covers type and payload."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from alerts import dsse, wire
from alerts.errors import (
    BadSignature,
    MalformedMessage,
    MessageError,
    MessageTooLarge,
    UnknownKey,
    Unsigned,
    UnsupportedAlgorithm,
    WrongType,
)
from alerts.keys import SigningKey, VerifyKey

KEY = SigningKey.generate()
TYPE = dsse.payload_type_of("teawatch.alert.v1")
FIND: Callable[[str], VerifyKey | None] = {KEY.key_id: KEY.verify_key}.get


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_to_the_exact_bytes(payload: bytes) -> None:
    opened = dsse.open_sealed(dsse.seal(payload, TYPE, KEY), TYPE, FIND)
    assert (opened.payload, opened.payload_type, opened.key_id) == (payload, TYPE, KEY.key_id)


def test_any_flipped_bit_is_refused() -> None:
    raw = dsse.seal(b'{"a":1}', TYPE, KEY)
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(MessageError):
            dsse.open_sealed(bytes(flipped), TYPE, FIND)


@given(st.binary(max_size=300))
def test_any_bytes_are_opened_or_refused_with_a_named_error(raw: bytes) -> None:
    with pytest.raises(MessageError):
        dsse.open_sealed(raw, TYPE, FIND)


def test_the_signature_is_over_the_pre_authentication_encoding_of_dsse_v1() -> None:
    envelope = json.loads(dsse.seal(b"hello", "http://example.com/HelloWorld", KEY))
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    signed = b"DSSEv1 29 http://example.com/HelloWorld 5 hello"
    Ed25519PublicKey.from_public_bytes(KEY.verify_key.raw).verify(signature, signed)
    assert base64.b64decode(envelope["payload"]) == b"hello"


def test_a_receipt_can_never_pass_as_a_command() -> None:
    receipt = dsse.seal(b"{}", dsse.payload_type_of("teawatch.receipt.v1"), KEY)
    with pytest.raises(WrongType):
        dsse.open_sealed(receipt, dsse.payload_type_of("teawatch.command.v1"), FIND)
    relabelled = json.loads(receipt)
    relabelled["payloadType"] = dsse.payload_type_of("teawatch.command.v1")
    with pytest.raises(BadSignature):
        dsse.open_sealed(wire.encode(relabelled), relabelled["payloadType"], FIND)


def _changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    envelope = json.loads(dsse.seal(b'{"a":1}', TYPE, KEY))
    change(envelope)
    return wire.encode(envelope)


SEALED = dsse.seal(b'{"a":1}', TYPE, KEY)
STRANGER = SigningKey.generate()


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        pytest.param(dsse.seal(b'{"a":1}', TYPE, STRANGER), UnknownKey, id="a stranger's key"),
        pytest.param(
            _changed(lambda e: e["signatures"][0].update(keyid=KEY.key_id, sig=base64.b64encode(b"x" * 64).decode())),
            BadSignature,
            id="a made-up signature",
        ),
        pytest.param(_changed(lambda e: e.update(payload="eyJhIjoyfQ==")), BadSignature, id="another payload"),
        pytest.param(_changed(lambda e: e.update(signatures=[])), Unsigned, id="an empty list of signatures"),
        pytest.param(_changed(lambda e: e.pop("signatures")), Unsigned, id="no signatures"),
        pytest.param(b'{"specversion":"1.0","type":"teawatch.alert.v1"}', Unsigned, id="a bare event"),
        pytest.param(
            _changed(lambda e: e["signatures"].append(e["signatures"][0])), MalformedMessage, id="two signatures"
        ),
        pytest.param(_changed(lambda e: e.update(more=1)), MalformedMessage, id="an additional field"),
        pytest.param(
            _changed(lambda e: e["signatures"][0].update(more="x")), MalformedMessage, id="one in the signature"
        ),
        pytest.param(_changed(lambda e: e["signatures"][0].pop("alg")), MalformedMessage, id="no algorithm"),
        pytest.param(
            _changed(lambda e: e["signatures"][0].update(alg="none")), UnsupportedAlgorithm, id="algorithm none"
        ),
        pytest.param(_changed(lambda e: e.update(payload="e yJ")), MalformedMessage, id="spaces in the base64"),
        pytest.param(_changed(lambda e: e.update(payload="eyJhIjoxfR==")), MalformedMessage, id="loose base64 ends"),
        pytest.param(SEALED.replace(b',"payloadType', b', "payloadType'), MalformedMessage, id="a space"),
        pytest.param(SEALED[:-1] + b',"payload":"eyJhIjoyfQ=="}', MalformedMessage, id="a duplicate key"),
        pytest.param(SEALED[:-20], MalformedMessage, id="cut short"),
        pytest.param(b" " * 400_001, MessageTooLarge, id="too large"),
    ],
)
def test_each_wrong_envelope_is_refused_by_name(raw: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        dsse.open_sealed(raw, TYPE, FIND)


def test_a_finder_that_gives_another_key_does_not_vouch() -> None:
    with pytest.raises(UnknownKey):
        dsse.open_sealed(SEALED, TYPE, lambda _: STRANGER.verify_key)
