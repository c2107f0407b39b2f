"""Ed25519 keys: the one a box or the centre signs with, and the public half others check with."""

import base64
import binascii
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509 import CertificateBuilder

from alerts.errors import BadSignature, KeyFileError, MalformedMessage
from alerts.folders import sync_folder

ALGORITHM = "ed25519"
RAW_BYTES = 32
FINGERPRINT_BYTES = 16


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """The public half. Equal keys are equal values; `raw` is the 32 bytes of RFC 8032."""

    raw: bytes

    @classmethod
    def from_text(cls, text: str) -> "VerifyKey":
        """Read what `to_text` wrote; raises MalformedMessage."""
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise MalformedMessage("a public key is base64 text") from None
        if len(raw) != RAW_BYTES or base64.b64encode(raw).decode() != text:
            raise MalformedMessage("a public key is 32 bytes in base64")
        return cls(raw)

    def to_text(self) -> str:
        """Base64 of the 32 raw bytes."""
        return base64.b64encode(self.raw).decode()

    @property
    def fingerprint(self) -> bytes:
        """The first 16 bytes of the key's SHA-256."""
        return hashlib.sha256(self.raw).digest()[:FINGERPRINT_BYTES]

    @property
    def key_id(self) -> str:
        """Name of the key in signatures: algorithm and fingerprint."""
        return _name(self.raw)

    def verify(self, signature: bytes, data: bytes) -> None:
        """Return if `signature` is this key's over exactly `data`; raises BadSignature."""
        try:
            _load_public(self.raw).verify(signature, data)
        except (InvalidSignature, ValueError):
            raise BadSignature("the signature does not fit the bytes") from None


@lru_cache(maxsize=10_000)
def _name(raw: bytes) -> str:
    return f"{ALGORITHM}:{VerifyKey(raw).fingerprint.hex()}"


@lru_cache(maxsize=10_000)
def _load_public(raw: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(raw)


KeyFinder: TypeAlias = Callable[[str], VerifyKey | None]
"""Looks a key up by its id; None where nobody vouches for it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private half; never printed, never sent."""

    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read what `save` wrote; raises KeyFileError."""
        try:
            private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError:
            raise KeyFileError(f"{path}: no key here") from None
        except OSError as error:
            raise KeyFileError(f"{path}: {error.strerror}") from None
        except (ValueError, TypeError):
            raise KeyFileError(f"{path}: not a private key in PEM form") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyFileError(f"{path}: not an Ed25519 key")
        return cls(private)

    def save(self, path: Path) -> None:
        """Write PKCS #8 PEM durably, readable by its owner only; raises KeyFileError where a file is there already."""
        pem = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyFileError(f"{path}: a key is here already and is not overwritten") from None
        except OSError as error:
            raise KeyFileError(f"{path}: {error.strerror}") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)

    @property
    def verify_key(self) -> VerifyKey:
        """The public half."""
        return VerifyKey(self._private.public_key().public_bytes_raw())

    @property
    def key_id(self) -> str:
        """Name of the key in signatures."""
        return self.verify_key.key_id

    def sign(self, data: bytes) -> bytes:
        """64 bytes of signature over exactly `data`."""
        return self._private.sign(data)

    def certify(self, describe: Callable[[Ed25519PublicKey], CertificateBuilder]) -> str:
        """A certificate in PEM that this key signs for itself; `describe` says what it states of the public half."""
        certificate = describe(self._private.public_key()).sign(self._private, algorithm=None)
        return certificate.public_bytes(serialization.Encoding.PEM).decode()
