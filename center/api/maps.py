"""GET /api/v1/map: the register as GeoJSON (RFC 7946, WGS-84)."""

from typing import Any, Final

from fastapi import Request

from center.accounts.guards import Staff
from center.api.security import reading_router
from center.database import Reading
from center.office import office_of
from center.pages.rendering import language_of
from center.pages.shapes import county
from center.web.geojson import GeoJson
from center.web.problems import responses

router: Final = reading_router("map")


@router.get("/map", response_class=GeoJson, response_model=dict[str, Any], responses=responses(401, 403))
def read_map(request: Request, session: Reading, _person: Staff) -> GeoJson:
    """Grids, plots, plants and what cameras see, as the register stands now, named in the reader's language."""
    office = office_of(request)
    language = language_of(request)
    return GeoJson(county(session, language, tenant=office.settings.tenant, at=office.now(), leads=False))
