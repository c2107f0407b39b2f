"""The centre's pages: one module for each room, `routers()` is the list of their doors."""

from fastapi import APIRouter

from center.pages import (
    board,
    cameras,
    coverage,
    custody,
    devices,
    keeping,
    language,
    leads,
    log,
    maps,
    moves,
    packs,
    publication,
    quarantine,
    recordings,
    redactions,
    reviews,
    rooms,
    shopper,
    sign_in,
    tasks,
)

RECORDINGS_PATH = recordings.PATH


def routers() -> list[APIRouter]:
    """Every router of pages, to be included by the composition root."""
    return [
        board.router,
        leads.router,
        custody.router,
        keeping.router,
        reviews.router,
        recordings.router,
        redactions.router,
        redactions.reading,
        tasks.router,
        moves.router,
        publication.router,
        maps.router,
        cameras.router,
        coverage.router,
        devices.router,
        quarantine.router,
        log.router,
        packs.router,
        rooms.router,
        shopper.router,
        sign_in.router,
        language.router,
    ]
