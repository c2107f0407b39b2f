"""A task goes to the officer of the smallest grid under the middle of the view."""

from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from enforcement.assignment import AssignmentReason, assign
from enforcement.errors import Unknown
from enforcement.grids import Grid, GridEntry, grids_at, replace_grid
from tests.traceability.books import NOW, TENANT
from traceability.cameras import camera_at
from traceability.geometry import area_m2

LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("camera", "grid", "officer", "level"),
    [("cam-street-01", "street-tea-01", "officer-a", "street"), ("cam-garden-01", "town-yunxi", "officer-b", "town")],
)
def test_the_smallest_grid_under_the_view_is_responsible(
    county: Session, camera: str, grid: str, officer: str, level: str
) -> None:
    given = assign(county, tenant=TENANT, camera=camera, at=NOW)
    assert (given.grid_id, given.officer, given.reason) == (grid, officer, AssignmentReason.GRID_OFFICER)
    assert given.params == {"grid": grid, "level": level}


def test_two_grids_of_one_level_go_by_area(county: Session) -> None:
    view = camera_at(county, tenant=TENANT, camera="cam-street-01", at=NOW)
    assert view is not None
    county.add(Grid(tenant=TENANT, id="a-corner", level="street", name_zh="角", name_en="corner"))
    county.flush()
    replace_grid(county, tenant=TENANT, grid_id="a-corner", at=NOW, officer="officer-c", polygon=view.polygon)
    assert assign(county, tenant=TENANT, camera="cam-street-01", at=NOW).officer == "officer-c"


def test_a_street_comes_before_a_town_however_small_the_town_is(county: Session) -> None:
    view = camera_at(county, tenant=TENANT, camera="cam-street-01", at=NOW)
    assert view is not None
    county.add(Grid(tenant=TENANT, id="hamlet", level="town", name_zh="村", name_en="hamlet"))
    county.flush()
    replace_grid(county, tenant=TENANT, grid_id="hamlet", at=NOW, officer="officer-c", polygon=view.polygon)
    assert assign(county, tenant=TENANT, camera="cam-street-01", at=NOW).grid_id == "street-tea-01"


def test_a_grid_answers_as_it_stood_at_the_sight(county: Session) -> None:
    replace_grid(county, tenant=TENANT, grid_id="street-tea-01", at=NOW, officer="officer-c")
    before, after = NOW - timedelta(seconds=1), NOW
    assert assign(county, tenant=TENANT, camera="cam-street-01", at=before).officer == "officer-a"
    assert assign(county, tenant=TENANT, camera="cam-street-01", at=after).officer == "officer-c"


def test_a_grid_without_an_officer_leaves_the_task_in_the_pool_and_says_so(county: Session) -> None:
    replace_grid(county, tenant=TENANT, grid_id="street-tea-01", at=NOW, officer=None)
    given = assign(county, tenant=TENANT, camera="cam-street-01", at=LATER)
    assert (given.grid_id, given.officer) == ("street-tea-01", None)
    assert given.reason is AssignmentReason.GRID_WITHOUT_OFFICER


def test_a_place_without_a_grid_leaves_the_task_in_the_pool_and_says_so(county: Session) -> None:
    county.execute(delete(GridEntry))
    given = assign(county, tenant=TENANT, camera="cam-street-01", at=NOW)
    assert (given.grid_id, given.officer, given.reason) == (None, None, AssignmentReason.NO_GRID)


def test_a_camera_nobody_registered_leaves_the_task_in_the_pool_and_says_so(county: Session) -> None:
    given = assign(county, tenant=TENANT, camera="cam-x", at=NOW)
    assert (given.officer, given.reason, given.params) == (
        None,
        AssignmentReason.CAMERA_NOT_REGISTERED,
        {"camera": "cam-x"},
    )


def test_an_officer_cannot_be_given_to_a_grid_without_ground(county: Session) -> None:
    with pytest.raises(Unknown, match="no ground on record"):
        replace_grid(county, tenant=TENANT, grid_id="nowhere", at=NOW, officer="officer-a")


def test_the_demo_streets_are_of_the_order_of_a_unit_grid(county: Session) -> None:
    streets = [entry for entry in grids_at(county, tenant=TENANT, at=NOW) if entry.id.startswith("street")]
    assert len(streets) == 2
    for entry in streets:
        assert 5_000 < entry.area_m2 < 20_000
        assert entry.area_m2 == area_m2(entry.shape)
