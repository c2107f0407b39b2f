"""The demo county: whole, balanced, repeatable, and without anything a camera would have to have seen."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from alerts.catalogue import KINDS
from center.county import files
from center.county.files import County, Moment, read_county, read_ground
from center.county.leaf import months_later
from center.county.seeding import Seeded, require_balance, seed
from enforcement.assignment import assign
from enforcement.policy import response_policy_at
from enforcement.records import METADATA
from tests.traceability.books import NOW, TENANT, empty_books
from traceability.cameras import Purpose, cameras_at
from traceability.errors import LedgerMismatch
from traceability.gs1 import is_component, is_gtin
from traceability.links import Target, links_for
from traceability.lots import Lot, Pack, Product
from traceability.parties import Party

UNSEEN = ("lead", "shared_link", "task", "task_event", "finding")


def rows(session: Session) -> dict[str, int]:
    return {
        table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in METADATA.sorted_tables
    }


def test_the_county_has_two_gardens_one_plant_three_grids_and_two_cameras(county: Session) -> None:
    counted = rows(county)
    expected = {"garden": 2, "plot": 4, "plant": 1, "grid": 3, "camera": 2, "leaf_card": 4, "lot": 2, "pack": 120}
    assert {table: counted[table] for table in expected} == expected


def test_nothing_is_seeded_that_a_camera_would_have_to_have_seen(county: Session) -> None:
    counted = rows(county)
    assert {table: counted[table] for table in UNSEEN} == dict.fromkeys(UNSEEN, 0)


def test_seeding_again_changes_nothing_even_on_a_later_day(county: Session) -> None:
    before = rows(county)
    again = seed(county, tenant=TENANT, now=NOW + timedelta(days=9))
    assert not again.created
    assert rows(county) == before
    assert [pack.serial for pack in again.packs] == ["0001", "0001"]


def test_a_second_tenant_has_a_county_of_its_own(county: Session) -> None:
    assert seed(county, tenant="other", now=NOW).created
    assert county.scalar(select(func.count()).select_from(Party).where(Party.tenant == "other")) == 6


def test_a_tenant_with_a_register_of_its_own_is_left_alone(books: Session) -> None:
    books.add(Party(tenant=TENANT, id="p", role="grower", pseudonym="茶农-1", pseudonym_en="g", farm_code="1"))
    books.flush()
    assert seed(books, tenant=TENANT, now=NOW) == Seeded(created=False, packs=())
    assert rows(books)["garden"] == 0


@settings(max_examples=12)
@given(st.datetimes(datetime(2026, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - given a zone
def test_whenever_the_demo_is_run_its_links_hold_and_nothing_lies_in_the_future(now: datetime) -> None:
    with empty_books() as session:
        seed(session, tenant=TENANT, now=now)
        links = links_for(session, tenant=TENANT, camera="cam-garden-01", at=now)
        assert {link.target_id for link in links if link.target_kind is Target.LOT} == {"QL-ORG-0118"}
        assert assign(session, tenant=TENANT, camera="cam-street-01", at=now).officer == "officer-a"
        assert session.scalars(select(func.max(Pack.packed_at))).one() < now


def test_a_county_whose_weights_contradict_each_other_is_not_seeded(county: Session) -> None:
    county.execute(update(Lot).where(Lot.id == "QL-ORG-0118").values(made_g=38_300))
    with pytest.raises(LedgerMismatch, match="QL-ORG-0118: implausible_yield"):
        require_balance(county, tenant=TENANT, at=NOW)


def test_every_code_on_a_pack_is_well_formed(county: Session) -> None:
    assert all(is_gtin(gtin) and gtin.startswith("0950600") for gtin in county.scalars(select(Product.gtin)))
    packs = county.scalars(select(Pack)).all()
    assert all(is_component(pack.lot_id) and is_component(pack.serial) for pack in packs)
    codes = [pack.organic_code for pack in packs if pack.organic_code]
    assert len(set(codes)) == len(codes) == 60
    assert all(len(code) == 17 and code.isdigit() for code in codes)


def test_every_camera_says_who_runs_it_on_what_basis_for_what_and_what_it_really_shows(county: Session) -> None:
    street, garden = sorted(cameras_at(county, tenant=TENANT, at=NOW), key=lambda entry: entry.id, reverse=True)
    for entry in (street, garden):
        assert entry.operator_zh
        assert entry.legal_basis_en
        assert entry.sign_zh
        assert entry.filing_number
        assert entry.no_private_space
        assert entry.storage_days >= 30
        assert Purpose.PUBLICATION not in entry.purposes
    assert street.stand_in_zh is None
    assert "不是茶园" in (garden.stand_in_zh or "")
    assert "not a tea garden" in (garden.stand_in_en or "")


def test_every_kind_of_the_catalogue_has_minutes_to_answer(county: Session) -> None:
    for kind in KINDS:
        policy = response_policy_at(county, tenant=TENANT, kind=kind, at=NOW)
        assert policy is not None
        assert policy.id == kind
        assert policy.source


def test_everything_on_the_ground_is_named_in_the_county_and_the_other_way_round() -> None:
    county = read_county()
    named = {("plot", plot.id) for plot in county.plots} | {("plant", plant.id) for plant in county.plants}
    named |= {("grid", grid.id) for grid in county.grids} | {("camera", camera.id) for camera in county.cameras}
    assert set(read_ground()) == named
    assert all(shape.stands_at for (kind, _), shape in read_ground().items() if kind == "camera")


@pytest.mark.parametrize("text", ["yesterday", "4d 17", "-4d 17:60", "", None, "d"])
def test_a_moment_that_cannot_be_read_is_refused(text: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - both readers say what they could not read
        Moment.parse(text)


def test_a_word_the_county_file_does_not_know_is_refused_with_its_place() -> None:
    whole = files.yaml.safe_load((Path(files.__file__).parent / "county.yaml").read_text(encoding="utf-8"))
    whole["plots"][0]["colour"] = "green"
    with pytest.raises(ValidationError, match=r"plots\.0\.colour"):
        County.model_validate(whole)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [("2026-11-18", 18, "2028-05-18"), ("2026-08-31", 18, "2028-02-29"), ("2026-12-31", 2, "2027-02-28")],
)
def test_months_later_keeps_the_day_or_the_months_last(day: str, months: int, then: str) -> None:
    moment = datetime.fromisoformat(day).date()
    assert months_later(moment, months).isoformat() == then
