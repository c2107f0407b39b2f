"""Errors as pages: friendly, in the visitor's language, for browsers only; programs get their problem+json.

The composition root asks `wants_page` and, if so, answers with `error_page`; nothing of the fault itself is shown.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from center.pages.rendering import language_of, render
from center.pages.sign_in import sign_in_address
from center.words import N_

NOT_SIGNED_IN: Final = 401
NOT_FOR_PAGES: Final = ("/api/", "/static/", "/live")


class Said(NamedTuple):
    """What an error page says: what happened, and what to do now."""

    title: str
    advice: str


WORDS: Final[Mapping[int, Said]] = {
    400: Said(N_("That request was not understood"), N_("Please go back and try again.")),
    403: Said(
        N_("This is not for your account"),
        N_("Your role does not include this. If you have just sent a form, reload its page and send it again."),
    ),
    404: Said(
        N_("There is nothing here"),
        N_("The address may be mistyped, or what stood here has moved."),
    ),
    405: Said(N_("That does not work here"), N_("Please go back and try again.")),
    409: Said(
        N_("Somebody was faster"),
        N_("What you wanted to change has changed in the meantime. Nothing was lost: look again, then decide."),
    ),
    413: Said(N_("That is too much at once"), N_("What you sent is larger than this page takes.")),
    422: Said(
        N_("Something in that form is missing or wrong"), N_("Please go back, check the fields and send it again.")
    ),
    429: Said(N_("Please wait a moment"), N_("That was a little too often. Try again shortly.")),
    500: Said(
        N_("Something went wrong on our side"),
        N_("It was written down and will be looked at. What was stored before is safe. Please try again."),
    ),
    503: Said(
        N_("The centre is busy"), N_("Please try again in a moment. What the boxes report waits safely on them.")
    ),
}


def wants_page(request: Request) -> bool:
    """Whether this is a browser that shows a page, not a program that reads JSON."""
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts and not request.url.path.startswith(NOT_FOR_PAGES)


def error_page(request: Request, status: int, *, headers: Mapping[str, str] | None = None) -> Response:
    """The page of an HTTP status; for 401 the way to the sign-in page.

    A script that asked for a part of a page gets a short message for the page's shelf of messages instead.
    """
    partly = "hx-request" in request.headers
    if status == NOT_SIGNED_IN:
        address = sign_in_address(request)
        if partly:
            return Response(status_code=200, headers={"HX-Redirect": "/sign-in"})
        return RedirectResponse(address, status_code=303)
    language = language_of(request)
    fallback = WORDS[500 if status >= 500 else 400]  # noqa: PLR2004 - the classes of HTTP statuses
    said = WORDS.get(status, fallback)
    answer = render(
        request,
        "_trouble.html" if partly else "error.html",
        status=status,
        signed=False,
        code=status,
        title=language.gettext(said.title),
        advice=language.gettext(said.advice),
    )
    answer.headers.update({"HX-Retarget": "[data-toasts]", "HX-Reswap": "innerHTML"} if partly else {})
    answer.headers.update(headers or {})
    return answer
