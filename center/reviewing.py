"""What lies before a reviewer: the files of a lead that are here and were not deleted."""

from sqlalchemy.orm import Session

from center.evidence import files_of
from enforcement.leads import Lead


def reviewable_files(session: Session, lead: Lead) -> tuple[str, ...]:
    """The hashes of what can be looked at."""
    files = files_of(session, tenant=lead.tenant, device=lead.device, incident=lead.incident)
    return tuple(dict.fromkeys(file.sha256 for file in files if file.arrived_at and not file.deleted_at))
