"""JSON for programs, below /api/v1: one module for each noun. The whole is described at /openapi.json."""

from fastapi import APIRouter

from center.api import (
    bundles,
    cameras,
    certificates,
    coverage,
    devices,
    enrol,
    evidence,
    findings,
    health,
    leads,
    log,
    maps,
    quarantine,
    recordings,
    redactions,
    reviews,
    sessions,
    tasks,
    thumbnails,
    uploads,
)

EVIDENCE_PATH = uploads.PATH
RECORDINGS_PATH = recordings.PATH


def routers() -> list[APIRouter]:
    """Every router of the programs' side, to be included by the composition root."""
    modules = (
        sessions,
        leads,
        reviews,
        recordings,
        redactions,
        bundles,
        tasks,
        findings,
        evidence,
        maps,
        cameras,
        coverage,
        devices,
        quarantine,
        log,
        enrol,
        certificates,
        health,
    )
    return [*(module.router for module in modules), uploads.router, bundles.forms, thumbnails.router]
