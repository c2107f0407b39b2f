"""How each registered camera is, told from what its box last said of itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from center.boxes.devices import Device
from center.pages.leadviews import camera_names, stand_in
from center.words import N_, Language
from enforcement.leads import Lead
from traceability.cameras import CameraEntry, cameras_at


@dataclass(frozen=True, slots=True)
class CameraHealth:
    """One camera. `tone` is "", off or trouble; `state` says it in words."""

    camera: str
    name: str
    place: str
    tone: str
    state: str
    stand_in: str
    leads: int
    last_seen_at: datetime | None
    entry: CameraEntry


STATES = {
    "online": ("", N_("On line")),
    "trouble": ("trouble", N_("On line, in trouble")),
    "offline": ("off", N_("Off line")),
    "revoked": ("off", N_("Shut out")),
    "never": ("off", N_("Not heard yet")),
}


def camera_health(session: Session, language: Language, *, tenant: str, at: datetime) -> Sequence[CameraHealth]:
    """Every camera in the register at that instant."""
    names = camera_names(session, language, tenant)
    devices = {device.id: device for device in session.scalars(select(Device).where(Device.tenant == tenant))}
    counted = session.execute(select(Lead.camera, func.count()).where(Lead.tenant == tenant).group_by(Lead.camera))
    leads = dict(counted.all())
    found = []
    for entry in cameras_at(session, tenant=tenant, at=at):
        device = devices.get(entry.device)
        tone, state = STATES[device_state(device)]
        found.append(
            CameraHealth(
                camera=entry.id,
                name=names.get(entry.id, entry.id),
                place=language.named(entry, "place"),
                tone=tone,
                state=language.gettext(state),
                stand_in=stand_in(language, entry),
                leads=leads.get(entry.id, 0),
                last_seen_at=device.last_seen_at if device else None,
                entry=entry,
            )
        )
    return found


def device_state(device: Device | None) -> str:
    """A key of STATES."""
    if device is None or device.last_seen_at is None:
        return "never"
    if device.revoked_at is not None:
        return "revoked"
    if not device.online:
        return "offline"
    return "trouble" if device.trouble else "online"
