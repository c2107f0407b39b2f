"""Signing in and out with plain forms. A wrong password is told once, slowly, and never which half was wrong."""

from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from center.accounts.guards import CsrfChecked, whoever
from center.accounts.sessions import (
    COOKIE,
    SignInRefused,
    TooManyTries,
    clear_cookie,
    set_cookie,
    sign_in,
    sign_out,
)
from center.database import Writing
from center.office import office_of
from center.pages.language import local_path
from center.pages.rendering import render
from center.web.words import NO_NUL

router: Final = APIRouter(include_in_schema=False)


@router.get("/sign-in")
def show(request: Request, back: str = "/") -> Response:
    """The form; whoever is signed in already goes on."""
    if whoever(request) is not None:
        return RedirectResponse(local_path(back), status_code=303)
    return render(request, "sign_in.html", back=local_path(back), name="", trouble="", wait_s=0)


@router.post("/sign-in")
def enter(
    request: Request,
    session: Writing,
    name: Annotated[str, Form(max_length=128, pattern=NO_NUL)] = "",
    password: Annotated[str, Form(max_length=512)] = "",
    back: Annotated[str, Form(max_length=2048)] = "/",
) -> Response:
    """Check and open a session; otherwise the form again, with what to do."""
    office = office_of(request)
    lasts = timedelta(hours=office.settings.web.session_hours)
    try:
        signed = sign_in(
            session,
            office.throttle,
            tenant=office.settings.tenant,
            name=name.strip(),
            password=password,
            address=request.client.host if request.client else "",
            at=office.now(),
            lasts=lasts,
        )
    except TooManyTries as error:
        return _refuse(request, name, back, status=429, trouble="slow", wait_s=error.retry_after_s)
    except SignInRefused:
        return _refuse(request, name, back, status=401, trouble="wrong")
    answer = RedirectResponse(local_path(back), status_code=303)
    set_cookie(answer, signed, secure=office.secure, lasts=lasts)
    return answer


def _refuse(request: Request, name: str, back: str, *, status: int, trouble: str, wait_s: int = 0) -> Response:
    answer = render(
        request, "sign_in.html", status=status, back=local_path(back), name=name, trouble=trouble, wait_s=wait_s
    )
    if wait_s:
        answer.headers["Retry-After"] = str(wait_s)
    return answer


@router.post("/sign-out", dependencies=[CsrfChecked])
def leave(request: Request, session: Writing) -> Response:
    """Forget this browser's session."""
    sign_out(session, request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/sign-in", status_code=303)
    clear_cookie(answer)
    return answer


def sign_in_address(request: Request) -> str:
    """Where somebody who is not signed in is sent, to come back to the page they wanted."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/sign-in?" + urlencode({"back": back}) if request.method == "GET" and back != "/" else "/sign-in"
