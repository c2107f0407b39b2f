"""What holds for every table: aware UTC times and a tenant in every key."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from enforcement.records import METADATA
from tests.traceability.books import TENANT
from traceability.parties import Party
from traceability.sites import Plant, PlantEntry, replace_plant

SHANGHAI = timezone(timedelta(hours=8))
SQUARE = {"type": "Polygon", "coordinates": [[[119, 28], [119.001, 28], [119.001, 28.001], [119, 28.001], [119, 28]]]}


@pytest.fixture
def plant(books: Session) -> Session:
    books.add(
        Party(tenant=TENANT, id="maker", role="enterprise", pseudonym="茶厂", pseudonym_en="maker", farm_code="E-1")
    )
    books.flush()
    books.add(Plant(tenant=TENANT, id="plant", name_zh="厂", name_en="plant", operator_id="maker"))
    books.flush()
    return books


def test_a_time_of_any_zone_comes_back_as_the_same_instant_in_utc(plant: Session) -> None:
    at = datetime(2026, 3, 1, 8, 30, tzinfo=SHANGHAI)
    replace_plant(plant, tenant=TENANT, plant_id="plant", polygon=SQUARE, at=at)
    plant.expire_all()
    stored = plant.scalars(select(PlantEntry.valid_from)).one()
    assert stored == at
    assert stored.tzinfo is UTC


def test_a_time_without_a_zone_never_reaches_the_database(plant: Session) -> None:
    with pytest.raises(StatementError, match="no time zone"):
        replace_plant(plant, tenant=TENANT, plant_id="plant", polygon=SQUARE, at=datetime(2026, 3, 1, 8, 30))  # noqa: DTZ001 - the point


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: table.name)
def test_the_tenant_leads_every_primary_key_and_every_foreign_key(table: Table) -> None:
    assert next(iter(table.primary_key.columns)).name == "tenant"
    for constraint in table.foreign_key_constraints:
        assert constraint.column_keys[0] == "tenant"
        assert constraint.elements[0].column.name == "tenant"


def test_no_quantity_is_kept_as_a_fraction() -> None:
    fractions = [
        f"{table.name}.{column.name}"
        for table in METADATA.sorted_tables
        for column in table.columns
        if column.type.__class__.__name__ in {"Float", "Numeric", "Double"}
    ]
    assert fractions == []
