"""Errors as answers: `application/problem+json` (RFC 9457) for programs, a page for people.

Routes raise what the rooms below raise; the table says which status each deserves. Nothing is changed when one of
them is answered: the transaction has been rolled back.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Protocol, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from alerts.errors import BlobStoreFull, BlobStoreUnreachable
from center.errors import DatabaseTrouble, RedactorBusy
from enforcement import errors as enforcement


class ErrorPage(Protocol):
    """Draws the page of a status, for people."""

    def __call__(self, request: Request, status: int, *, headers: Mapping[str, str] | None = None) -> Response:
        """The page, with these headers added."""


STATUSES: Mapping[type[Exception], int] = {
    enforcement.Conflict: 409,
    enforcement.NotAllowed: 403,
    enforcement.NoteMissing: 422,
    enforcement.NotAnOfficer: 422,
    enforcement.PersonalData: 422,
    enforcement.Unknown: 404,
    BlobStoreFull: 507,
    BlobStoreUnreachable: 503,
    DatabaseTrouble: 503,
    RedactorBusy: 503,
}

log = structlog.get_logger()


def status_of(error: Exception) -> int:
    """The HTTP status that says what went wrong: 500 for what nobody raises on purpose."""
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)


class Problem(BaseModel):
    """What went wrong with a request: RFC 9457."""

    type: str = "about:blank"
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str = ""


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer to a program."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, headers=dict(headers or {}), media_type="application/problem+json")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: which problems it can answer with."""
    return {
        status: {
            "model": Problem,
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


class Answers:
    """How each error is answered: by `error_page` where `wants_page` sees a person's browser, else as a problem."""

    def __init__(self, *, wants_page: Callable[[Request], bool], error_page: ErrorPage) -> None:
        self._wants_page = wants_page
        self._error_page = error_page

    def install(self, app: FastAPI) -> None:
        """Answer every error of this application so."""
        app.add_exception_handler(HTTPException, self._http_error)
        app.add_exception_handler(RequestValidationError, self._invalid)
        app.add_exception_handler(OperationalError, self._busy)
        for kind in STATUSES:
            app.add_exception_handler(kind, self._known_error)
        app.add_exception_handler(Exception, self._unexpected)

    def _answer(self, request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
        if self._wants_page(request):
            return self._error_page(request, status, headers=headers)
        return problem(status, detail, headers)

    def _http_error(self, request: Request, error: Exception) -> Response:
        known = cast("HTTPException", error)
        return self._answer(request, known.status_code, str(known.detail), known.headers)

    def _invalid(self, request: Request, error: Exception) -> Response:
        first = cast("RequestValidationError", error).errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body")
        return self._answer(request, 422, f"{place}: {first['msg']}" if place else str(first["msg"]))

    def _known_error(self, request: Request, error: Exception) -> Response:
        headers = {"Retry-After": "20"} if isinstance(error, RedactorBusy) else None
        return self._answer(request, status_of(error), str(error), headers)

    def _busy(self, request: Request, error: Exception) -> Response:
        log.error("database_busy", path=request.url.path, reason=str(cast("OperationalError", error).orig))
        detail = "the database cannot be written just now; nothing was changed, try again in a moment"
        return self._answer(request, 503, detail, {"Retry-After": "5"})

    def _unexpected(self, request: Request, error: Exception) -> Response:
        log.error("request_failed", path=request.url.path, exc_info=error)
        return self._answer(request, 500, "something went wrong here; it has been written into the log")
