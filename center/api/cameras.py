"""GET /api/v1/cameras: the register of cameras as it stands."""

from datetime import datetime
from typing import Any, Final

from fastapi import Request

from center.accounts.guards import Staff
from center.api.schemas import Answer
from center.api.security import reading_router
from center.database import Reading
from center.office import office_of
from center.web.problems import responses
from traceability.cameras import Camera, CameraEntry, cameras_at

router: Final = reading_router("cameras")


class CameraOut(Answer):
    """A camera: who runs it, on what basis, for which purposes, and what ground it sees."""

    id: str
    name_zh: str
    name_en: str
    device: str
    valid_from: datetime
    place_zh: str
    place_en: str
    operator_zh: str
    operator_en: str
    legal_basis_zh: str
    legal_basis_en: str
    purposes: list[str]
    filing_number: str | None
    storage_days: int
    stand_in_zh: str | None
    stand_in_en: str | None
    polygon: dict[str, Any]

    @classmethod
    def of(cls, camera: Camera, entry: CameraEntry) -> "CameraOut":
        """From the camera and its entry in the register."""
        names = {"name_zh": camera.name_zh, "name_en": camera.name_en}
        return cls(**names, **{name: getattr(entry, name) for name in cls.model_fields if name not in names})


@router.get("/cameras", responses=responses(401, 403))
def list_cameras(request: Request, session: Reading, _person: Staff) -> list[CameraOut]:
    """Every camera in the register today."""
    office = office_of(request)
    tenant = office.settings.tenant
    entries = cameras_at(session, tenant=tenant, at=office.now())
    return [CameraOut.of(session.get_one(Camera, (tenant, entry.id)), entry) for entry in entries]
