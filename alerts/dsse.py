"""DSSE: an envelope that carries exact bytes, their type and a signature over both.

After the Dead Simple Signing Envelope v1 (https://github.com/secure-systems-lab/dsse): the signature covers the
payload type too, so that a receipt can never pass as a command. Beyond that standard, each signature names its `alg`,
and only one spelling of an envelope is accepted: what `seal` writes. Otherwise anybody on the way could
make a second, different-looking copy of a record, which the centre would have to take for a fork of the chain. For the
same reason the number of signatures belongs to the type: one, or two where a second key has to agree (a rotation).
"""

import base64
import binascii
import re
from dataclasses import dataclass

from alerts import wire
from alerts.errors import MalformedMessage, UnknownKey, Unsigned, UnsupportedAlgorithm, WrongType
from alerts.keys import ALGORITHM, KeyFinder, SigningKey, VerifyKey

MOST_SIGNATURES = 2
_BEFORE, _AFTER = "application/vnd.", "+cloudevents+json"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of an envelope and whose it claims to be."""

    key_id: str
    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope taken apart; nothing in it is verified yet."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def key_id(self) -> str:
        """Who signed first: the one who speaks."""
        return self.signatures[0].key_id


@dataclass(frozen=True, slots=True)
class Opened:
    """A payload whose signature holds, and the key that made it."""

    payload: bytes
    payload_type: str
    key_id: str


def payload_type_of(event_type: str) -> str:
    """The DSSE payload type of a message type: `teawatch.alert.v1` has one of its own, and so has every other."""
    return f"{_BEFORE}{event_type}{_AFTER}"


def event_type_of(payload_type: str) -> str:
    """The message type that has this DSSE payload type; empty where none can have it."""
    if not payload_type.startswith(_BEFORE) or not payload_type.endswith(_AFTER):
        return ""
    return payload_type[len(_BEFORE) : -len(_AFTER)]


def seal(payload: bytes, payload_type: str, key: SigningKey, cosigner: SigningKey | None = None) -> bytes:
    """The exact bytes of an envelope signed with Ed25519 by `key`, and after it by `cosigner` if there is one."""
    to_sign = _to_sign(payload_type, payload)
    signers = (key,) if cosigner is None else (key, cosigner)
    signatures = tuple(Signature(each.key_id, ALGORITHM, each.sign(to_sign)) for each in signers)
    return _spell(Envelope(payload_type, payload, signatures))


def open_sealed(raw: bytes, payload_type: str, find_key: KeyFinder) -> Opened:
    """The payload, once type, key and signature are right.

    Raises MalformedMessage, MessageTooLarge, Unsigned, WrongType, UnknownKey, UnsupportedAlgorithm, BadSignature.
    """
    envelope = read_envelope(raw)
    if envelope.payload_type != payload_type:
        raise WrongType(f"{envelope.payload_type[:120]!r} where {payload_type!r} is expected")
    return verify(envelope, find_key)


def verify(envelope: Envelope, find_key: KeyFinder, *, signatures: int = 1) -> Opened:
    """Check the first signature of an envelope whose type the caller has accepted and that is signed so many times."""
    if len(envelope.signatures) != signatures:
        raise MalformedMessage(f"{len(envelope.signatures)} signatures where this type has {signatures}")
    first = envelope.signatures[0]
    _check(envelope, first, find_key)
    return Opened(envelope.payload, envelope.payload_type, first.key_id)


def verify_cosigner(envelope: Envelope, key: VerifyKey) -> None:
    """Check that this key signed it too; the caller knows it from what the first key signed."""
    _check(envelope, envelope.signatures[1], {key.key_id: key}.get)


def _check(envelope: Envelope, signature: Signature, find_key: KeyFinder) -> None:
    if signature.algorithm != ALGORITHM:
        raise UnsupportedAlgorithm(f"signature algorithm {signature.algorithm[:40]!r}; this version knows {ALGORITHM}")
    key = find_key(signature.key_id)
    if key is None or key.key_id != signature.key_id:
        raise UnknownKey(f"nobody vouches for the key {signature.key_id[:80]!r}")
    key.verify(signature.value, _to_sign(envelope.payload_type, envelope.payload))


def read_envelope(raw: bytes, *, max_bytes: int = wire.MAX_BYTES) -> Envelope:
    """Take an envelope apart without checking its signature; raises as `open_sealed` for its form."""
    if len(raw) <= max_bytes and (usual := _read_usual(raw)) is not None:
        return usual
    outer = wire.decode_object(raw, max_bytes=max_bytes)
    match outer:
        case {"payload": str(payload), "payloadType": str(payload_type), "signatures": []} if len(outer) == 3:  # noqa: PLR2004 - the three fields of the pattern
            raise Unsigned(f"{payload_type[:120]!r} without a signature ({len(payload)} characters of payload)")
        case {"payload": str(payload), "payloadType": str(payload_type), "signatures": [_, *_] as signatures}:
            envelope = Envelope(payload_type, _unbase64(payload), tuple(map(_read_signature, signatures)))
        case _ if "signatures" not in outer and "payload" in outer:
            raise Unsigned("an envelope without signatures")
        case _ if "specversion" in outer:
            raise Unsigned("a bare message outside an envelope")
        case _:
            raise MalformedMessage("not a DSSE envelope")
    if len(envelope.signatures) > MOST_SIGNATURES:
        raise MalformedMessage(f"an envelope with {len(envelope.signatures)} signatures")
    if _spell(envelope) != raw:
        raise MalformedMessage("not the one spelling of an envelope: additional fields, spaces or another order")
    return envelope


def _read_signature(value: object) -> Signature:
    match value:
        case {"keyid": str(key_id), "alg": str(algorithm), "sig": str(signature)}:
            return Signature(key_id, algorithm, _unbase64(signature))
        case _:
            raise MalformedMessage("not a signature of a DSSE envelope")


def _spell(envelope: Envelope) -> bytes:
    return wire.encode(
        {
            "payload": base64.b64encode(envelope.payload).decode(),
            "payloadType": envelope.payload_type,
            "signatures": [
                {"alg": each.algorithm, "keyid": each.key_id, "sig": base64.b64encode(each.value).decode()}
                for each in envelope.signatures
            ],
        }
    )


_USUAL = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/]*=?=?)","payloadType":"([A-Za-z0-9.+/_-]+)",'
    rb'"signatures":\[\{"alg":"([a-z0-9]+)","keyid":"([a-z0-9:]+)","sig":"([A-Za-z0-9+/]*=?=?)"\}\]\}'
)
"""What `seal` writes for one signature: what matches is the one spelling, if its base64 is."""


def _read_usual(raw: bytes) -> Envelope | None:
    found = _USUAL.fullmatch(raw)
    if found is None:
        return None
    payload, payload_type, algorithm, key_id, value = found.groups()
    try:
        signature = Signature(key_id.decode(), algorithm.decode(), binascii.a2b_base64(value))
        envelope = Envelope(payload_type.decode(), binascii.a2b_base64(payload), (signature,))
    except binascii.Error:
        return None
    is_one_spelling = _base64(envelope.payload) == payload and _base64(signature.value) == value
    return envelope if is_one_spelling else None


def _base64(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False)


def _to_sign(payload_type: str, payload: bytes) -> bytes:
    """PAE, the pre-authentication encoding of DSSE v1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedMessage("wrong base64 in an envelope") from None
