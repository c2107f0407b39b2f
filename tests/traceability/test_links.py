"""Links come from geometry and dates, as the register stood, and from nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from tests.traceability.books import NOW, TENANT, blend
from traceability.cameras import Camera, CameraEntry, camera_at, replace_view
from traceability.cards import CardState, LeafSale, replace_card_state
from traceability.links import Link, Reason, Target, links_for
from traceability.periods import entry_at, succeed
from traceability.plots import PlotEntry, replace_plot, replace_tenure
from traceability.policy import LinkPolicy
from traceability.sites import replace_plant

GARDEN_CAMERA, STREET_CAMERA = "cam-garden-01", "cam-street-01"
LATER = NOW + timedelta(hours=1)


def linked(county: Session, camera: str = GARDEN_CAMERA, at: datetime = NOW) -> tuple[Link, ...]:
    return links_for(county, tenant=TENANT, camera=camera, at=at)


def targets(links: tuple[Link, ...], kind: Target) -> set[str]:
    return {link.target_id for link in links if link.target_kind is kind}


def moved(polygon: dict, east_deg: float, north_deg: float) -> dict:
    corners = [[x + east_deg, y + north_deg] for x, y in polygon["coordinates"][0]]
    return {"type": "Polygon", "coordinates": [corners]}


def ground_of(county: Session, plot: str) -> dict:
    entry = entry_at(county, PlotEntry, tenant=TENANT, entry_id=plot, at=NOW)
    assert entry is not None
    return entry.polygon


def test_the_garden_camera_concerns_the_plots_in_view_their_growers_cards_and_lots(county: Session) -> None:
    links = linked(county)
    assert targets(links, Target.PLOT) == {"qs-01", "qs-02"}
    assert targets(links, Target.PARTY) == {"grower-qs-07", "grower-qs-12"}
    assert targets(links, Target.LEAF_CARD) == {"card-qs-07", "card-qs-12"}
    assert targets(links, Target.LOT) == {"QL-ORG-0118"}
    assert targets(links, Target.PLANT) == set()


def test_the_street_camera_concerns_no_leaf(county: Session) -> None:
    assert linked(county, STREET_CAMERA) == ()


def test_every_link_says_why_in_a_key_with_parameters(county: Session) -> None:
    by_reason = {(link.reason_key, link.target_id): link for link in linked(county)}
    plot = by_reason[Reason.VIEW_COVERS_PLOT, "qs-01"]
    assert plot.params == {"share_permille": 345, "area_m2": 2781}
    assert plot.name_zh == "青山有机茶园·一号地块"
    assert by_reason[Reason.TENURE, "grower-qs-07"].params["plot"] == "qs-01"
    assert by_reason[Reason.CARD_ACTIVE, "card-qs-07"].name_zh.endswith("0731")
    assert "QLC26" not in by_reason[Reason.CARD_ACTIVE, "card-qs-07"].name_zh
    assert by_reason[Reason.LOT_CONTAINS_LEAF, "QL-ORG-0118"].params["picked_on"] == "2026-11-15"


def test_a_plot_moved_out_of_view_is_linked_no_more_but_was_linked_before(county: Session) -> None:
    away = moved(ground_of(county, "qs-01"), 0.02, 0)
    replace_plot(county, tenant=TENANT, plot_id="qs-01", polygon=away, at=NOW)
    assert targets(linked(county, at=LATER), Target.PLOT) == {"qs-02"}
    assert targets(linked(county, at=LATER), Target.PARTY) == {"grower-qs-12"}
    assert targets(linked(county, at=NOW - timedelta(seconds=1)), Target.PLOT) == {"qs-01", "qs-02"}


def test_a_plot_moved_into_view_is_linked_with_all_that_hangs_on_it(county: Session) -> None:
    here = moved(ground_of(county, "qs-01"), 0, 0)
    replace_plot(county, tenant=TENANT, plot_id="wp-01", polygon=here, at=NOW)
    links = linked(county, at=LATER)
    assert "wp-01" in targets(links, Target.PLOT)
    assert "grower-wp-03" in targets(links, Target.PARTY)
    assert "QL-WP-0093" in targets(links, Target.LOT)


def test_a_plant_moved_into_view_is_linked_with_who_runs_it(county: Session) -> None:
    view = camera_at(county, tenant=TENANT, camera=GARDEN_CAMERA, at=NOW)
    assert view is not None
    replace_plant(county, tenant=TENANT, plant_id="yx-plant", polygon=view.polygon, at=NOW)
    links = linked(county, at=LATER)
    assert targets(links, Target.PLANT) == {"yx-plant"}
    assert Reason.RUNS_PLANT in {link.reason_key for link in links if link.target_id == "yunxi-tea"}


def test_ground_that_is_only_touched_is_not_linked(county: Session) -> None:
    policy = entry_at(county, LinkPolicy, tenant=TENANT, entry_id="links", at=NOW)
    assert policy is not None
    policy.overlap_min_m2 = 1000  # qs-02 shows 369 m2
    county.flush()
    assert targets(linked(county), Target.PLOT) == {"qs-01"}


def test_a_plot_that_changes_hands_is_linked_with_who_worked_it_then(county: Session) -> None:
    replace_tenure(county, tenant=TENANT, plot_id="qs-01", party_id="grower-wp-21", at=NOW)
    assert targets(linked(county, at=LATER), Target.PARTY) == {"grower-wp-21", "grower-qs-12"}
    assert "card-wp-21" in targets(linked(county, at=LATER), Target.LEAF_CARD)
    assert "grower-wp-21" not in targets(linked(county, at=NOW - timedelta(seconds=1)), Target.PARTY)


@pytest.mark.parametrize("state", [CardState.SUSPENDED, CardState.LOST, CardState.CLOSED])
def test_a_card_is_linked_only_while_it_is_active(county: Session, state: CardState) -> None:
    replace_card_state(county, tenant=TENANT, card_id="card-qs-07", state=state, reason="r", author="a", at=NOW)
    assert targets(linked(county, at=LATER), Target.LEAF_CARD) == {"card-qs-12"}
    again = LATER + timedelta(days=1)
    replace_card_state(
        county, tenant=TENANT, card_id="card-qs-07", state=CardState.ACTIVE, reason="r", author="a", at=again
    )
    assert "card-qs-07" in targets(linked(county, at=again), Target.LEAF_CARD)


@pytest.mark.parametrize(
    ("days", "concerned"),
    [(-35, False), (-34, True), (0, True), (26, True), (27, False)],
)
def test_a_lot_is_linked_while_its_picking_lies_in_the_window_around_the_sight(
    county: Session, days: int, concerned: bool
) -> None:
    # Picked on 15 November; the window is 30 days either way, by local days.
    links = linked(county, at=NOW + timedelta(days=days))
    assert targets(links, Target.LOT) == ({"QL-ORG-0118"} if concerned else set())


@pytest.mark.parametrize(("hour_utc", "concerned"), [(15, True), (16, False)])
def test_the_window_counts_days_as_the_place_counts_them(county: Session, hour_utc: int, concerned: bool) -> None:
    # 30 days after the picking it is still 15 December until 16:00 UTC, midnight in Shanghai.
    links = linked(county, at=datetime(2026, 12, 15, hour_utc, tzinfo=UTC))
    assert bool(targets(links, Target.LOT)) is concerned


def test_a_changed_date_of_picking_changes_the_link(county: Session) -> None:
    county.execute(update(LeafSale).values(picked_on=NOW.date() - timedelta(days=200)))
    assert targets(linked(county), Target.LOT) == set()


def test_the_window_is_that_of_the_policy_in_force_at_the_sight(county: Session) -> None:
    narrow = LinkPolicy(
        tenant=TENANT,
        id="links",
        valid_from=NOW,
        picked_before_days=2,
        picked_after_days=2,
        overlap_min_m2=10,
        zone="Asia/Shanghai",
        source="test",
    )
    succeed(county, narrow)
    assert targets(linked(county, at=LATER), Target.LOT) == set()
    assert targets(linked(county, at=NOW - timedelta(hours=1)), Target.LOT) == {"QL-ORG-0118"}


def test_without_a_policy_only_lots_go_unlinked(county: Session) -> None:
    county.execute(delete(LinkPolicy))
    links = linked(county)
    assert targets(links, Target.LOT) == set()
    assert targets(links, Target.LEAF_CARD) == {"card-qs-07", "card-qs-12"}


def test_a_lot_made_from_a_concerned_lot_is_concerned_too(county: Session) -> None:
    blend(county, "BLEND-1", {"QL-ORG-0118": 500})
    found = next(link for link in linked(county) if link.target_id == "BLEND-1")
    assert (found.reason_key, found.params) == (Reason.LOT_CONTAINS_LOT, {"lot": "QL-ORG-0118"})


def test_another_camera_with_the_same_view_has_the_same_links(county: Session) -> None:
    entry = camera_at(county, tenant=TENANT, camera=GARDEN_CAMERA, at=NOW)
    assert entry is not None
    same = {column.key: getattr(entry, column.key) for column in CameraEntry.__table__.columns}
    county.add(Camera(tenant=TENANT, id="zz-9", name_zh="另一台", name_en="another"))
    county.flush()
    county.add(CameraEntry(**(same | {"id": "zz-9", "device": "box-9"})))
    county.flush()
    assert linked(county, "zz-9") == linked(county) != ()


def test_a_camera_that_looks_elsewhere_has_other_links_from_then_on(county: Session) -> None:
    replace_view(county, tenant=TENANT, camera=GARDEN_CAMERA, view=ground_of(county, "wp-01"), at=NOW)
    assert targets(linked(county, at=LATER), Target.PLOT) == {"wp-01"}
    assert targets(linked(county, at=NOW - timedelta(seconds=1)), Target.PLOT) == {"qs-01", "qs-02"}


@pytest.mark.parametrize(
    ("camera", "at"), [("cam-unknown", NOW), (GARDEN_CAMERA, NOW - timedelta(days=4000))], ids=["unknown", "before"]
)
def test_a_camera_outside_the_register_concerns_nothing(county: Session, camera: str, at: datetime) -> None:
    assert linked(county, camera, at) == ()


def test_another_tenant_sees_none_of_it(county: Session) -> None:
    assert links_for(county, tenant="other", camera=GARDEN_CAMERA, at=NOW) == ()
