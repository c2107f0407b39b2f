"""The register of cameras, as the law wants it shown: who runs each, on what basis, for what, with which sign."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from center.accounts.guards import Staff
from center.database import Reading
from center.office import office_of
from center.pages.camerahealth import camera_health
from center.pages.rendering import language_of, render
from center.pages.terms import PURPOSES, name_of

router: Final = APIRouter(include_in_schema=False)


@router.get("/cameras")
def show(request: Request, session: Reading, _person: Staff) -> Response:
    """Every camera in the register today."""
    office, language = office_of(request), language_of(request)
    lines = [
        {
            "health": health,
            "entry": health.entry,
            "operator": language.named(health.entry, "operator"),
            "legal_basis": language.named(health.entry, "legal_basis"),
            "sign": language.named(health.entry, "sign"),
            "purposes": [name_of(language, PURPOSES, purpose) for purpose in health.entry.purposes],
        }
        for health in camera_health(session, language, tenant=office.settings.tenant, at=office.now())
    ]
    return render(request, "cameras.html", cameras=lines)
