"""Dated rows: never overwritten, half-open, at most one in force."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.traceability.books import NOW, TENANT, demo_books
from traceability.errors import BadPeriod
from traceability.periods import close, entries_at, entry_at
from traceability.plots import PlotTenure, replace_tenure

PLOT = "qs-01"
SECOND = timedelta(seconds=1)


def tenant_of(session: Session, at: datetime) -> str | None:
    entry = entry_at(session, PlotTenure, tenant=TENANT, entry_id=PLOT, at=at)
    return entry.party_id if entry else None


def test_a_change_closes_the_old_row_and_opens_a_new_one(county: Session) -> None:
    replace_tenure(county, tenant=TENANT, plot_id=PLOT, party_id="grower-wp-03", at=NOW)
    old, new = county.scalars(select(PlotTenure).where(PlotTenure.id == PLOT).order_by(PlotTenure.valid_from))
    assert (old.party_id, old.valid_to) == ("grower-qs-07", NOW)
    assert (new.party_id, new.valid_from, new.valid_to) == ("grower-wp-03", NOW, None)


def test_the_instant_of_a_change_belongs_to_the_new_row(county: Session) -> None:
    replace_tenure(county, tenant=TENANT, plot_id=PLOT, party_id="grower-wp-03", at=NOW)
    assert tenant_of(county, NOW - SECOND) == "grower-qs-07"
    assert tenant_of(county, NOW) == "grower-wp-03"


def test_nothing_stood_before_the_first_row_nor_after_the_end(county: Session) -> None:
    assert tenant_of(county, NOW - timedelta(days=4000)) is None
    entry = entry_at(county, PlotTenure, tenant=TENANT, entry_id=PLOT, at=NOW)
    assert entry is not None
    close(county, entry, NOW)
    assert tenant_of(county, NOW - SECOND) == "grower-qs-07"
    assert tenant_of(county, NOW) is None
    with pytest.raises(BadPeriod):
        close(county, entry, NOW + SECOND)


@pytest.mark.parametrize("back", [timedelta(), SECOND, timedelta(days=900)], ids=str)
def test_a_change_dated_at_or_before_the_last_one_is_refused(county: Session, back: timedelta) -> None:
    replace_tenure(county, tenant=TENANT, plot_id=PLOT, party_id="grower-wp-03", at=NOW)
    with pytest.raises(BadPeriod, match="date it later"):
        replace_tenure(county, tenant=TENANT, plot_id=PLOT, party_id="grower-qs-12", at=NOW - back)


def test_the_database_itself_refuses_two_rows_in_force(county: Session) -> None:
    county.add(PlotTenure(tenant=TENANT, id=PLOT, valid_from=NOW, party_id="grower-wp-03"))
    with pytest.raises(IntegrityError):
        county.flush()


def test_the_database_itself_refuses_a_period_that_runs_backwards(county: Session) -> None:
    county.add(PlotTenure(tenant=TENANT, id=PLOT, valid_from=NOW, valid_to=NOW - SECOND, party_id="grower-wp-03"))
    with pytest.raises(IntegrityError):
        county.flush()


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8, unique=True).map(sorted), st.integers(0, 1100))
def test_after_any_changes_exactly_the_last_one_before_an_instant_stands(hours: list[int], asked: int) -> None:
    growers = ["grower-qs-12", "grower-wp-03"]
    with demo_books() as county:
        for number, hour in enumerate(hours):
            party = growers[number % 2]
            replace_tenure(county, tenant=TENANT, plot_id=PLOT, party_id=party, at=NOW + timedelta(hours=hour))
        at = NOW + timedelta(hours=asked)
        standing = [entry for entry in entries_at(county, PlotTenure, tenant=TENANT, at=at) if entry.id == PLOT]
        before = [number for number, hour in enumerate(hours) if hour <= asked]
        assert [entry.party_id for entry in standing] == [growers[before[-1] % 2] if before else "grower-qs-07"]
