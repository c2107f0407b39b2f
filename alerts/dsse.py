"""DSSE: an envelope that carries exact bytes, their type and a signature over both.

After the Dead Simple Signing Envelope v1 (https://github.com/secure-systems-lab/dsse): the signature covers the
payload type too, so that a receipt can never pass as a command. Beyond that standard, each signature names its `alg`,
and only one spelling of an envelope is accepted: what `seal` writes. Otherwise anybody on the way could
make a second, different-looking copy of a record, which the centre would have to take for a fork of the chain.
"""

import base64
import binascii
from dataclasses import dataclass

from alerts import wire
from alerts.errors import MalformedMessage, UnknownKey, Unsigned, UnsupportedAlgorithm, WrongType
from alerts.keys import ALGORITHM, KeyFinder, SigningKey


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope taken apart; nothing in it is verified yet."""

    payload_type: str
    payload: bytes
    key_id: str
    algorithm: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A payload whose signature holds, and the key that made it."""

    payload: bytes
    payload_type: str
    key_id: str


def payload_type_of(event_type: str) -> str:
    """The DSSE payload type of a message type: `teawatch.alert.v1` has one of its own, and so has every other."""
    return f"application/vnd.{event_type}+cloudevents+json"


def seal(payload: bytes, payload_type: str, key: SigningKey) -> bytes:
    """The exact bytes of an envelope with one Ed25519 signature."""
    return _spell(Envelope(payload_type, payload, key.key_id, ALGORITHM, key.sign(_to_sign(payload_type, payload))))


def open_sealed(raw: bytes, payload_type: str, find_key: KeyFinder) -> Opened:
    """The payload, once type, key and signature are right.

    Raises MalformedMessage, MessageTooLarge, Unsigned, WrongType, UnknownKey, UnsupportedAlgorithm, BadSignature.
    """
    envelope = read_envelope(raw)
    if envelope.payload_type != payload_type:
        raise WrongType(f"{envelope.payload_type[:120]!r} where {payload_type!r} is expected")
    return verify(envelope, find_key)


def verify(envelope: Envelope, find_key: KeyFinder) -> Opened:
    """Check the signature of an envelope whose type the caller has accepted."""
    if envelope.algorithm != ALGORITHM:
        raise UnsupportedAlgorithm(f"signature algorithm {envelope.algorithm[:40]!r}; this version knows {ALGORITHM}")
    key = find_key(envelope.key_id)
    if key is None or key.key_id != envelope.key_id:
        raise UnknownKey(f"nobody vouches for the key {envelope.key_id[:80]!r}")
    key.verify(envelope.signature, _to_sign(envelope.payload_type, envelope.payload))
    return Opened(envelope.payload, envelope.payload_type, envelope.key_id)


def read_envelope(raw: bytes, *, max_bytes: int = wire.MAX_BYTES) -> Envelope:
    """Take an envelope apart without checking its signature; raises as `open_sealed` for its form."""
    outer = wire.decode_object(raw, max_bytes=max_bytes)
    match outer:
        case {"payload": str(payload), "payloadType": str(payload_type), "signatures": []} if len(outer) == 3:  # noqa: PLR2004 - the three fields of the pattern
            raise Unsigned(f"{payload_type[:120]!r} without a signature ({len(payload)} characters of payload)")
        case {
            "payload": str(payload),
            "payloadType": str(payload_type),
            "signatures": [{"keyid": str(key_id), "alg": str(algorithm), "sig": str(signature)}],
        }:
            envelope = Envelope(payload_type, _unbase64(payload), key_id, algorithm, _unbase64(signature))
        case {"signatures": [_, _, *_]}:
            raise MalformedMessage("an envelope with several signatures")
        case _ if "signatures" not in outer and "payload" in outer:
            raise Unsigned("an envelope without signatures")
        case _ if "specversion" in outer:
            raise Unsigned("a bare message outside an envelope")
        case _:
            raise MalformedMessage("not a DSSE envelope")
    if _spell(envelope) != raw:
        raise MalformedMessage("not the one spelling of an envelope: additional fields, spaces or another order")
    return envelope


def _spell(envelope: Envelope) -> bytes:
    return wire.encode(
        {
            "payload": base64.b64encode(envelope.payload).decode(),
            "payloadType": envelope.payload_type,
            "signatures": [
                {
                    "alg": envelope.algorithm,
                    "keyid": envelope.key_id,
                    "sig": base64.b64encode(envelope.signature).decode(),
                }
            ],
        }
    )


def _to_sign(payload_type: str, payload: bytes) -> bytes:
    """PAE, the pre-authentication encoding of DSSE v1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedMessage("wrong base64 in an envelope") from None
