"""Redacted copies in a bundle: only those that a person released, each beside the sealed original that it names."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.bundles.container import Part
from alerts.bundles.seal import Derivative, derivative_name
from alerts.errors import BlobMissing
from center.evidence.custody import Act, CustodyEvent
from center.evidence.redactions import RedactedCopy, released_copies
from center.store.shelf import Shelf


def released_parts(
    session: Session, store: Shelf, originals: Collection[str], *, tenant: str, lead_id: str, folder: Path
) -> Mapping[RedactedCopy, Part]:
    """The released copies of a lead, of which the bytes are here and still the same; `folder` is for copies of them.

    Only those made of one of `originals`, the hashes of what the bundle tells of: what a copy of anything else shows is
    nothing that a reader could be sure of.
    """
    found = {}
    for copy in released_copies(session, tenant=tenant, lead_id=lead_id):
        if copy.original_sha256 not in originals:
            continue
        with suppress(BlobMissing):
            name = derivative_name(copy.sha256, copy.told.media_type)
            part = Part.of(name, store.fetch(copy.sha256, folder))
            if part.sha256 == copy.sha256:
                found[copy] = part
    return found


def told_of(copy: RedactedCopy) -> Derivative:
    """What the seal says of it."""
    return Derivative(
        sha256=copy.sha256,
        derived_from=copy.original_sha256,
        media_type=copy.told.media_type,
        made_at=copy.made_at,
    )


def reference_of(session: Session, copy: RedactedCopy) -> str:
    """By what the leaf that tells of its making is found."""
    own = (
        CustodyEvent.tenant == copy.tenant,
        CustodyEvent.lead_id == copy.lead_id,
        CustodyEvent.act == Act.REDACTED.value,
        CustodyEvent.made_sha256 == copy.sha256,
        CustodyEvent.at == copy.made_at,
    )
    return session.scalars(select(CustodyEvent.id).where(*own).limit(1)).first() or ""
