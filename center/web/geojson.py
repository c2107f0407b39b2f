"""The register's geometry as an answer."""

from fastapi.responses import JSONResponse


class GeoJson(JSONResponse):
    """RFC 7946."""

    media_type = "application/geo+json"
