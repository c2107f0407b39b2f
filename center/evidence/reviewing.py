"""What lies before a reviewer: the lead's record, and its files that are here and were not deleted."""

import hashlib

from sqlalchemy.orm import Session

from center.evidence.files import files_of
from center.evidence.redactions import ROLE as REDACTED
from enforcement.errors import IllegalMove, Unknown
from enforcement.leads import Lead


def reviewable_files(session: Session, lead: Lead) -> tuple[str, ...]:
    """The hashes of what can be looked at; redacted copies, made here for others' eyes, are no part of it."""
    files = files_of(session, tenant=lead.tenant, device=lead.device, incident=lead.incident)
    return tuple(dict.fromkeys(file.sha256 for file in files if file.is_here and file.role != REDACTED))


def what_lies_there(session: Session, lead: Lead) -> str:
    """A hash that changes whenever the lead's record or its files do; a review gives back the one it was written to."""
    lines = (lead.record_sha256, *sorted(reviewable_files(session, lead)))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def files_seen(session: Session, *, tenant: str, lead_id: str, shown: str) -> tuple[str, ...]:
    """The files a reviewer saw, who was shown this; the lead stays as it is until the transaction ends.

    Raises Unknown; IllegalMove when something else lies there by now.
    """
    lead = session.get(Lead, (tenant, lead_id), with_for_update=True)
    if lead is None:
        raise Unknown(f"there is no lead {lead_id!r}")
    if what_lies_there(session, lead) != shown:
        raise IllegalMove(f"lead {lead_id} has another record or other files than you were shown; look again")
    return reviewable_files(session, lead)
