"""How programs prove who they are, as /openapi.json tells it: the session's cookie, and its token for changes."""

from typing import Final

from fastapi import APIRouter, Depends
from fastapi.security import APIKeyCookie, APIKeyHeader

from center.accounts.guards import CSRF_HEADER, CsrfChecked
from center.accounts.sessions import COOKIE

PREFIX: Final = "/api/v1"
_COOKIE: Final = Depends(APIKeyCookie(name=COOKIE, scheme_name="session", auto_error=False))
_TOKEN: Final = Depends(
    APIKeyHeader(
        name=CSRF_HEADER,
        scheme_name="csrf",
        description="`csrf_token` of POST /api/v1/session",
        auto_error=False,
    )
)
CHANGES: Final = [_TOKEN, CsrfChecked]
"""For `dependencies=` of a route that changes something for a signed-in person."""


def reading_router(tag: str) -> APIRouter:
    """A router whose routes need a session; each says which role."""
    return APIRouter(prefix=PREFIX, tags=[tag], dependencies=[_COOKIE])


def open_router(tag: str) -> APIRouter:
    """A router whose routes need no session."""
    return APIRouter(prefix=PREFIX, tags=[tag])
