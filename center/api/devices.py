"""GET /api/v1/devices: the boxes, whether they are on line, and what is missing from their journals, their keys."""

from typing import Final

from fastapi import Request

from center.accounts.guards import Staff
from center.api.schemas import DeviceOut, JournalOut, KeyOut
from center.api.security import reading_router
from center.database import Reading
from center.devices import list_devices
from center.intake.journal import epochs_of, gaps, given_up
from center.keys import list_keys
from center.office import office_of
from center.web.problems import responses

router: Final = reading_router("devices")


@router.get("/devices", responses=responses(401, 403))
def read_devices(request: Request, session: Reading, _person: Staff) -> list[DeviceOut]:
    """Every box ever enrolled."""
    tenant = office_of(request).settings.tenant
    return [
        DeviceOut.of(
            device,
            [
                JournalOut.of(epoch, gaps(session, epoch), given_up(session, epoch))
                for epoch in epochs_of(session, tenant, device.id)
            ],
            [KeyOut.of(key) for key in list_keys(session, tenant, device.id)],
        )
        for device in list_devices(session, tenant)
    ]
