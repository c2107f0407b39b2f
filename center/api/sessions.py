"""Signing in and out for programs: POST, GET and DELETE /api/v1/session."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import HTTPException, Request, Response
from pydantic import BaseModel, Field

from center.accounts.guards import SignedInPerson
from center.accounts.sessions import (
    COOKIE,
    SignInRefused,
    TooManyTries,
    clear_cookie,
    set_cookie,
    sign_in,
    sign_out,
)
from center.api.security import CHANGES, open_router
from center.database import Writing
from center.office import office_of
from center.web.problems import responses
from center.web.words import NO_NUL

router: Final = open_router("session")


class Credentials(BaseModel):
    """Name and password of an account."""

    username: Annotated[str, Field(min_length=1, max_length=128, pattern=NO_NUL)]
    password: Annotated[str, Field(min_length=1, max_length=512)]


class SessionOut(BaseModel):
    """Who is signed in. Send `csrf_token` in the header X-CSRF-Token with everything that changes something."""

    name: str
    role: str
    language: str
    csrf_token: str


class NewSession(SessionOut):
    """A session that has just begun; its token is in the cookie."""

    expires_at: datetime


@router.post("/session", status_code=201, responses=responses(401, 422, 429, 503))
def begin(request: Request, response: Response, session: Writing, credentials: Credentials) -> NewSession:
    """Sign in. Wrong passwords are answered ever more slowly: 429 with Retry-After."""
    office = office_of(request)
    lasts = timedelta(hours=office.settings.web.session_hours)
    try:
        signed = sign_in(
            session,
            office.throttle,
            tenant=office.settings.tenant,
            name=credentials.username,
            password=credentials.password,
            address=request.client.host if request.client else "",
            at=office.now(),
            lasts=lasts,
        )
    except TooManyTries as error:
        raise HTTPException(429, str(error), {"Retry-After": str(error.retry_after_s)}) from error
    except SignInRefused as error:
        raise HTTPException(401, str(error)) from error
    set_cookie(response, signed, secure=office.secure, lasts=lasts)
    person = signed.person
    return NewSession(
        name=person.name,
        role=person.role.value,
        language=person.language,
        csrf_token=person.csrf,
        expires_at=signed.expires_at,
    )


@router.get("/session", responses=responses(401))
def who(person: SignedInPerson) -> SessionOut:
    """Who is signed in with this cookie."""
    return SessionOut(name=person.name, role=person.role.value, language=person.language, csrf_token=person.csrf)


@router.delete("/session", status_code=204, responses=responses(401, 403, 503), dependencies=CHANGES)
def end(request: Request, response: Response, session: Writing) -> None:
    """Sign out."""
    sign_out(session, request.cookies.get(COOKIE, ""))
    clear_cookie(response)
