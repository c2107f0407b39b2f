"""A log's head, signed: how many leaves it has and the one hash over all of them, as text that can be printed.

The form is C2SP `tlog-checkpoint` (https://c2sp.org/tlog-checkpoint), a signed note (https://c2sp.org/signed-note), so
that other people's witnesses and monitors read it:

    tea.example.cn/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — tea.example.cn/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJur…

A note names its key by four bytes of its own derivation, SHA-256 of name, newline, 0x01 and the 32 bytes of the key;
`VerifyKey.key_id`, used everywhere else, is another name of the same key. Signatures by names or key ids that the
reader has not pinned, a witness's for instance, are passed over. Extension lines are not written and not accepted.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from alerts.errors import BadSignature, CheckpointRejected
from alerts.keys import SigningKey, VerifyKey
from alerts.merkle import HASH_BYTES

ED25519: Final = b"\x01"
KEY_HASH_BYTES: Final = 4
MAX_BYTES: Final = 8192
MAX_SIGNATURES: Final = 16

_SIGNATURE: Final = re.compile(r"— (?P<name>[^\s+]+) (?P<blob>[A-Za-z0-9+/]+={0,2})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of the log named `origin`: `root` is over its first `size` leaves."""

    origin: str
    size: int
    root: bytes


def write_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The signed text; the key's name in it is the origin. Raises CheckpointRejected for what cannot be written."""
    _check_origin(checkpoint.origin)
    root = base64.b64encode(checkpoint.root).decode()
    return sign_note(f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n", checkpoint.origin, key)


def open_checkpoint(text: str, *, origin: str, key: VerifyKey) -> Checkpoint:
    """The head, once it is of this log and signed with this key, which the reader has from elsewhere.

    Raises CheckpointRejected, with a message of one line.
    """
    lines = open_note(text, name=origin, key=key).split("\n")
    match lines:
        case [name, size, root, ""] if _SIZE.fullmatch(size) and len(digest := _unbase64(root)) == HASH_BYTES:
            if name != origin:
                raise CheckpointRejected(f"the head of another log: {name[:80]!r}, not {origin!r}")
            return Checkpoint(name, int(size), digest)
        case _:
            raise CheckpointRejected("a signed note, but no checkpoint: origin, size and root are expected")


def sign_note(text: str, name: str, key: SigningKey) -> str:
    """A signed note over `text`, which ends with a newline."""
    blob = key_hash(name, key.verify_key) + key.sign(text.encode())
    return f"{text}\n— {name} {base64.b64encode(blob).decode()}\n"


def open_note(note: str, *, name: str, key: VerifyKey) -> str:
    """The text of a note that this key signed under this name; raises CheckpointRejected."""
    if len(note.encode("utf-8", "replace")) > MAX_BYTES:
        raise CheckpointRejected(f"longer than the {MAX_BYTES} bytes of any checkpoint")
    text, empty_line, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    if not empty_line or lines.pop() or not 0 < len(lines) <= MAX_SIGNATURES or not _is_clean(note):
        raise CheckpointRejected("not a signed note: text, an empty line and signature lines are expected")
    text += "\n"
    own = key_hash(name, key)
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            raise CheckpointRejected(f"not a signature line: {line[:60]!r}")
        blob = _unbase64(match["blob"])
        if match["name"] != name or blob[:KEY_HASH_BYTES] != own:
            continue
        try:
            key.verify(blob[KEY_HASH_BYTES:], text.encode())
        except BadSignature:
            raise CheckpointRejected(f"the signature of {name!r} does not fit: the text was altered") from None
        return text
    raise CheckpointRejected(f"not signed by {name!r} with the key {key.key_id}")


def key_hash(name: str, key: VerifyKey) -> bytes:
    """The four bytes by which a signed note names a key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + key.raw).digest()[:KEY_HASH_BYTES]


def verifier_text(name: str, key: VerifyKey) -> str:
    """The key as tools for signed notes take it (`vkey`): name, key hash and key, joined by plus signs."""
    return f"{name}+{key_hash(name, key).hex()}+{base64.b64encode(ED25519 + key.raw).decode()}"


def _check_origin(origin: str) -> None:
    if not origin or "+" in origin or not _is_clean(origin) or any(letter.isspace() for letter in origin):
        raise CheckpointRejected(f"{origin!r} cannot name a log: no spaces and no plus sign")


def _is_clean(text: str) -> bool:
    """Whether a note may hold it: Unicode without control characters but newlines."""
    return all(letter >= " " or letter == "\n" for letter in text) and not re.search("[\ud800-\udfff]", text)


def _unbase64(text: str) -> bytes:
    """Nothing for what is not base64 in its one spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""
