"""Leads fold by revision, whatever order alerts arrive in, and keep the links they were given."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enforcement.events import LeadClosed, LeadOpened, LeadReopened, LeadUpdated
from enforcement.leadlinks import link_leads
from enforcement.leads import Lead, LeadFacts, LeadLink, TimeSource, links_of, sighted_at
from tests.enforcement.alerts_told import INTRUSION, PARKED, revision
from tests.enforcement.single_leads import LeadChange, fold_alert, link_lead
from tests.traceability.books import NOW, TENANT, demo_books
from traceability.plots import replace_tenure

LATER = NOW + timedelta(hours=1)


def fold(session: Session, facts: LeadFacts, at: datetime = NOW) -> LeadChange:
    return fold_alert(session, facts, received_at=at)


def row(lead: Lead) -> dict[str, object]:
    return {column.key: getattr(lead, column.key) for column in Lead.__table__.columns}


def names(change: LeadChange) -> list[type]:
    return [type(event) for event in change.events]


def test_the_first_alert_opens_a_lead_in_the_alerts_own_words(county: Session) -> None:
    change = fold(county, PARKED)
    lead = change.lead
    assert names(change) == [LeadOpened]
    assert (lead.id, lead.kind, lead.revision, lead.closed_at) == ("box-demo-01.i1", PARKED.kind, 1, None)
    assert lead.objects == [dict(seen) for seen in PARKED.objects]
    assert lead.because == PARKED.because


def test_an_incident_heard_of_when_it_is_over_is_opened_and_closed_at_once(county: Session) -> None:
    change = fold(county, revision(3, "closed"))
    assert names(change) == [LeadOpened, LeadClosed]
    assert change.lead.closed_at == NOW + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("phases", "told"),
    [
        (["opened", "updated"], LeadUpdated),
        (["opened", "closed"], LeadClosed),
        (["closed", "updated"], LeadReopened),
        (["closed", "closed"], LeadUpdated),
    ],
)
def test_a_newer_revision_tells_what_turned(county: Session, phases: list[str], told: type) -> None:
    fold(county, revision(1, phases[0]))
    change = fold(county, revision(2, phases[1]))
    assert names(change) == [told]
    assert (change.lead.closed_at is None) is (phases[1] != "closed")


def test_an_older_or_repeated_alert_changes_nothing_and_tells_nothing(county: Session) -> None:
    fold(county, revision(2, "updated"))
    before = row(fold(county, revision(3, "closed")).lead)
    for facts in (revision(2, "updated"), revision(3, "closed")):
        change = fold(county, facts, LATER)
        assert (change.events, row(change.lead)) == ((), before)


def test_two_alerts_of_one_revision_are_a_conflict_that_is_settled_the_same_way_in_either_order() -> None:
    one = revision(2, "updated", record_sha256="a" * 64, zone="left")
    two = revision(2, "updated", record_sha256="b" * 64, zone="right")
    zones = []
    for order in ((one, two), (two, one)):
        with demo_books() as county:
            fold(county, order[0])
            zones.append(fold(county, order[1]).lead.zone)
    assert zones == ["right", "right"]


PHASES = st.sampled_from(["opened", "updated", "closed"])


@given(
    st.lists(st.tuples(st.integers(1, 5), PHASES, st.integers(0, 3), st.integers(0, 60)), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_every_order_of_the_same_alerts_ends_in_the_same_row(
    told: list[tuple[int, str, int, int]], random: Random
) -> None:
    alerts = [
        (revision(number, phase, record_sha256=f"{number}{phase}{copy}", stream_ms=copy), NOW + timedelta(minutes=late))
        for number, phase, copy, late in told
    ]
    shuffled = [*alerts, random.choice(alerts)]
    random.shuffle(shuffled)
    ends = []
    for order in (alerts, shuffled):
        with demo_books() as county:
            for facts, received_at in order:
                lead = fold(county, facts, received_at).lead
            ends.append(row(lead))
            assert county.scalar(select(func.count()).select_from(Lead)) == 1
    assert ends[0] == ends[1]


def test_all_permutations_of_one_incident_agree_also_on_its_links() -> None:
    alerts = [revision(number, phase, INTRUSION) for number, phase in ((1, "opened"), (2, "updated"), (3, "closed"))]
    ends = set()
    for order in itertools.permutations(alerts):
        with demo_books() as county:
            for facts in order:
                lead = fold(county, facts).lead
                link_lead(county, lead)
            links = tuple(
                (link.target_kind, link.target_id) for link in links_of(county, tenant=TENANT, lead_id=lead.id)
            )
            ends.add((lead.revision, lead.phase, lead.closed_at, lead.linked_for, links))
    assert len(ends) == 1


def test_links_that_were_rolled_back_after_a_savepoint_are_written_again(county: Session) -> None:
    fold(county, INTRUSION)
    with county.begin_nested():
        pass
    county.rollback()
    assert links_of(county, tenant=TENANT, lead_id=fold(county, INTRUSION).lead.id)


def test_the_same_incident_name_of_two_boxes_is_two_leads(county: Session) -> None:
    fold(county, PARKED)
    fold(county, replace(PARKED, device="box-2"))
    assert county.scalar(select(func.count()).select_from(Lead)) == 2


def kinds(links: tuple[LeadLink, ...]) -> set[tuple[str, str]]:
    return {(link.target_kind, link.target_id) for link in links}


def test_a_lead_is_linked_with_garden_grower_card_lot_and_grid(county: Session) -> None:
    links = link_lead(county, fold(county, INTRUSION).lead)
    assert kinds(links) == {
        ("plot", "qs-01"),
        ("plot", "qs-02"),
        ("party", "grower-qs-07"),
        ("party", "grower-qs-12"),
        ("leaf_card", "card-qs-07"),
        ("leaf_card", "card-qs-12"),
        ("lot", "QL-ORG-0118"),
        ("grid", "town-yunxi"),
    }
    assert all(link.reason_key for link in links)


@pytest.mark.parametrize("incidents", [("a", "b"), ("b", "a")])
def test_links_go_in_in_order_of_their_keys_whatever_leads_they_are_of(
    county: Session, incidents: tuple[str, str]
) -> None:
    for facts, incident in zip((PARKED, INTRUSION), incidents, strict=True):
        fold(county, replace(facts, incident=incident))
    link_leads(county, TENANT, [f"box-demo-01.{incident}" for incident in ("a", "b")])
    written = county.scalars(select(LeadLink.links_id).order_by(text("rowid"))).all()
    assert len(set(written)) == 2
    assert written == sorted(written)


def test_a_street_lead_is_linked_with_its_grids_alone(county: Session) -> None:
    links = link_lead(county, fold(county, PARKED).lead)
    assert [(link.target_id, link.reason_key) for link in links] == [
        ("street-tea-01", "grid_of_view"),
        ("town-yunxi", "view_covers_grid"),
    ]


def test_links_once_made_stay_when_the_register_changes_afterwards(county: Session) -> None:
    links = kinds(link_lead(county, fold(county, INTRUSION).lead))
    replace_tenure(county, tenant=TENANT, plot_id="qs-01", party_id="grower-wp-21", at=NOW - timedelta(days=1))
    assert kinds(link_lead(county, fold(county, revision(2, "updated", INTRUSION)).lead)) == links


def test_links_are_made_anew_when_the_incident_turns_out_to_have_begun_at_another_time(county: Session) -> None:
    link_lead(county, fold(county, INTRUSION).lead)
    replace_tenure(county, tenant=TENANT, plot_id="qs-01", party_id="grower-wp-21", at=NOW + timedelta(minutes=30))
    moved = fold(county, revision(2, "updated", INTRUSION, opened_at=LATER)).lead
    assert ("party", "grower-wp-21") in kinds(link_lead(county, moved))


@pytest.mark.parametrize("source", TimeSource)
def test_a_box_that_had_lost_the_time_is_linked_by_what_is_known_of_it(county: Session, source: TimeSource) -> None:
    lost = replace(INTRUSION, clock="unsynchronised", time_source=source)
    replace_tenure(county, tenant=TENANT, plot_id="qs-01", party_id="grower-wp-21", at=NOW - timedelta(minutes=30))
    lead = fold(county, replace(lost, opened_at=NOW - timedelta(hours=1))).lead
    is_of_arrival = source is TimeSource.ARRIVAL
    assert sighted_at(lead) == (lead.received_at if is_of_arrival else lead.opened_at)
    assert (("party", "grower-wp-21") in kinds(link_lead(county, lead))) is is_of_arrival
