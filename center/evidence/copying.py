"""Having a redacted copy made: the one way, for programs and for people."""

from collections.abc import Sequence

from alerts.errors import BlobError, BlobStoreFull
from alerts.messages import Box
from center.errors import RedactorBusy
from center.evidence.redactions import add_copy, check_original
from center.office import Office
from enforcement.actors import Actor


def make_copy(office: Office, by: Actor, lead_id: str, *, original: str, reason: str, boxes: Sequence[Box]) -> str:
    """Have a copy made and entered; its hash. Raises CannotRedact, RedactorBusy, BlobStoreFull, EnforcementError."""
    tenant = office.settings.tenant
    with office.database.reading() as session:
        check_original(session, tenant=tenant, lead_id=lead_id, original=original, reason=reason)
    try:
        made = office.redactor.make(original, boxes)
        office.evidence.put(made.data)
    except BlobStoreFull as error:
        raise BlobStoreFull("the centre's disk is full; the copy was not stored") from error
    except BlobError as error:
        raise RedactorBusy(f"nothing was made, try again in a moment: {error}") from error
    with office.database.writing() as session:
        copy = add_copy(session, made, tenant=tenant, lead_id=lead_id, reason=reason, by=by, at=office.now())
        return copy.sha256
