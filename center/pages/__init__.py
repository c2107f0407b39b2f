"""The centre's pages: one module for each room, `routers()` is the list of their doors."""

from fastapi import APIRouter

from center.pages import (
    language,
    sign_in,
)


def routers() -> list[APIRouter]:
    """Every router of pages, to be included by the composition root."""
    return [
        language.router,
        sign_in.router,
    ]
