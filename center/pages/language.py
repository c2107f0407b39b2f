"""`/language/{tag}`: the visitor's own choice of language, kept in a cookie of a year, then back to where they were."""

from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse

from center.office import office_of
from center.words import COOKIE, languages

router: Final = APIRouter(include_in_schema=False)
A_YEAR_S: Final = 365 * 24 * 3600


@router.get("/language/{tag}")
def choose(request: Request, tag: str, back: str = "/") -> RedirectResponse:
    """Remember the language and return to the page; 404 for a language nobody translated."""
    if tag not in languages():
        raise HTTPException(404, f"no language {tag!r}; there are {', '.join(languages())}")
    answer = RedirectResponse(local_path(back), status_code=303)
    answer.set_cookie(COOKIE, tag, max_age=A_YEAR_S, samesite="lax", secure=office_of(request).secure)
    return answer


def local_path(path: str) -> str:
    """`path` if it stays in this house, `/` for anything that could lead elsewhere."""
    inside = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if inside else "/"
