"""The register of cameras, as the law wants it shown: who runs each, on what basis, for what, with which sign."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from center.accounts.guards import Staff
from center.database import Reading
from center.office import office_of
from center.pages.camerahealth import camera_health
from center.pages.leadviews import pick
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
            "operator": pick(language, health.entry.operator_zh, health.entry.operator_en),
            "legal_basis": pick(language, health.entry.legal_basis_zh, health.entry.legal_basis_en),
            "sign": pick(language, health.entry.sign_zh, health.entry.sign_en),
            "purposes": [name_of(language, PURPOSES, purpose) for purpose in health.entry.purposes],
        }
        for health in camera_health(session, language, tenant=office.settings.tenant, at=office.now())
    ]
    return render(request, "cameras.html", cameras=lines)
