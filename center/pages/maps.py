"""The map: the register drawn from GeoJSON without any tile server."""

from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from center.accounts.guards import Staff, Viewer
from center.database import Reading
from center.office import office_of
from center.pages.board import sees_pictures
from center.pages.rendering import language_of, render
from center.pages.shapes import around_lead, county, places
from center.web.geojson import GeoJson
from enforcement.leads import Lead

router: Final = APIRouter(include_in_schema=False)


@router.get("/map")
def show(request: Request, session: Reading, _person: Staff) -> Response:
    """The whole county."""
    office = office_of(request)
    found = places(session, language_of(request), tenant=office.settings.tenant, at=office.now())
    return render(request, "map.html", places=found)


@router.get("/map/shapes")
def shapes(request: Request, session: Reading, person: Staff) -> GeoJson:
    """The register now, and the leads to check for those who check them."""
    office = office_of(request)
    tenant, now = office.settings.tenant, office.now()
    found = county(session, language_of(request), tenant=tenant, at=now, leads=sees_pictures(person))
    return _answer(found)


@router.get("/leads/{lead_id}/shapes")
def lead_shapes(request: Request, session: Reading, _person: Viewer, lead_id: str) -> GeoJson:
    """The register as it stood when this lead was seen."""
    lead = session.get(Lead, (office_of(request).settings.tenant, lead_id))
    if lead is None:
        raise HTTPException(404, f"there is no lead {lead_id!r}")
    return _answer(around_lead(session, language_of(request), lead))


def _answer(collection: dict[str, Any]) -> GeoJson:
    return GeoJson(collection, headers={"Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"})
