"""`/rooms`: every room of the centre on one page, behind "More" on a phone."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from center.accounts.guards import Staff
from center.pages.rendering import render

router: Final = APIRouter(include_in_schema=False)


@router.get("/rooms")
def show(request: Request, _person: Staff) -> Response:
    """The list of rooms."""
    return render(request, "rooms.html")
