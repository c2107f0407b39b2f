"""Whether an authentic record can become rows: its kind is known, and its camera is this box's."""

from datetime import datetime

from sqlalchemy.orm import Session

from alerts.catalogue import KINDS
from alerts.messages import Alert, Coverage, Evidence
from center.intake.conversion import is_credible, sighting
from center.intake.quarantine import Reason, Refusal
from center.intake.reading import Entry
from traceability.cameras import camera_at


def judge(session: Session, entry: Entry, received_at: datetime) -> Refusal | None:
    """Why this record is put aside although it is authentic, or None if it can be taken in."""
    match entry.data:
        case None:
            return entry.problem
        case Alert() as alert:
            if alert.kind not in KINDS:
                return Refusal(Reason.UNKNOWN_KIND, f"no kind {alert.kind!r} in the catalogue")
            return _check_camera(session, entry, alert.camera, sighting(entry.event, alert, received_at).observed_at)
        case Evidence() as evidence:
            return _check_camera(session, entry, evidence.camera, _sealed_at(entry, received_at))
        case Coverage() as coverage:
            until_at = coverage.until_at if is_credible(coverage.until_at, received_at) else received_at
            return _check_camera(session, entry, coverage.camera, until_at)
        case _:
            return None


def _sealed_at(entry: Entry, received_at: datetime) -> datetime:
    """When the box wrote the record: evidence may wait on it for days; when it came, if that cannot be right."""
    written_at = entry.event.time
    return written_at if is_credible(written_at, received_at) else received_at


def _check_camera(session: Session, entry: Entry, camera: str, at: datetime) -> Refusal | None:
    """A box speaks for the cameras that the register gives it at that time, and for no other."""
    tenant, device = entry.event.tenant, entry.event.device
    registered = camera_at(session, tenant=tenant, camera=camera, at=at)
    if registered is None:
        return Refusal(Reason.UNKNOWN_CAMERA, f"camera {camera!r} was not in the register at {at.isoformat()}")
    if registered.device != device:
        return Refusal(Reason.CAMERA_OF_ANOTHER, f"camera {camera!r} is registered for {registered.device}")
    return None
