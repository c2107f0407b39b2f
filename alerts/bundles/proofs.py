"""Proofs from the centre's log inside a bundle: that it told of each record of the case before it made the bundle.

`log/head.txt` is a signed head of the log, `log/proofs.json` leads from each record, and each recording that an officer
added, to it. The reader checks the head
with the log's key from his own file of keys; the log's root over all leaves up to the head can be compared with a copy
that was printed, time-stamped or fetched by somebody else.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Final, NamedTuple

from cryptography.x509 import Certificate
from pydantic import Field, StringConstraints

from alerts import events, leaves, merkle, wire
from alerts.bundles.container import Container
from alerts.bundles.findings import Finding
from alerts.bundles.journals import BundledRecord
from alerts.bundles.seal import AddedRecording, BundleSeal, Derivative, HeadStamp
from alerts.bundles.stamps import STAMP_NAME, STAMPED_NAME, Claim, check_claim
from alerts.bundles.trust import Trust
from alerts.checkpoints import MAX_BYTES as MAX_HEAD_BYTES
from alerts.checkpoints import Checkpoint, open_checkpoint
from alerts.errors import CheckpointRejected, MalformedMessage, MessageError, ProofRejected
from alerts.keys import VerifyKey
from alerts.messages import Count, Message, Sha256

HEAD_NAME: Final = "log/head.txt"
PROOFS_NAME: Final = "log/proofs.json"
MAX_PROOFS_BYTES: Final = 16 * 2**20

_VERIFIER_PARTS: Final = 3


class LeafProof(Message):
    """The way from one leaf to the log's head. `leaf` and `body` are exact text, `salt` opens the leaf."""

    number: Count
    leaf: Annotated[str, StringConstraints(max_length=1024)]
    salt: Sha256
    body: Annotated[str, StringConstraints(max_length=16_384)]
    path: Annotated[tuple[Sha256, ...], Field(max_length=64)]


class RecordProof(LeafProof):
    """That the log told of the record of this hash."""

    record: Sha256


class RecordingProof(LeafProof):
    """That the log told of the recording of this hash, and of what was said of it."""

    recording: Sha256


class DerivativeProof(LeafProof):
    """That the log told of the making of the redacted copy of this hash, and of what it was made."""

    derivative: Sha256


class Proofs(Message):
    """The file of proofs."""

    proofs: Annotated[tuple[RecordProof, ...], Field(max_length=10_000)]
    recordings: Annotated[tuple[RecordingProof, ...], Field(max_length=256)] = ()
    derivatives: Annotated[tuple[DerivativeProof, ...], Field(max_length=256)] = ()
    stamped: Annotated[tuple[Sha256, ...], Field(max_length=128)] = ()


def write_proofs(
    proofs: Iterable[RecordProof],
    recordings: Iterable[RecordingProof] = (),
    derivatives: Iterable[DerivativeProof] = (),
    stamped: Iterable[str] = (),
) -> bytes:
    """The bytes of the file; `stamped` leads from the head that was stamped to the bundle's."""
    return wire.encode(
        Proofs(
            proofs=tuple(proofs),
            recordings=tuple(recordings),
            derivatives=tuple(derivatives),
            stamped=tuple(stamped),
        )
    )


def check_proofs(
    container: Container,
    own: Sequence[BundledRecord],
    seal: BundleSeal,
    trust: Trust,
    *,
    is_needed: bool,
    roots: Sequence[Certificate] = (),
) -> tuple[bool, list[Finding]]:
    """Whether the proofs were checked at all, and what is wrong with them or to be known.

    `is_needed`: they must be there and the reader able to check them, for the centre makes no bundle without them.
    `roots` are those of the authorities whose time-stamps the reader trusts.
    """
    if HEAD_NAME not in container.members or PROOFS_NAME not in container.members:
        return is_needed, [Finding("log_missing" if is_needed else "no_log")]
    if not trust.log_keys:
        return is_needed, [Finding("log_key_missing" if is_needed else "no_log_key")]
    try:
        head = _open_head(container, trust, HEAD_NAME)
        proofs = _read_proofs(container)
    except CheckpointRejected as error:
        return True, [Finding("log_stranger", {"reason": error})]
    except MessageError as error:
        return True, [Finding("log_unreadable", {"name": PROOFS_NAME, "reason": error})]
    findings = [
        *_check_records(own, seal, proofs, head),
        *_check_recordings(seal, proofs, head),
        *_check_derivatives(seal, proofs, head),
    ]
    if seal.stamp is not None:
        findings += _check_stamp(container, seal.stamp, proofs, own, _Reader(head, trust, roots))
    elif roots:
        findings.append(Finding("stamp_none"))
    return True, findings


class _Reader(NamedTuple):
    """The bundle's head, once it was opened, and what the reader trusts."""

    head: Checkpoint
    trust: Trust
    roots: Sequence[Certificate]


def _check_stamp(
    container: Container, told: HeadStamp, proofs: Proofs, own: Sequence[BundledRecord], reader: _Reader
) -> Iterator[Finding]:
    if not {STAMPED_NAME, STAMP_NAME} <= container.members.keys():
        yield Finding("stamp_lost", {"authority": told.authority})
        return
    try:
        stamped = _open_head(container, reader.trust, STAMPED_NAME)
    except CheckpointRejected as error:
        yield Finding("stamp_elsewhere", {"reason": error})
        return
    numbers = {each.record: each.number for each in proofs.proofs}
    records = [(record, numbers[record.sha256]) for record in own if record.sha256 in numbers]
    yield from check_claim(container, Claim(told, stamped, proofs.stamped, reader.head), records, reader.roots)


def _check_records(
    own: Sequence[BundledRecord], seal: BundleSeal, proofs: Proofs, head: Checkpoint
) -> Iterator[Finding]:
    found = {each.record: each for each in proofs.proofs}
    lacking = [record for record in own if record.sha256 not in found]
    for record in (each for each in own if each.sha256 in found):
        try:
            _check(found[record.sha256], head, leaves.LeafKind.RECORD, {"record": record.sha256})
        except (ProofRejected, MessageError) as error:
            yield Finding("log_proof", {"name": record.name, "reason": error})
    if len(lacking) != seal.unlogged:
        yield from (Finding("log_lacks", {"name": record.name}) for record in lacking)
    elif lacking and len(lacking) == len(own):
        yield Finding("log_of_nothing")
    elif lacking:
        yield Finding("log_waits", {"count": len(lacking)})


def _check_recordings(seal: BundleSeal, proofs: Proofs, head: Checkpoint) -> Iterator[Finding]:
    """Each is in the log as the seal tells of it: which file, of which case, when it was added, when taken."""
    found = {each.recording: each for each in proofs.recordings}
    lacking = [each for each in seal.recordings if each.sha256 not in found]
    for each in (recording for recording in seal.recordings if recording.sha256 in found):
        try:
            _check_recording(found[each.sha256], head, each, seal.case)
        except (ProofRejected, MessageError) as error:
            yield Finding("log_recording", {"sha256": each.sha256, "reason": error})
    if len(lacking) != seal.unlogged_recordings:
        yield from (Finding("log_lacks_recording", {"sha256": each.sha256}) for each in lacking)
    elif lacking:
        yield Finding("log_waits_for_recordings", {"count": len(lacking)})


def _check_recording(proof: RecordingProof, head: Checkpoint, told: AddedRecording, case: str) -> None:
    """Raises ProofRejected, MessageError."""
    fields = {
        "file": told.sha256,
        "lead": case,
        "media_type": told.media_type,
        "source": told.source,
        "taken_at_ms": leaves.milliseconds(told.taken_at) if told.taken_at else None,
    }
    leaf = _check(proof, head, leaves.LeafKind.RECORDING, fields)
    if leaves.milliseconds(leaf.at) != leaves.milliseconds(told.added_at):
        raise ProofRejected(f"it was added at {leaf.at.isoformat()}")


def _check_derivatives(seal: BundleSeal, proofs: Proofs, head: Checkpoint) -> Iterator[Finding]:
    """Each is in the log as the seal tells of it: made of which file, for which case, when."""
    found = {each.derivative: each for each in proofs.derivatives}
    lacking = [each for each in seal.derivatives if each.sha256 not in found]
    for each in (copy for copy in seal.derivatives if copy.sha256 in found):
        try:
            _check_derivative(found[each.sha256], head, each, seal.case)
        except (ProofRejected, MessageError) as error:
            yield Finding("log_derivative", {"sha256": each.sha256, "reason": error})
    if len(lacking) != seal.unlogged_derivatives:
        yield from (Finding("log_lacks_derivative", {"sha256": each.sha256}) for each in lacking)
    elif lacking:
        yield Finding("log_waits_for_derivatives", {"count": len(lacking)})


def _check_derivative(proof: DerivativeProof, head: Checkpoint, told: Derivative, case: str) -> None:
    """Raises ProofRejected, MessageError."""
    fields = {"act": "redacted", "file": told.derived_from, "made": told.sha256, "lead": case}
    leaf = _check(proof, head, leaves.LeafKind.CUSTODY, fields)
    if leaves.milliseconds(leaf.at) != leaves.milliseconds(told.made_at):
        raise ProofRejected(f"it was made at {leaf.at.isoformat()}")


def _open_head(container: Container, trust: Trust, member: str) -> Checkpoint:
    """A head, signed by one of the logs that the reader knows. Raises CheckpointRejected."""
    if container.members[member].size_bytes > MAX_HEAD_BYTES:
        raise CheckpointRejected(f"longer than the {MAX_HEAD_BYTES} bytes of any head")
    try:
        text = container.read(member).decode()
    except UnicodeDecodeError:
        raise CheckpointRejected("the head is not UTF-8") from None
    reason: CheckpointRejected | None = None
    for verifier in trust.log_keys:
        try:
            origin, key = read_verifier(verifier)
            return open_checkpoint(text, origin=origin, key=key)
        except CheckpointRejected as error:
            reason = error
    raise reason or CheckpointRejected("no key of a log")


def read_verifier(text: str) -> tuple[str, VerifyKey]:
    """Name and key of a log from the verifier key of a signed note (`name+hash+key`). Raises CheckpointRejected."""
    parts = text.split("+", _VERIFIER_PARTS - 1)
    try:
        raw = base64.b64decode(parts[-1], validate=True)
        key = VerifyKey.from_text(base64.b64encode(raw[1:]).decode())
    except (binascii.Error, ValueError, MalformedMessage):
        raise CheckpointRejected(f"{text[:80]!r} is no key of a log") from None
    if len(parts) != _VERIFIER_PARTS or raw[:1] != b"\x01":
        raise CheckpointRejected(f"{text[:80]!r} is no key of a log")
    return parts[0], key


def _read_proofs(container: Container) -> Proofs:
    if container.members[PROOFS_NAME].size_bytes > MAX_PROOFS_BYTES:
        raise MalformedMessage(f"longer than {MAX_PROOFS_BYTES} bytes")
    raw = container.read(PROOFS_NAME)
    wire.decode_object(raw, max_bytes=MAX_PROOFS_BYTES)
    return events.read_message(Proofs, raw)


def _check(proof: LeafProof, head: Checkpoint, kind: leaves.LeafKind, fields: Mapping[str, object]) -> leaves.Leaf:
    """The leaf, which says just this. Raises ProofRejected, MessageError."""
    leaf = leaves.read_leaf(proof.leaf.encode())
    opening = leaves.Opening(bytes.fromhex(proof.salt), proof.body.encode())
    opening.check(leaf)
    told = opening.fields
    if leaf.kind is not kind or told | dict(fields) != told:
        raise ProofRejected("the leaf is about something else")
    path = [bytes.fromhex(each) for each in proof.path]
    merkle.verify_inclusion(path, leaf=leaf.hash, index=proof.number, size=head.size, root=head.root)
    return leaf
