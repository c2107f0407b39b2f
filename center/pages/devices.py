"""Boxes: which are on line, what waits on them, and whether anything is missing from what they recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from alerts.ranges import Run
from center.accounts.guards import Staff
from center.boxes.copies import copy_ended_at
from center.boxes.devices import Device, Ending, list_devices
from center.boxes.keys import KeyValidity, list_keys
from center.database import Reading
from center.intake.journal import EpochRow, epochs_of, gaps, given_up
from center.office import office_of
from center.pages.camerahealth import STATES, device_state
from center.pages.rendering import language_of, render
from center.words import N_, Language

router: Final = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class JournalView:
    """One journal of a box, what has not come of it, what the box says will not, since when its copy is history."""

    epoch: EpochRow
    missing: tuple[Run, ...]
    gone: tuple[Run, ...]
    copy_ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyView:
    """One key of a box, in words."""

    validity: KeyValidity
    state: str
    tone: str

    @property
    def asked(self) -> bool:
        """Whether the box is to replace it."""
        return self.validity.rotation_asked_at is not None


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One box with its journals, the newest first."""

    device: Device
    tone: str
    state: str
    journals: tuple[JournalView, ...]
    keys: tuple[KeyView, ...]


ENDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "": (N_("in force"), "good"),
    Ending.ROTATED: (N_("renewed by the box"), ""),
    Ending.REPLACED: (N_("replaced by another enrolment"), "warn"),
    Ending.REVOKED: (N_("taken back"), "alarm"),
}


@router.get("/devices")
def show(request: Request, session: Reading, _person: Staff) -> Response:
    """Every box ever enrolled."""
    tenant, language = office_of(request).settings.tenant, language_of(request)
    views = []
    for device in list_devices(session, tenant):
        tone, state = STATES[device_state(device)]
        own_keys = list_keys(session, tenant, device.id)
        journals = tuple(
            JournalView(epoch, gaps(session, epoch), given_up(session, epoch), copy_ended_at(epoch, own_keys))
            for epoch in epochs_of(session, tenant, device.id)
        )
        keys = tuple(_key_view(language, each) for each in reversed(own_keys))
        views.append(DeviceView(device, tone, language.gettext(state), journals, keys))
    template = "_devices.html" if "hx-request" in request.headers else "devices.html"
    return render(request, template, devices=views)


def _key_view(language: Language, validity: KeyValidity) -> KeyView:
    state, tone = ENDINGS[validity.ending]
    return KeyView(validity, language.gettext(state), tone)
