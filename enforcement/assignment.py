"""Whose lead it is: the smallest grid under the camera's view, and that grid's officer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from enforcement.grids import Grid, GridEntry, Level
from traceability.cameras import CameraEntry, camera_at
from traceability.links import Link, Reason, Target
from traceability.placement import covered, entries_meeting, in_view

SMALLEST_FIRST: Final = tuple(level.value for level in Level)


class AssignmentReason(StrEnum):
    """Why a task went where it went, with these parameters.

    - grid_officer, grid_without_officer: grid, level
    - no_grid, camera_not_registered: camera
    """

    GRID_OFFICER = "grid_officer"
    GRID_WITHOUT_OFFICER = "grid_without_officer"
    NO_GRID = "no_grid"
    CAMERA_NOT_REGISTERED = "camera_not_registered"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Grid and officer of a task; without an officer it lies in the county pool, and the reason says why."""

    grid_id: str | None
    officer: str | None
    reason: AssignmentReason
    params: Mapping[str, str]


def assign(session: Session, *, tenant: str, camera: str, at: datetime) -> Assignment:
    """The officer of the smallest grid that covers the middle of the camera's view, as it stood at that instant."""
    sight = camera_at(session, tenant=tenant, camera=camera, at=at)
    if sight is None:
        return Assignment(None, None, AssignmentReason.CAMERA_NOT_REGISTERED, {"camera": camera})
    found = _responsible(session, sight, at)
    if found is None:
        return Assignment(None, None, AssignmentReason.NO_GRID, {"camera": camera})
    grid, entry = found
    reason = AssignmentReason.GRID_OFFICER if entry.officer else AssignmentReason.GRID_WITHOUT_OFFICER
    return Assignment(grid.id, entry.officer, reason, {"grid": grid.id, "level": grid.level})


def grid_links(session: Session, *, tenant: str, camera: str, at: datetime) -> tuple[Link, ...]:
    """The grids a camera's view lies in, the responsible one first."""
    sight = camera_at(session, tenant=tenant, camera=camera, at=at)
    if sight is None:
        return ()
    found = _responsible(session, sight, at)
    own = found[0].id if found else None
    links = [_grid_link(found[0], Reason.GRID_OF_VIEW, {"level": found[0].level})] if found else []
    for entry, seen_m2 in in_view(session, GridEntry, tenant=tenant, at=at, view=sight.shape, overlap_min_m2=1):
        if entry.id != own:
            grid = session.get_one(Grid, (tenant, entry.id))
            links.append(_grid_link(grid, Reason.VIEW_COVERS_GRID, covered(entry, seen_m2)))
    return tuple(links)


def _grid_link(grid: Grid, reason: Reason, params: Mapping[str, int | str]) -> Link:
    return Link(Target.GRID, grid.id, grid.name_zh, grid.name_en, reason, params)


def _responsible(session: Session, sight: CameraEntry, at: datetime) -> tuple[Grid, GridEntry] | None:
    middle = sight.shape.centroid
    candidates = [
        (session.get_one(Grid, (sight.tenant, entry.id)), entry)
        for entry in entries_meeting(session, GridEntry, tenant=sight.tenant, at=at, shape=sight.shape)
        if entry.shape.covers(middle)
    ]
    return min(candidates, key=_size, default=None)


def _size(candidate: tuple[Grid, GridEntry]) -> tuple[int, int, str]:
    grid, entry = candidate
    return SMALLEST_FIRST.index(grid.level), entry.area_m2, grid.id
