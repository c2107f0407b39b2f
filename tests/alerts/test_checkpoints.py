"""The signed head of a log: what other people's tools write is read, and nothing else."""

import base64
import binascii

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from alerts.checkpoints import (
    Checkpoint,
    open_checkpoint,
    open_note,
    sign_note,
    verifier_text,
    write_checkpoint,
)
from alerts.errors import CheckpointRejected
from alerts.keys import SigningKey, VerifyKey
from alerts.merkle import root_of

ORIGIN = "tea.example.cn/log"
KEY = SigningKey.generate()
OTHER = SigningKey.generate()
HEAD = Checkpoint(ORIGIN, 20852163, root_of([bytes(32)]))
TEXT = write_checkpoint(HEAD, KEY)

GO_NAME = "PeterNeumann"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_NOTE = (
    GO_TEXT
    + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The example of Go's package `golang.org/x/mod/sumdb/note`, the format's first implementation."""


def signed(text: str, key: SigningKey = KEY, name: str = ORIGIN) -> str:
    return sign_note(text, name, key)


def test_a_note_is_signed_byte_for_byte_as_by_the_formats_first_implementation() -> None:
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(GO_SEED))
    assert verifier_text(GO_NAME, key.verify_key) == GO_VERIFIER
    assert sign_note(GO_TEXT, GO_NAME, key) == GO_NOTE
    public = VerifyKey(base64.b64decode(GO_VERIFIER.rpartition("+")[2])[1:])
    assert open_note(GO_NOTE, name=GO_NAME, key=public) == GO_TEXT


@given(st.integers(0, 10**18 - 1), st.binary(min_size=32, max_size=32))
def test_what_was_written_is_read(size: int, root: bytes) -> None:
    head = Checkpoint(ORIGIN, size, root)
    assert open_checkpoint(write_checkpoint(head, KEY), origin=ORIGIN, key=KEY.verify_key) == head


def test_the_text_is_the_one_of_the_format() -> None:
    lines = TEXT.splitlines()
    assert lines[:3] == [ORIGIN, "20852163", base64.b64encode(HEAD.root).decode()]
    assert lines[3] == ""
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert len(lines) == 5


def test_signatures_of_others_are_passed_over() -> None:
    witness = signed(TEXT.partition("\n\n")[0] + "\n", OTHER, "witness.example/w1").rpartition("\n\n")[2]
    for text in (TEXT + witness, TEXT.replace("\n\n", "\n\n" + witness)):
        assert open_checkpoint(text, origin=ORIGIN, key=KEY.verify_key) == HEAD


@given(st.integers(0, len(TEXT.encode()) - 1), st.integers(0, 7))
def test_a_head_with_any_bit_flipped_is_refused(position: int, bit: int) -> None:
    raw = bytearray(TEXT.encode())
    raw[position] ^= 1 << bit
    with pytest.raises(CheckpointRejected):
        open_checkpoint(raw.decode("utf-8", "surrogateescape"), origin=ORIGIN, key=KEY.verify_key)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not a signed note"),
        (TEXT.replace("\n\n", "\n"), "not a signed note"),
        (TEXT[:-1], "not a signed note"),
        (TEXT + "\n", "not a signed note|not a signature line"),
        (TEXT.replace("\n", "\r\n"), "not a signed note"),
        (TEXT.replace("— ", "- "), "not a signature line"),
        (TEXT.replace("20852163", "20852164"), "was altered"),
        (TEXT + "— x y\n" * 16, "not a signed note"),
        (TEXT + "x" * 9000, "longer than"),
        (write_checkpoint(HEAD, OTHER), "not signed by"),
        (signed(f"{ORIGIN}\n7\n", KEY), "no checkpoint"),
        (signed(f"{ORIGIN}\n07\n{base64.b64encode(HEAD.root).decode()}\n"), "no checkpoint"),
        (signed(f"{ORIGIN}\n-7\n{base64.b64encode(HEAD.root).decode()}\n"), "no checkpoint"),
        (signed(f"{ORIGIN}\n7\n{base64.b64encode(HEAD.root[:31]).decode()}\n"), "no checkpoint"),
        (signed(f"{ORIGIN}\n7\n{base64.b64encode(HEAD.root).decode()}\nmore\n"), "no checkpoint"),
        (signed(f"other.example/log\n7\n{base64.b64encode(HEAD.root).decode()}\n"), "of another log"),
    ],
)
def test_what_is_no_head_of_this_log_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(CheckpointRejected, match=complaint) as caught:
        open_checkpoint(text, origin=ORIGIN, key=KEY.verify_key)
    assert "\n" not in str(caught.value)


def test_the_name_alone_opens_nothing() -> None:
    """A signature line that carries our name and key hash over a forged text is an altered text, not a missing one."""
    own, forged = TEXT.rpartition("\n\n")[2], write_checkpoint(Checkpoint(ORIGIN, 3, HEAD.root), OTHER)
    with pytest.raises(CheckpointRejected, match="was altered"):
        open_checkpoint(forged + own, origin=ORIGIN, key=KEY.verify_key)


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "tab\there", "line\nbreak"])
def test_a_name_that_the_format_does_not_allow_is_not_written(origin: str) -> None:
    with pytest.raises(CheckpointRejected, match="cannot name a log"):
        write_checkpoint(Checkpoint(origin, 0, HEAD.root), KEY)


def test_the_key_hash_is_in_the_signature_line() -> None:
    blob = binascii.a2b_base64(TEXT.rstrip("\n").rpartition(" ")[2])
    assert len(blob) == 4 + 64
    assert blob[:4].hex() == verifier_text(ORIGIN, KEY.verify_key).split("+")[1]
