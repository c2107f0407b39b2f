"""A real county from a folder: registered whole, once, and one line for each mistake in it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from center.accounts.people import User
from center.boxes.devices import Device
from center.cli import app
from center.county.checking import read_folder
from center.county.files import Moment
from center.county.registration import register_folder, write_example
from center.county.seeding import seed
from center.database import Database
from center.errors import CountyInvalid
from center.settings import load_settings
from enforcement.assignment import assign
from enforcement.policy import response_times
from tests.center.county.test_seeding import rows
from tests.traceability.books import NOW, TENANT
from traceability.cameras import cameras_at
from traceability.lots import Pack

LEAF = ("leaf_cards", "leaf_sales", "products", "lots", "market_zh", "market_en", "scale")
GARDENS = ("parties", "gardens", "plots", "plants")


class Folder:
    """A county's folder, to be changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        write_example(path)

    def change(self, change: Callable[[dict[str, Any]], object]) -> "Folder":
        file = self.path / "county.yaml"
        county = yaml.safe_load(file.read_text(encoding="utf-8"))
        change(county)
        file.write_text(yaml.safe_dump(county, allow_unicode=True), encoding="utf-8")
        return self

    def redraw(self, change: Callable[[list[Any]], object]) -> "Folder":
        file = self.path / "ground.geojson"
        ground = json.loads(file.read_text(encoding="utf-8"))
        change(ground["features"])
        file.write_text(json.dumps(ground), encoding="utf-8")
        return self

    def problems(self) -> tuple[str, ...]:
        with pytest.raises(CountyInvalid) as caught:
            read_folder(self.path, now=NOW)
        return caught.value.problems


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """The example, as it is written."""
    return Folder(tmp_path / "county")


@pytest.fixture
def desk(books: Session) -> Session:
    """Empty books with tables for accounts and boxes."""
    for table in (User.__table__, Device.__table__):
        table.create(books.connection(), checkfirst=True)  # type: ignore[attr-defined]
    return books


def streets_only(folder: Folder) -> Folder:
    """Grids, one camera and policies; nothing of gardens or leaf."""

    def change(county: dict[str, Any]) -> None:
        for part in (*LEAF, *GARDENS):
            del county[part]
        del county["policies"]["ledger"]
        county["registered"] = "2026-03-01 09:00"
        county["cameras"] = [camera for camera in county["cameras"] if camera["id"] == "cam-street-01"]

    def redraw(features: list[Any]) -> None:
        features[:] = [
            each for each in features if each["properties"]["kind"] == "grid" or "street" in each["properties"]["id"]
        ]

    return folder.change(change).redraw(redraw)


def test_the_example_registers_what_the_demo_registers(desk: Session, folder: Folder) -> None:
    done = register_folder(desk, tenant=TENANT, folder=folder.path, now=NOW)
    registered = rows(desk)
    seed(desk, tenant="demo", now=NOW)

    assert done.added["cameras"] == 2
    assert {table: count * 2 for table, count in registered.items()} == rows(desk)


def test_no_organic_code_is_invented_for_a_real_county(desk: Session, folder: Folder) -> None:
    register_folder(desk, tenant=TENANT, folder=folder.path, now=NOW)
    assert desk.scalar(select(func.count()).select_from(Pack)) == 120
    assert set(desk.scalars(select(Pack.organic_code))) == {None}


def test_a_county_of_streets_only_has_officers_and_deadlines(desk: Session, folder: Folder) -> None:
    done = register_folder(desk, tenant=TENANT, folder=streets_only(folder).path, now=NOW)

    assert done.added == {"grids": 3, "cameras": 1}
    assert assign(desk, tenant=TENANT, camera="cam-street-01", at=NOW).officer == "officer-a"
    times = response_times(desk, tenant=TENANT, kind="street.illegal_parking", at=NOW)
    assert times.acknowledge_by == NOW + timedelta(minutes=15)
    assert not seed(desk, tenant=TENANT, now=NOW).created, "the demo never joins a real county"


def test_what_is_not_there_yet_is_named_with_its_command(desk: Session, folder: Folder) -> None:
    done = register_folder(desk, tenant=TENANT, folder=streets_only(folder).path, now=NOW)
    assert done.still_to_do == (
        "officer officer-a has no account yet: teawatch center user add officer-a --role officer",
        "officer officer-b has no account yet: teawatch center user add officer-b --role officer",
        "box box-demo-01 is not enrolled yet: teawatch center enrol box-demo-01",
    )


def test_again_changes_nothing_and_a_new_camera_is_added_from_now_on(desk: Session, folder: Folder) -> None:
    streets_only(folder)
    register_folder(desk, tenant=TENANT, folder=folder.path, now=NOW)
    before = rows(desk)
    later = NOW + timedelta(days=3)

    again = register_folder(desk, tenant=TENANT, folder=folder.path, now=later)
    assert (again.added, rows(desk)) == ({}, before)

    folder.change(lambda county: county["cameras"].append(county["cameras"][0] | {"id": "cam-street-02"}))
    camera = {"kind": "camera", "id": "cam-street-02", "stands_at": [119.4622838, 28.4525526]}
    folder.redraw(lambda features: features.append(features[-1] | {"properties": camera}))
    more = register_folder(desk, tenant=TENANT, folder=folder.path, now=later)

    assert more.added == {"cameras": 1}
    assert [entry.id for entry in cameras_at(desk, tenant=TENANT, at=NOW)] == ["cam-street-01"]
    assert len(cameras_at(desk, tenant=TENANT, at=later)) == 2


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "unknown key": (
        lambda c: c["cameras"][0].update(purpose=[]),
        "cameras[cam-street-01].purpose: unknown key; did you mean 'purposes'? There is: id, name_zh",
    ),
    "missing key": (lambda c: c["grids"][1].pop("level"), "grids[street-tea-01].level: is missing"),
    "unknown word": (
        lambda c: c["grids"][1].update(level="stret"),
        "grids[street-tea-01].level: unknown word 'stret'; did you mean 'street'? There is: street, patch",
    ),
    "a moment": (lambda c: c.update(registered="soon"), "registered: 'soon' is no moment like 2026-03-01"),
    "a day that is none": (lambda c: c.update(registered="2026-02-30"), "registered: "),
    "the future": (lambda c: c.update(registered="2031-01-01"), "registered: lies in the future"),
    "time zone": (lambda c: c.update(zone="Asia/Hangzhou"), "zone: no time zone 'Asia/Hangzhou'"),
    "twins": (lambda c: c["grids"].append(c["grids"][0]), "grids: 2 are called 'town-yunxi'"),
    "no such grid": (
        lambda c: c["grids"][1].update(parent="town-yunxo"),
        "grids[street-tea-01].parent: no grid 'town-yunxo'; did you mean 'town-yunxi'? There is: town-yunxi, street",
    ),
    "no such party": (lambda c: c["plots"][0].update(tenant_party="x"), "plots[qs-01].tenant_party: no party 'x'"),
    "no such card": (lambda c: c["leaf_sales"][0].update(card="x"), "leaf_sales[sale-0001].card: no leaf card 'x'"),
    "no market": (lambda c: c.pop("market_zh"), "market_zh: is missing; every leaf sale names it"),
    "no ledger": (lambda c: c["policies"].pop("ledger"), "policies.ledger: is missing"),
    "check digit": (lambda c: c["products"][0].update(gtin="09506000134414"), "products[09506000134414].gtin: is no"),
    "a kind": (
        lambda c: c["policies"]["responses"]["kinds"][0].update(kind="street.parking"),
        "policies.responses.kinds[street.parking]: no kind 'street.parking'; did you mean 'street.illegal_parking'?",
    ),
    "finish before acknowledge": (
        lambda c: c["policies"]["responses"]["kinds"][0].update(finish_minutes=1),
        "policies.responses.kinds[street.illegal_parking]: acknowledge_minutes is more than 0",
    ),
    "office hours": (
        lambda c: c["policies"]["working_week"].update(sessions=[["12:00", "08:30"]]),
        "policies.working_week.sessions: ['12:00', '08:30'] is no time from and to",
    ),
    "a box's name": (lambda c: c["cameras"][0].update(device="box 1"), "cameras[cam-street-01].device: begins with"),
}


@pytest.mark.parametrize(("change", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_each_mistake_in_the_county_is_one_line(
    folder: Folder, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    problems = folder.change(change).problems()
    assert [line for line in problems if line.startswith(f"county.yaml: {said}")], problems
    assert all("\n" not in line for line in problems)


GROUND: dict[str, tuple[Callable[[list[Any]], object], str]] = {
    "missing": (lambda f: f.pop(0), "plot qs-01: is missing"),
    "unknown": (
        lambda f: f[0]["properties"].update(id="qs-10"),
        "plot qs-10: does not stand in county.yaml; did you mean 'qs-01'?",
    ),
    "kind": (lambda f: f[0]["properties"].update(kind="plott"), "feature 1 (qs-01): no kind 'plott'; did you mean"),
    "twice": (lambda f: f.append(f[0]), "plot qs-01: stands twice"),
    "no id": (lambda f: f[0].pop("properties"), "feature 1: needs properties with kind and id"),
    "a point": (lambda f: f[0].update(geometry={"type": "Point"}), "plot qs-01: a boundary is a GeoJSON Polygon"),
    "no geometry": (lambda f: f[0].update(geometry=None), "plot qs-01: a boundary is a GeoJSON Polygon"),
    "no post": (lambda f: f[-1]["properties"].pop("stands_at"), "camera cam-garden-01: stands_at must be"),
}


@pytest.mark.parametrize(("change", "said"), GROUND.values(), ids=GROUND.keys())
def test_each_mistake_on_the_ground_is_one_line(
    folder: Folder, change: Callable[[list[Any]], object], said: str
) -> None:
    problems = folder.redraw(change).problems()
    assert [line for line in problems if line.startswith(f"ground.geojson: {said}")], problems


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("county.yaml", "name_zh: [", "county.yaml: line 1, column 11: "),
        ("county.yaml", "zone: a\nzone: b\n", "county.yaml: line 2, column 1: key 'zone' stands twice"),
        ("county.yaml", "name_zh: " + "[" * 5000, "county.yaml: nested too deeply"),
        ("county.yaml", "name_zh: 2020-13-45", "county.yaml: line 1, column 10: looks like a date and is none"),
        ("county.yaml", "", "county.yaml: expected keys and values (name_zh, "),
        ("ground.geojson", "{", "ground.geojson: Expecting property name"),
        ("ground.geojson", "[" * 100_000, "ground.geojson: nested too deeply"),
        ("ground.geojson", "[]", "ground.geojson: is no GeoJSON FeatureCollection"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(folder: Folder, name: str, text: str, said: str) -> None:
    (folder.path / name).write_text(text)
    (problem,) = folder.problems()
    assert problem.startswith(said)


def test_moments_may_be_dates() -> None:
    assert Moment.parse("2026-03-01 17:40").day(NOW.date()).isoformat() == "2026-03-01"
    assert Moment.parse(NOW.date()).day(NOW.date()) == NOW.date()


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="teawatch center")


def test_the_commands_take_a_county_from_example_to_register(tmp_path: Path) -> None:
    data, county = tmp_path / "centre", tmp_path / "county"

    assert call("init", "--data", data, "--tenant", "lake-county").exit_code == 0
    absent = call("register", county, "--data", data)
    written = call("register", "--example", county)
    once = call("register", county, "--data", data)
    twice = call("register", county, "--data", data)
    over = call("register", "--example", county)

    assert absent.exit_code == 1
    assert f"teawatch center register --example {county} writes one" in absent.stderr
    assert written.stdout.split() == [str(county / "county.yaml"), str(county / "ground.geojson")]
    assert "registered: parties 6, gardens 2, plots 4, plants 1, grids 3, cameras 2, leaf cards 4" in once.stdout
    assert "officer officer-a has no account yet" in once.stderr
    assert twice.stdout == f"everything of {county} is registered already; nothing was changed\n"
    assert (over.exit_code, "exists already; nothing was written" in over.stderr) == (1, True)
    with Database(load_settings(data).sqlalchemy_url).reading() as session:
        assert len(cameras_at(session, tenant="lake-county", at=NOW + timedelta(days=3650))) == 2
