"""The time-stamp in a bundle: an outside authority's word (RFC 3161) that the log held the case's records by then.

What the authority stamped is an earlier head of the log, `log/stamped.txt`; its answer is `log/stamp.tsr`, as any tool
takes it: `openssl ts -verify -data log/stamped.txt -in log/stamp.tsr -CAfile ROOTS`. `log/proofs.json` leads from that
head to the bundle's own. Whose stamps count the reader says, with root certificates from elsewhere: those that the
centre names prove nothing against the centre.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.x509 import Certificate

from alerts import merkle
from alerts.bundles.container import Container
from alerts.bundles.findings import Finding
from alerts.bundles.journals import BundledRecord
from alerts.bundles.seal import HeadStamp
from alerts.bundles.times import TOLERANCE
from alerts.checkpoints import Checkpoint
from alerts.errors import ProofRejected, StampRejected
from alerts.stamps import MAX_BYTES, check_stamp

STAMPED_NAME: Final = "log/stamped.txt"
STAMP_NAME: Final = "log/stamp.tsr"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a bundle says of its stamp: `path` leads from the `stamped` head to the bundle's own."""

    told: HeadStamp
    stamped: Checkpoint
    path: Sequence[str]
    head: Checkpoint


def check_claim(
    container: Container, claim: Claim, records: Iterable[tuple[BundledRecord, int]], roots: Sequence[Certificate]
) -> Iterator[Finding]:
    """What is wrong with the stamp, or what it is worth. `records` are those of the case with their leaves' numbers.

    `roots` are empty where the reader has none.
    """
    told = claim.told
    try:
        _check_head(claim)
    except ProofRejected as error:
        yield Finding("stamp_elsewhere", {"reason": error})
        return
    held = [record for record, number in records if number < told.size]
    for record in held:
        if record.received_at - told.at > TOLERANCE:
            values = {"name": record.name, "at": record.received_at.isoformat(), "limit": told.at.isoformat()}
            yield Finding("received_after_stamp", values)
    said = {"authority": told.authority, "size": told.size, "at": told.at.isoformat(), "count": len(held)}
    if not roots:
        yield Finding("stamp_unchecked", said)
        return
    try:
        _check_answer(container, told, roots)
    except StampRejected as error:
        yield Finding("stamp_bad", {"reason": error})
    else:
        yield Finding("stamp_holds", said)


def _check_head(claim: Claim) -> None:
    """Raises ProofRejected where what was stamped is not the earlier head that the seal tells of."""
    stamped, head = claim.stamped, claim.head
    if stamped.size != claim.told.size:
        raise ProofRejected(f"the seal tells of a head of {claim.told.size} leaves, this one has {stamped.size}")
    merkle.verify_consistency(
        [bytes.fromhex(each) for each in claim.path],
        first=stamped.size,
        first_root=stamped.root,
        second=head.size,
        second_root=head.root,
    )


def _check_answer(container: Container, told: HeadStamp, roots: Sequence[Certificate]) -> None:
    """Raises StampRejected."""
    if container.members[STAMP_NAME].size_bytes > MAX_BYTES:
        raise StampRejected(f"longer than {MAX_BYTES} bytes")
    at = check_stamp(container.read(STAMP_NAME), container.read(STAMPED_NAME), roots)
    if at != told.at:
        raise StampRejected(f"it is of {at.isoformat()}, the seal says {told.at.isoformat()}")
