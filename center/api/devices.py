"""GET /api/v1/devices: the boxes, whether they are on line, and what is missing from their journals, their keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from fastapi import Request
from sqlalchemy.orm import Session

from alerts.ranges import Run
from center.accounts.guards import Staff
from center.api.schemas import Answer
from center.api.security import reading_router
from center.boxes.copies import copy_ended_at
from center.boxes.devices import Device, list_devices
from center.boxes.keys import KeyValidity, list_keys
from center.database import Reading
from center.intake.journal import EpochRow, epochs_of, gaps, given_up
from center.office import office_of
from center.web.problems import responses

router: Final = reading_router("devices")


class GapOut(Answer):
    """Sequence numbers that have not come, both ends included."""

    first: int
    last: int


class JournalOut(Answer):
    """One journal of a box: complete up to `cumulative`; `forks` and `breaks` of its chain.

    `gone`: what the box says will not come. Nobody waits for it. `copy_ended_at`: since when its forks are history, for
    the box was enrolled anew or shut out and nothing of this journal has come since.
    """

    epoch: str
    cumulative: int
    highest: int
    forks: int
    breaks: int
    last_seen_at: datetime
    copy_ended_at: datetime | None
    gaps: list[GapOut]
    gone: list[GapOut]

    @classmethod
    def of(
        cls, row: EpochRow, gaps: Sequence[Run], gone: Sequence[Run], *, copy_ended_at: datetime | None
    ) -> "JournalOut":
        """From the journal's summary."""
        others = {"gaps", "gone", "copy_ended_at"}
        values = {name: getattr(row, name) for name in cls.model_fields if name not in others}
        ranges = {"gaps": gaps, "gone": gone}
        told = {name: [GapOut(first=each.first, last=each.last) for each in found] for name, found in ranges.items()}
        return cls(**values, **told, copy_ended_at=copy_ended_at)


class ReachOut(Answer):
    """The records of one journal that a key vouches for; `last` is null where it has no end yet."""

    epoch: str
    first: int
    last: int | None


class KeyOut(Answer):
    """A key a box signs or signed with. `ending`: empty while it is in force, else rotated, replaced or revoked.

    In journals that `reaches` does not name, a key in force vouches for everything and one that ended for nothing.
    """

    key_id: str
    public_key: str
    since: datetime
    ended_at: datetime | None
    ending: str
    rotation_asked_at: datetime | None
    reaches: list[ReachOut]

    @classmethod
    def of(cls, key: KeyValidity) -> "KeyOut":
        """From what the centre knows of the key."""
        return cls(
            key_id=key.key.key_id,
            public_key=key.key.to_text(),
            since=key.since,
            ended_at=key.ended_at,
            ending=key.ending,
            rotation_asked_at=key.rotation_asked_at,
            reaches=[ReachOut(epoch=each.epoch, first=each.first, last=each.last) for each in key.reaches],
        )


class DeviceOut(Answer):
    """A box, as it last spoke of itself, its journals and its keys."""

    id: str
    online: bool
    enrolled_at: datetime
    revoked_at: datetime | None
    last_seen_at: datetime | None
    pending_records: int
    pending_uploads: int
    quarantined_records: int
    rejected_downlinks: int
    discarded_records: int
    duplicates: int
    trouble: str
    journals: list[JournalOut]
    keys: list[KeyOut]

    @classmethod
    def of(cls, row: Device, journals: list[JournalOut], keys: list[KeyOut]) -> "DeviceOut":
        """From the box's row."""
        values = {name: getattr(row, name) for name in cls.model_fields if name not in ("journals", "keys")}
        return cls(**values, journals=journals, keys=keys)


@router.get("/devices", responses=responses(401, 403))
def read_devices(request: Request, session: Reading, _person: Staff) -> list[DeviceOut]:
    """Every box ever enrolled."""
    tenant = office_of(request).settings.tenant
    return [_told(session, device) for device in list_devices(session, tenant)]


def _told(session: Session, device: Device) -> DeviceOut:
    keys = list_keys(session, device.tenant, device.id)
    journals = [
        JournalOut.of(epoch, gaps(session, epoch), given_up(session, epoch), copy_ended_at=copy_ended_at(epoch, keys))
        for epoch in epochs_of(session, device.tenant, device.id)
    ]
    return DeviceOut.of(device, journals, [KeyOut.of(key) for key in keys])
