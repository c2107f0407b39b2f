"""Keys: made, kept privately, named by their fingerprint."""

import hashlib
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from alerts.errors import BadSignature, KeyFileError, MalformedMessage
from alerts.keys import SigningKey, VerifyKey


def test_a_saved_key_loads_again_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    key = SigningKey.generate()
    key.save(tmp_path / "box.key")
    assert SigningKey.load(tmp_path / "box.key").verify_key == key.verify_key
    assert stat.S_IMODE((tmp_path / "box.key").stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    SigningKey.generate().save(tmp_path / "box.key")
    before = (tmp_path / "box.key").read_bytes()
    with pytest.raises(KeyFileError, match="already"):
        SigningKey.generate().save(tmp_path / "box.key")
    assert (tmp_path / "box.key").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no key"),
        (b"rubbish", "PEM"),
        (
            X25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            "Ed25519",
        ),
    ],
)
def test_what_is_no_key_is_said_in_one_line(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "box.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyFileError, match=says) as caught:
        SigningKey.load(path)
    assert "\n" not in str(caught.value)


def test_a_key_is_named_by_half_of_its_sha256() -> None:
    key = SigningKey.generate()
    assert key.key_id == "ed25519:" + hashlib.sha256(key.verify_key.raw).hexdigest()[:32]


def test_the_public_half_survives_as_text() -> None:
    key = SigningKey.generate().verify_key
    assert VerifyKey.from_text(key.to_text()) == key


@pytest.mark.parametrize("text", ["", "AAAA", "!" * 44, "A" * 44, "A" * 42 + "B="])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        VerifyKey.from_text(text)


def test_a_signature_holds_for_the_signed_bytes_only() -> None:
    key = SigningKey.generate()
    signature = key.sign(b"tea")
    key.verify_key.verify(signature, b"tea")
    for wrong in ((signature, b"leaf"), (signature[:-1], b"tea"), (b"", b"tea")):
        with pytest.raises(BadSignature):
            key.verify_key.verify(*wrong)


def test_the_private_half_is_not_printed() -> None:
    key = SigningKey.generate()
    assert "rivate" not in repr(key)
